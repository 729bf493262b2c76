"""Constants that act on every channel by itself, where no layer absorbs them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
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


#: The constant that hides a score from its softmax: its exponential is zero in any float format.
#: It stands for minus infinity, and unlike that it has a difference to other numbers.
HIDDEN = -(2.0**14)


@dataclass(frozen=True, eq=False, repr=False)
class PositionConstant(FloatOp):
    """``x + constant`` with one constant per position and channel, as a position embedding.

    Added to the scores of an attention, it is a bias of positions, a mask, or both.

    Attributes:
        constant: the summand, in the shape of the input without its batch; ``HIDDEN`` where a mask
            hides a score.
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

    @property
    def hidden(self) -> npt.NDArray[np.bool_]:
        """Which elements a mask hides."""
        hidden: npt.NDArray[np.bool_] = self.constant == HIDDEN
        return hidden

    def scaled(self, factor: float) -> PositionConstant:
        """Return the constant of ``factor * x``; what is hidden stays hidden."""
        return PositionConstant(np.where(self.hidden, HIDDEN, self.constant * factor))

    def plus(self, other: PositionConstant) -> PositionConstant:
        """Return the sum of two constants; what one of them hides is hidden."""
        hidden = self.hidden | other.hidden
        return PositionConstant(np.where(hidden, HIDDEN, self.constant + other.constant))
