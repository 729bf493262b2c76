"""Attention values of random rows: the operation, its codes, and how far the result is off."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import AttentionValues

Codes = NDArray[np.int64]

#: Channels of the one head.
DEPTH = 16
VALUE = Quantization(8, False, zero_point=(128,))
PROBABILITIES = {
    "log2": Quantization(4, False, encoding="log2"),
    "uniform": Quantization(8, False, scale=(2.0**-8,)),
}
#: Standard deviations of the scores before softmax: flat rows and peaked rows.
SPREADS = (1.0, 3.0)


def operation(encoding: str) -> AttentionValues:
    """Sum 8-bit values with probabilities of ``encoding``, on the grid of the values."""
    probability = PROBABILITIES[encoding]
    # Fraction bits of the accumulator are those of the smallest probability.
    shift = probability.qmax - 1 if encoding == "log2" else probability.bits
    requantize = Requantize(VALUE, np.array([shift]), np.array([1]))
    return AttentionValues(1, VALUE.zero_point, probability.encoding, probability.bits, requantize)


def types(encoding: str, tokens: int) -> list[TensorType]:
    """Return the types of the probabilities and of the values."""
    return [
        TensorType((1, tokens, 1, tokens), PROBABILITIES[encoding]),
        TensorType((1, tokens, DEPTH), VALUE),
    ]


def probability_codes(encoding: str, probabilities: NDArray[np.float64]) -> Codes:
    """Return the codes of a softmax: log2 with threshold 1.5 (docs/numerics.md), or rounded."""
    q = PROBABILITIES[encoding]
    if encoding == "log2":
        levels = np.floor(np.log2(4.0 / (3.0 * probabilities)))
        return np.clip(levels, q.qmin, q.qmax).astype(np.int64)
    return q.quantize(probabilities)


@cache
def rows(tokens: int, seed: int = 6) -> tuple[NDArray[np.float64], Codes]:
    """Return probabilities (B, 1, N, 1, N) and value codes (B, 1, N, DEPTH): N rows per spread.

    Scores and values are normal; a value code has a standard deviation of 40.
    """
    rng = np.random.default_rng(seed)
    deviation = np.array(SPREADS).reshape(-1, 1, 1, 1, 1)
    scores = deviation * rng.standard_normal((len(SPREADS), 1, tokens, 1, tokens))
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=-1, keepdims=True)
    real = VALUE.zero_point[0] + 40.0 * rng.standard_normal((len(SPREADS), 1, tokens, DEPTH))
    return probabilities, np.clip(np.rint(real), VALUE.qmin, VALUE.qmax).astype(np.int64)


def errors(encoding: str, tokens: int) -> tuple[float, float]:
    """Return the worst and the mean distance from sums with float probabilities.

    Distances are in steps of the output.
    """
    probabilities, value = rows(tokens)
    found = operation(encoding).reference(probability_codes(encoding, probabilities), value)
    exact = np.einsum("bpihj,bpjc->bpic", probabilities, value - float(VALUE.zero_point[0]))
    distance = np.abs(VALUE.dequantize(found) - exact)
    return float(distance.max()), float(distance.mean())
