"""Requantizations to compare: real factors, their shifts and multipliers, integers, errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Quantization
from hyq_hls.stream.arguments import RequantizeRom

Integers = NDArray[np.int64]

#: Channels of a position; with one factor per channel, so many entries.
CHANNELS = 32
OUTPUT = Quantization(8, False, zero_point=(121,))
#: Rounding costs 0.5 steps of the output; a multiplier that is wide enough adds no more than 0.1.
_LARGEST_ERROR = 0.6
#: Bits of the multipliers of I-BERT (batch_frexp), HAWQ-V3 and gemmlowp.
PUBLISHED_BITS = 31


@dataclass(frozen=True, eq=False)
class Scaling:
    """``code = saturate(((acc * multiplier + half) >> shift) + zero point)``.

    As :class:`hyq_hls.graph.requantize.Requantize`, whose multipliers have at most 16 bits.

    Attributes:
        multiplier: int64 (1,) or (CHANNELS,); None for 1.
        shift: int64 (1,) or (CHANNELS,), at least 1.
    """

    multiplier: Integers | None
    shift: Integers

    def __call__(self, acc: Integers) -> Integers:
        """Return the codes of accumulators (..., CHANNELS) whose products stay within 63 bits."""
        scaled = acc if self.multiplier is None else acc * self.multiplier
        # Half a step more would leave 64 bits; the bit below the point does the same.
        code = (scaled >> self.shift) + (scaled >> (self.shift - 1) & 1)
        codes: Integers = np.clip(code + OUTPUT.zero_point[0], OUTPUT.qmin, OUTPUT.qmax)
        return codes

    def rom(self, lanes: int) -> RequantizeRom:
        """Return the entries as the circuit's memory."""
        zero_point = np.asarray(OUTPUT.zero_point, dtype=np.int64)
        size = self.shift.size if self.multiplier is None else self.multiplier.size
        words = lanes if size > 1 else 1
        return RequantizeRom("requantize", self.multiplier, self.shift, zero_point, words)


def real_factors(bits: int, per_channel: bool) -> NDArray[np.float64]:
    """Return the output steps per accumulator step: ``2**(10 - bits)``, up to 2**1.5 off.

    So the accumulators of every channel reach both ends of the output's range.

    Args:
        bits: width of the accumulator.
        per_channel: (CHANNELS,) factors, or the first of them.
    """
    octaves = np.random.default_rng(4).uniform(-1.5, 1.5, CHANNELS)
    factors = np.exp2(OUTPUT.bits + 2 - bits + octaves)
    return factors if per_channel else factors[:1]


def by_shift(factors: NDArray[np.float64]) -> Scaling:
    """Take the power of two that is nearest to every factor."""
    return Scaling(None, np.rint(-np.log2(factors)).astype(np.int64))


def by_dyadic(factors: NDArray[np.float64], multiplier_bits: int) -> Scaling:
    """Take multipliers of at most ``multiplier_bits`` and one shift, so that none is variable."""
    exponent = int(np.frexp(factors.max())[1])  # every factor is below 2**exponent
    shift = multiplier_bits - exponent
    multiplier = np.minimum(np.rint(factors * 2.0**shift), (1 << multiplier_bits) - 1)
    return Scaling(multiplier.astype(np.int64), np.array([shift]))


def by_tight_dyadic(factors: NDArray[np.float64]) -> Scaling:
    """Do what :func:`by_dyadic` does with the narrowest multipliers that are exact enough."""
    acc = accumulators(factors)
    for bits in range(2, PUBLISHED_BITS):
        scaling = by_dyadic(factors, bits)
        if distances(scaling, factors, acc).max() <= _LARGEST_ERROR:
            break
    return scaling


def by_published_dyadic(factors: NDArray[np.float64]) -> Scaling:
    """Take a 31-bit multiplier and a shift per factor (I-BERT, quant_utils.py, batch_frexp)."""
    mantissa, exponent = np.frexp(factors)  # factor = mantissa * 2**exponent, [0.5, 1)
    multiplier = np.rint(mantissa * 2.0**PUBLISHED_BITS).astype(np.int64)
    shift = (PUBLISHED_BITS - exponent).astype(np.int64)
    return Scaling(np.minimum(multiplier, (1 << PUBLISHED_BITS) - 1), shift)


def accumulators(factors: NDArray[np.float64], samples: int = 4096) -> Integers:
    """Draw accumulators (samples, CHANNELS) that spread evenly over the output's range."""
    wanted = np.random.default_rng(5).uniform(OUTPUT.qmin, OUTPUT.qmax, (samples, CHANNELS))
    return np.rint((wanted - OUTPUT.zero_point[0]) / factors).astype(np.int64)


def distances(scaling: Scaling, factors: NDArray[np.float64], acc: Integers) -> NDArray[np.float64]:
    """Return the distances from ``acc * factor + zero point``, in steps of the output."""
    exact = np.clip(acc * factors + OUTPUT.zero_point[0], OUTPUT.qmin, OUTPUT.qmax)
    return np.abs(scaling(acc) - exact)


def errors(scaling: Scaling, factors: NDArray[np.float64]) -> tuple[float, float]:
    """Return worst and mean of :func:`distances` for :func:`accumulators`.

    Rounding alone costs 0.5 and 0.25.
    """
    found = distances(scaling, factors, accumulators(factors))
    return float(found.max()), float(found.mean())
