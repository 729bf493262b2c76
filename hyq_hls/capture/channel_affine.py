"""Constants that act on every channel by itself, where no layer absorbs them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hyq_hls.capture.float_op import Array, FloatOp, Shape, as_tensor
from hyq_hls.errors import ShapeError


@dataclass(frozen=True, eq=False, repr=False)
class ChannelAffine(FloatOp):
    """``multiplier * x + offset`` with constants per channel, for a map, tokens or a vector.

    It is a BatchNorm, a layer scale or a factor that stands alone.

    Attributes:
        multiplier: factor of each channel ``(C,)``; it may be negative or zero.
        offset: summand of each channel ``(C,)``.
    """

    multiplier: Array
    offset: Array

    def __post_init__(self) -> None:
        self._freeze(multiplier=1, offset=1)
        if self.offset.shape != self.multiplier.shape:
            raise ShapeError(f"{self!r}: multiplier and offset differ in shape")

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(..., C)`` for ``(..., C)``."""
        (channels,) = self.multiplier.shape
        ok = len(shapes) == 1 and len(shapes[0]) > 0 and shapes[0][-1] == channels
        self._expect(ok, shapes, f"(..., {channels})")
        return shapes[0]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, ..., C)`` to ``(B, ..., C)``."""
        (x,) = inputs
        return x * as_tensor(self.multiplier, x) + as_tensor(self.offset, x)


@dataclass(frozen=True, eq=False, repr=False)
class PositionConstant(FloatOp):
    """``x + constant`` with one constant per position and channel, as a position embedding.

    Attributes:
        constant: the summand, in the shape of the input without its batch.
    """

    constant: Array

    def __post_init__(self) -> None:
        self._freeze(constant=np.ndim(self.constant))

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape of the only input, which is that of the constant."""
        self._expect(shapes == (self.constant.shape,), shapes, f"{self.constant.shape}")
        return shapes[0]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Add the constant to ``(B, ..., C)``."""
        (x,) = inputs
        return x + as_tensor(self.constant, x)
