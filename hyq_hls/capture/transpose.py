"""The exchange of two axes as a float operation, and what lies between two of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hyq_hls.capture.drafts import Draft
from hyq_hls.capture.float_op import FloatOp, Shape
from hyq_hls.capture.float_ops import Linear


@dataclass(frozen=True, eq=False, repr=False)
class Transpose(FloatOp):
    """Exchange of the last two axes, ``(..., I, J) -> (..., J, I)``."""

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(..., J, I)`` for ``(..., I, J)``."""
        self._expect(len(shapes) == 1 and len(shapes[0]) > 1, shapes, "(..., I, J)")
        *lead, rows, columns = shapes[0]
        return (*lead, columns, rows)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, ..., I, J)`` to ``(B, ..., J, I)``."""
        (x,) = inputs
        return x.transpose(-1, -2)


def mixture(draft: Draft) -> tuple[Draft, Draft] | None:
    """Return the layer of heads that were mixed, and what it mixes; None for anything else.

    See :mod:`hyq_hls.capture.talking_heads`.
    """
    if not isinstance(draft.op, Transpose):
        return None
    (layer,) = draft.inputs
    if not isinstance(layer.op, Linear) or not isinstance(layer.inputs[0].op, Transpose):
        return None
    return layer, layer.inputs[0].inputs[0]
