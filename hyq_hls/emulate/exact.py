"""Integer arithmetic is exact in floating point, inside proven bounds.

A float32 holds every integer up to 2**24, a float64 every integer up to 2**53; multiplying by a
power of two changes no mantissa. So a dot product whose partial sums are proven to stay inside
those bounds is exact in any order of summation, and fast float kernels may compute it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from hyq_hls.graph import Bounds
from hyq_hls.graph.requantize import Requantize

#: The computation of a node: float32 codes of its inputs to those of its result.
Kernel = Callable[..., torch.Tensor]

_MANTISSA = {torch.float32: 24, torch.float64: 53}


def magnitude(bounds: Bounds) -> int:
    """Return the largest absolute value inside ``bounds``."""
    return max(abs(bounds.low), abs(bounds.high))


def exact_dtype(largest: int) -> torch.dtype | None:
    """Return the smallest float type that holds all integers up to ``largest``, or None."""
    for dtype, bits in _MANTISSA.items():
        if largest <= 1 << bits:
            return dtype
    return None


def accumulation_dtype(bounds: Bounds, requantize: Requantize) -> torch.dtype | None:
    """Return the float type in which accumulator, rounding and zero point are exact together.

    A channel counts in steps of ``2**-shift``, or in halves, which the rounding adds also where
    codes are shifted left.
    """
    zero = max(abs(z) for z in requantize.quantization.zero_point) + 1
    largest, reach = magnitude(bounds), 0
    shifts, multipliers = np.broadcast_arrays(requantize.shift, requantize.multiplier)
    for shift, multiplier in {*zip(shifts.tolist(), multipliers.tolist(), strict=True)}:
        fraction = max(1, shift)
        reach = max(reach, (largest * multiplier << (fraction - shift)) + (zero << fraction))
    return exact_dtype(reach)


def factor_and_offset(
    requantize: Requantize, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (1,) or (C,) each; ``floor(acc * factor + offset)`` is the unsaturated code."""
    factor = np.exp2(-requantize.shift.astype(np.float64)) * requantize.multiplier
    offset = np.asarray(requantize.quantization.zero_point) + 0.5
    return torch.tensor(factor, dtype=dtype), torch.tensor(offset, dtype=dtype)


def requantizer(bounds: Bounds, requantize: Requantize) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function from accumulators, in any float type that holds them, to float32 codes.

    The function computes in place, and so consumes its argument, where the type allows.
    """
    dtype = accumulation_dtype(bounds, requantize)
    if dtype is None:
        return lambda acc: torch.from_numpy(requantize(acc.long().numpy())).float()
    factor, offset = factor_and_offset(requantize, dtype)
    q = requantize.quantization

    def run(acc: torch.Tensor) -> torch.Tensor:
        scaled = acc.to(dtype).mul_(factor).add_(offset).floor_()
        return scaled.clamp_(q.qmin, q.qmax).float()

    return run
