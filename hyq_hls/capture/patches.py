"""Layers that read whole patches of a map: a convolution whose stride is the patch.

So a linear layer behind ``flatten`` or ``nn.Unfold``, or behind a rearrangement to patches, is a
convolution of the map; a convolution behind ``pixel_unshuffle`` is a larger one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from hyq_hls.capture.call import Call
from hyq_hls.capture.drafts import Draft, View
from hyq_hls.capture.float_op import Array
from hyq_hls.capture.float_ops import Conv2d
from hyq_hls.capture.index_maps import Patch, covers, patches
from hyq_hls.capture.layouts import fresh


@dataclass(frozen=True, eq=False)
class Patches:
    """A view whose channels are all elements of a patch.

    Attributes:
        draft: the map (H, W, C).
        patch: height and width of the patches, which lie side by side.
        order: place in the patch (ph, pw, C) of each channel of the view.
        rows: patch at each position of the view.
    """

    draft: Draft
    patch: Patch
    order: torch.Tensor
    rows: torch.Tensor

    def weight(self, weight: Array) -> Array:
        """Return weights ``(O, kh, kw, channels of the view)`` of patches as those of the map."""
        outputs, kh, kw, _ = weight.shape
        (ph, pw), channels = self.patch, self.draft.shape[-1]
        sorted_weight = np.empty_like(weight)
        sorted_weight[..., self.order.numpy()] = weight
        apart = sorted_weight.reshape(outputs, kh, kw, ph, pw, channels).transpose(0, 1, 3, 2, 4, 5)
        together: Array = apart.reshape(outputs, kh * ph, kw * pw, channels)
        return together

    def convolution(self, op: Conv2d) -> Conv2d:
        """Return a convolution of the patches as one of the map."""
        op, (ph, pw) = op.undilated(), self.patch
        stride = op.stride[0] * ph, op.stride[1] * pw
        padding = op.padding[0] * ph, op.padding[1] * pw
        return replace(op, weight=self.weight(op.weight), stride=stride, padding=padding)


def find_patches(call: Call, view: View, axis: int) -> Patches | None:
    """Find the patches whose elements lie along an axis; None where it holds channels only."""
    view = fresh(view)
    draft = view.source
    if len(draft.shape) != 3 or (draft.tokens and draft.shape[0] > 1):
        return None
    height, width, channels = draft.shape
    table = view.index.movedim(axis, -1).reshape(-1, view.shape[axis])
    size = table.shape[1]
    if size == channels or size % channels or not covers(table, draft.size):
        return None
    for ph, pw in patches(height, width):
        if ph * pw * channels != size:
            continue
        place = torch.empty(draft.size, dtype=torch.int64)
        elements = torch.arange(draft.size).reshape(height // ph, ph, width // pw, pw, channels)
        place[elements.permute(0, 2, 1, 3, 4).reshape(-1)] = torch.arange(draft.size)
        found = place[table]
        rows, order = found[:, 0] // size, found[0] % size
        if torch.equal(found, rows[:, None] * size + order):
            if draft.tokens:
                draft = call.drafts.fold(draft, (1, 1), (height, width), view)
            return Patches(draft, (ph, pw), order, rows)
    return None
