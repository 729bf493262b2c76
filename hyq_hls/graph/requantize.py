"""Requantization: from a wide accumulator to a code, by shifts or by dyadic multipliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.types import Quantization

#: Dyadic multipliers have 16 bits (unsigned); shifts reach as far as a 62-bit accumulator.
MULTIPLIER_BITS = 16
MAX_SHIFT = 62
#: A product or a left shift must stay in 64-bit integers.
_MAX_SCALED_BITS = 64


@dataclass(frozen=True, eq=False)
class Requantize:
    """``code = saturate(round_half_up(acc * multiplier / 2**shift) + zero_point)``.

    Rounding half up is ``(acc * multiplier + (1 << (shift - 1))) >> shift``: one adder
    (``AP_RND, AP_SAT``). A shift of zero or less shifts left and rounds nothing. Where all
    multipliers are 1 the scale factors are powers of two and no multiplier is built.

    Attributes:
        quantization: quantization of the output code.
        shift: int64 (1,) or (C,).
        multiplier: int64 (1,) or (C,), 1 to 2**16 - 1.

    Raises:
        GraphError: lengths or ranges do not fit.
    """

    quantization: Quantization
    shift: NDArray[np.int64]
    multiplier: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name in ("shift", "multiplier"):
            array = np.atleast_1d(np.asarray(getattr(self, name)))
            if array.ndim != 1 or not array.size or not np.issubdtype(array.dtype, np.integer):
                raise GraphError(f"requantization {name}: a vector of integers is wanted")
            array = array.astype(np.int64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if self.shift.min() < -MAX_SHIFT or self.shift.max() > MAX_SHIFT:
            raise GraphError(
                f"requantization shifts {self.shift} leave [-{MAX_SHIFT}, {MAX_SHIFT}]"
            )
        if self.multiplier.min() < 1 or self.multiplier.max() >= 1 << MULTIPLIER_BITS:
            raise GraphError(
                f"requantization multipliers leave [1, {(1 << MULTIPLIER_BITS) - 1}]: "
                f"[{self.multiplier.min()}, {self.multiplier.max()}]"
            )
        if self.quantization.encoding != "affine":
            raise GraphError("requantization gives affine codes; log2 codes come from a softmax")
        q = self.quantization
        if len({self.shift.size, self.multiplier.size, len(q.zero_point), len(q.scale)} - {1}) > 1:
            raise GraphError(
                f"requantization has {self.shift.size} shifts, {self.multiplier.size} multipliers, "
                f"{len(q.zero_point)} zero points and {len(q.scale)} scales; one, or one per "
                "channel, is wanted of each"
            )

    @property
    def is_shift(self) -> bool:
        """Whether shifts do it, without a multiplier."""
        return bool((self.multiplier == 1).all())

    @property
    def channels(self) -> int:
        """Number of distinct entries: 1, or the number of channels."""
        q = self.quantization
        return max(self.shift.size, self.multiplier.size, len(q.zero_point), len(q.scale))

    def check(self, acc: Bounds, channels: int) -> None:
        """Raise :class:`GraphError` unless ``channels`` fit and no product leaves 64 bits."""
        if self.channels not in (1, channels):
            raise GraphError(
                f"requantization has {self.channels} entries for {channels} channels; "
                "one, or one per channel, is wanted"
            )
        if self.scaled_bits(acc) > _MAX_SCALED_BITS:
            raise GraphError(
                f"requantizing a {acc.bits}-bit accumulator needs {self.scaled_bits(acc)} bits, "
                f"beyond {_MAX_SCALED_BITS}; use fewer weight or activation bits"
            )

    def __call__(self, acc: NDArray[np.int64]) -> NDArray[np.int64]:
        """Turn accumulators (..., C) into codes of the same shape."""
        right = np.maximum(self.shift, 0)
        left = np.maximum(-self.shift, 0)
        half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
        q = self.quantization
        code: NDArray[np.int64] = (((acc * self.multiplier) << left) + half) >> right
        code = code + np.array(q.zero_point, np.int64)
        return code.clip(q.qmin, q.qmax)

    def reach(self, largest: int) -> int:
        """Return the largest integer that requantizing in floating point must hold.

        A channel counts in steps of ``2**-shift``, or in halves, which the rounding adds also where
        codes are shifted left. Inside this reach ``floor(acc * factor + offset)`` of
        :meth:`factor_and_offset` is exact, zero point included.

        Args:
            largest: the largest absolute value of an accumulator.
        """
        zero = max(abs(z) for z in self.quantization.zero_point) + 1
        reach = 0
        shifts, multipliers = np.broadcast_arrays(self.shift, self.multiplier)
        for shift, multiplier in {*zip(shifts.tolist(), multipliers.tolist(), strict=True)}:
            fraction = max(1, shift)
            reach = max(reach, (largest * multiplier << (fraction - shift)) + (zero << fraction))
        return reach

    def factor_and_offset(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (1,) or (C,) each; ``floor(acc * factor + offset)`` is the unsaturated code."""
        factor = np.exp2(-self.shift.astype(np.float64)) * self.multiplier
        return factor.astype(np.float64), np.array(self.quantization.zero_point) + 0.5

    def scaled_bits(self, acc: Bounds) -> int:
        """Return the width of ``acc * multiplier``, shifted left or with half a step added."""
        left = max(0, -int(self.shift.min()))
        product = acc.bits + (0 if self.is_shift else int(self.multiplier.max()).bit_length())
        return max(product + left, int(self.shift.max())) + 1
