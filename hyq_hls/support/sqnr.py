"""The signal-to-quantization-noise ratio, which every comparison of real values gives."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray


def sqnr_db(signal: NDArray[np.float64], approximation: NDArray[np.float64]) -> float:
    """Return the signal-to-quantization-noise ratio in dB; infinite when both are equal."""
    noise = float(np.square(signal - approximation).sum())
    power = float(np.square(signal).sum())
    if noise == 0:
        return inf
    return float(10 * np.log10(power / noise)) if power else -inf
