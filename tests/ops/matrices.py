"""Random matrices, and biases and factors that spread their products over all output codes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Quantization
from hyq_hls.graph.requantize import Requantize


def random_matrix(rng: np.random.Generator, shape: tuple[int, ...], bits: int) -> NDArray[np.int64]:
    """Weights (out channels, ...); those of one channel are the smallest there are."""
    limit = 1 << (bits - 1)
    weight = rng.integers(-limit, limit, shape)
    weight[rng.integers(shape[0])] = -limit  # where a product takes all its bits
    return weight


def spread(
    rng: np.random.Generator, weight: NDArray[np.int64], q: Quantization
) -> tuple[NDArray[np.int64], Requantize]:
    """Bias and requantization for ``weight`` (out channels, ...) and any codes of ``q``.

    Zero points, shifts and multipliers are for all channels or for each; widths are random.
    """
    rows = weight.reshape(len(weight), -1)
    few_or_one = [1, len(rows)]
    bias = np.rint(-rows.sum(axis=1) * (q.qmin + q.qmax) / 2).astype(np.int64)
    bias += rng.integers(-99, 100, len(rows))
    dyadic = bool(rng.integers(2))
    multiplier = rng.integers(1 << 12, 1 << 16, rng.choice(few_or_one)) if dyadic else np.array([1])
    out = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    middle = (out.qmin + out.qmax + 1) // 2
    zero = np.clip(middle + rng.integers(-3, 4, rng.choice(few_or_one)), out.qmin, out.qmax)
    sums = (1 << q.bits) * np.sqrt(1 + (rows**2).sum(axis=1).max()) * int(multiplier.max())
    shift = int(np.ceil(np.log2(sums))) - out.bits + rng.integers(-1, 2, rng.choice(few_or_one))
    return bias, Requantize(replace(out, zero_point=tuple(zero.tolist())), shift, multiplier)
