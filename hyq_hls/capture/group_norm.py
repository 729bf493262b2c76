"""GroupNorm with one group: the float operation, and the handler that captures it."""

from __future__ import annotations

import torch
from torch.nn import functional

from hyq_hls.capture.call import Call
from hyq_hls.capture.drafts import Unsupported, View
from hyq_hls.capture.float_op import as_tensor
from hyq_hls.capture.float_ops import Normalization
from hyq_hls.capture.layouts import rows, shown


class GroupNorm(Normalization):
    """Normalization over all elements of an image, with a factor and a summand per channel."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, ..., C)`` to ``(B, ..., C)``."""
        (x,) = inputs
        normalized = functional.layer_norm(x, x.shape[1:], None, None, self.eps)
        return normalized * as_tensor(self.weight, x) + as_tensor(self.bias, x)


def group_norm(call: Call) -> View:
    """Capture a GroupNorm; the order of the positions does not matter to it."""
    view, groups = call.view("input"), int(call.get("num_groups"))
    if groups != 1:
        raise Unsupported(
            f"GroupNorm of {groups} groups",
            "one group, whose mean and variance are those of the whole image",
            "use nn.GroupNorm(1, channels), nn.BatchNorm2d or nn.LayerNorm",
        )
    count = view.shape[1]
    draft, order = rows(call.drafts, view, 1)
    weight, bias = call.array("weight", 1.0, count), call.array("bias", 0.0, count)
    op = GroupNorm(weight, bias, float(call.get("eps")))
    return shown(call.add(op, (draft,), "norm"), order, view, 1)
