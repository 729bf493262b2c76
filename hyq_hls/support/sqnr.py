"""The signal-to-quantization-noise ratio, which every comparison of real values gives."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray


def sqnr_db(signal: NDArray[np.float64], approximation: NDArray[np.float64]) -> float:
    """Return the signal-to-quantization-noise ratio in dB; infinite when both are equal."""
    return decibels(*power_and_noise(signal, approximation))


def power_and_noise(
    signal: NDArray[np.float64], approximation: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the sum of squares of a signal and that of its errors; both add up over parts."""
    return float(np.square(signal).sum()), float(np.square(signal - approximation).sum())


def decibels(power: float, noise: float) -> float:
    """Return the ratio of two sums of squares in dB; infinite without noise."""
    if noise == 0:
        return inf
    return float(10 * np.log10(power / noise)) if power else -inf
