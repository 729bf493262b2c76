"""The product of two values of the image, as a float operation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from hyq_hls.capture.float_op import FloatOp, Shape


@dataclass(frozen=True, eq=False, repr=False)
class Multiply(FloatOp):
    """Product of two tensors, element by element, such as a gate.

    The second has as many positions as the first, or each of its positions holds for equally many
    positions of the first, in C order. It has all channels, or one that holds for all.
    """

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape of the first input."""
        ok = len(shapes) == 2 and all(shapes) and shapes[1][-1] in (1, shapes[0][-1])
        ok = ok and math.prod(shapes[0][:-1]) % math.prod(shapes[1][:-1]) == 0
        self._expect(ok, shapes, "(..., C), and (..., C) or (..., 1) with no more positions")
        return shapes[0]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Multiply ``(B, ..., C)`` by ``(B, ..., C)`` or ``(B, ..., 1)``."""
        a, b = (x.reshape(len(x), -1, x.shape[-1]) for x in inputs)
        factors = b.repeat_interleave(a.shape[1] // b.shape[1], dim=1)
        return (a * factors).reshape(inputs[0].shape)
