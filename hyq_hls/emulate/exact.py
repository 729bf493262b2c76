"""Integer arithmetic is exact in floating point, inside proven bounds.

A float32 holds every integer up to 2**24, a float64 every integer up to 2**53; multiplying by a
power of two changes no mantissa. So a dot product whose partial sums are proven to stay inside
those bounds is exact in any order of summation, and fast float kernels may compute it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from hyq_hls.graph import Bounds, Quantization
from hyq_hls.graph.requantize import Requantize

#: The computation of a node: float32 codes of its inputs to those of its result.
Kernel = Callable[..., torch.Tensor]
#: A computation that treats every row by itself: float32 codes (n, C)
#: for rows (n, C) of each operand. It fills the tensor ``out`` where that is given.
RowKernel = Callable[..., torch.Tensor]

_MANTISSA = {torch.float32: 24, torch.float64: 53}


def magnitude(bounds: Bounds) -> int:
    """Return the largest absolute value inside ``bounds``."""
    return bounds.magnitude


def exact_dtype(largest: int) -> torch.dtype | None:
    """Return the smallest float type that holds all integers up to ``largest``, or None."""
    for dtype, bits in _MANTISSA.items():
        if largest <= 1 << bits:
            return dtype
    return None


def accumulation_dtype(bounds: Bounds, requantize: Requantize) -> torch.dtype | None:
    """Return the float type in which accumulator, rounding and zero point are exact together."""
    return exact_dtype(requantize.reach(magnitude(bounds)))


def factor_and_offset(
    requantize: Requantize, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return those of the requantization as tensors."""
    factor, offset = requantize.factor_and_offset()
    return torch.tensor(factor, dtype=dtype), torch.tensor(offset, dtype=dtype)


def saturator(quantization: Quantization) -> RowKernel:
    """Return a function from real values to the codes of their floors; it consumes the values."""
    low, high = quantization.qmin, quantization.qmax

    def run(x: torch.Tensor, *, out: torch.Tensor | None = None) -> torch.Tensor:
        floors = x.floor_()
        if out is not None and out.dtype == x.dtype:
            return torch.clamp(floors, low, high, out=out)
        codes = floors.clamp_(low, high)
        return codes.float() if out is None else out.copy_(codes)

    return run


def multiply_add(x: torch.Tensor, factor: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    """Return ``x * factor + offset`` in one pass; a factor is (1,) or (C,)."""
    if len(factor) == 1:
        return torch.add(offset, x, alpha=factor.item())
    return torch.addcmul(offset, x, factor)


def requantizer(bounds: Bounds, requantize: Requantize) -> RowKernel:
    """Return a function from accumulators, in any float type that holds them, to float32 codes."""
    dtype = accumulation_dtype(bounds, requantize)
    if dtype is None:
        return _exact_requantizer(requantize)
    factor, offset = factor_and_offset(requantize, dtype)
    saturate = saturator(requantize.quantization)

    def run(acc: torch.Tensor, *, out: torch.Tensor | None = None) -> torch.Tensor:
        return saturate(multiply_add(acc.to(dtype), factor, offset), out=out)

    return run


def _exact_requantizer(requantize: Requantize) -> RowKernel:
    def run(acc: torch.Tensor, *, out: torch.Tensor | None = None) -> torch.Tensor:
        codes = torch.from_numpy(requantize(acc.long().numpy()))
        return codes.float() if out is None else out.copy_(codes)

    return run
