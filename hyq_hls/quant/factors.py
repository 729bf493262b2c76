"""Real factors as integers: a shift when they are powers of two, else multiplier and shift."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyq_hls.graph.requantize import MULTIPLIER_BITS, Requantize
from hyq_hls.graph.types import Quantization

_MANTISSA_BITS = MULTIPLIER_BITS - 1
_ROUNDED = 2.0**-40


def dyadic(factor: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``multiplier, shift`` with ``factor = multiplier / 2**shift``.

    The result is exact, with all multipliers 1, when every factor is a power of two. Else the
    multipliers are rounded to 15 bits and a sign-free top bit.
    """
    values = np.atleast_1d(np.asarray(factor, dtype=np.float64))
    mantissa, exponent = np.frexp(values)  # value = mantissa * 2**exponent, mantissa in [0.5, 1)
    # A product of scales that should be a power of two may have lost its last bits.
    above, below = mantissa > 1 - _ROUNDED, mantissa < 0.5 * (1 + _ROUNDED)
    mantissa = np.where(above | below, 0.5, mantissa)
    exponent = exponent + above
    if (mantissa == 0.5).all():
        return np.ones(values.shape, np.int64), (1 - exponent).astype(np.int64)
    multiplier = np.rint(mantissa * 2.0**_MANTISSA_BITS).astype(np.int64)
    return multiplier, (_MANTISSA_BITS - exponent).astype(np.int64)


def requantize(accumulator_scale: ArrayLike, output: Quantization) -> Requantize:
    """Return the requantization from accumulators of a real scale, (1,) or (C,), to ``output``."""
    factor = np.atleast_1d(np.asarray(accumulator_scale, dtype=np.float64)) / np.asarray(
        output.scale
    )
    if (factor == factor[0]).all():
        factor = factor[:1]
    multiplier, shift = dyadic(factor)
    return Requantize(output, shift, multiplier)
