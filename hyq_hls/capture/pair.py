"""The base of float operations on two tensors of one shape."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hyq_hls.capture.float_op import FloatOp, Shape

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False, repr=False)
class Pair(FloatOp):
    """A function of two elements at the same place of two tensors, without broadcasting.

    A vector and a map of one position fit. The result has the shape of the first input.
    """

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape of the first input."""
        alike = len(shapes) == 2 and (
            shapes[0] == shapes[1]
            or (shapes[0][-1] == shapes[1][-1] == math.prod(shapes[0]) == math.prod(shapes[1]))
        )
        self._expect(alike, shapes, "two equal shapes")
        return shapes[0]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Combine ``(B, ..., C)`` and ``(B, ..., C)``."""
        a, b = inputs
        return self.combine(a, b.reshape(a.shape))

    @abstractmethod
    def combine(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Combine two tensors of one shape."""
