"""Sums behind a softmax are bounded by the sum of its row, so that float32 holds them."""

from __future__ import annotations

import numpy as np
import pytest

from hyq_hls import ops
from hyq_hls.emulate import Emulator
from hyq_hls.emulate.attention import bounds_behind_softmax
from hyq_hls.emulate.exact import exact_dtype, magnitude
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops.softmax import Softmax

SCORE_BITS, KEYS, HEADS = 6, 24, 2


def softmax(kind: str, bits: int, rng: np.random.Generator) -> Softmax:
    if kind.startswith("linear"):
        output = kind.removeprefix("linear ")
        return ops.LinearSoftmax(3, bits + 4, bits, output)  # type: ignore[arg-type]
    table = np.sort(rng.integers(0, 1 << 20, 1 << SCORE_BITS))[::-1].copy()
    table[40:] = 0
    return ops.TableSoftmax(table, bits, kind.removeprefix("table "))  # type: ignore[arg-type]


def extreme_scores(rng: np.random.Generator) -> np.ndarray:
    """Rows of equal scores, of one that is far above, of two levels, and random rows."""
    scores = rng.integers(0, 1 << SCORE_BITS, (40, 1, KEYS, HEADS, KEYS))
    scores[0] = 5
    scores[1] = 0
    scores[1, ..., 3] = (1 << SCORE_BITS) - 1
    for i in range(2, KEYS):
        scores[i] = np.where(np.arange(KEYS) < i, 40, rng.integers(20, 41))
    return scores


KINDS = ("linear log2", "linear uniform", "table log2", "table log2_rounded", "table uniform")
#: Kinds and bits; a power of two of more than 5 bits has no room in 62 bits.
CASES = [
    (kind, bits) for kind in KINDS for bits in (3, 4, 8, 12, 16) if "log2" not in kind or bits <= 5
]


@pytest.mark.parametrize(("kind", "bits"), CASES)
def test_values_behind_a_softmax(kind: str, bits: int) -> None:
    """No sum leaves the bounds, and emulation and reference agree on every code."""
    rng = np.random.default_rng(bits)
    operation = softmax(kind, bits, rng)
    value = TensorType((1, KEYS, 8), Quantization(8, False, zero_point=(37,)))
    p = operation.quantization
    out = Requantize(Quantization(8, True), np.array([max(0, bits - 1)]), np.array([1]))
    sums = ops.AttentionValues(HEADS, (37,), p.encoding, bits, out)
    bounds = bounds_behind_softmax(sums, operation, value)
    codes = operation.reference(extreme_scores(rng))
    weights = codes if p.encoding == "affine" else np.where(
        codes < p.qmax, 1 << np.maximum(p.qmax - 1 - codes, 0), 0
    )  # fmt: skip
    rows = int(weights.sum(axis=-1).max())
    assert bounds.low <= -37 * rows
    assert bounds.high >= 218 * rows

    graph = Graph("x", TensorType((1, KEYS, HEADS, KEYS), Quantization(SCORE_BITS, False)))
    graph.add("p", operation, "x")
    graph.add("v", ops.Constant(rng.choice([0, 255], value.shape), value.quantization))
    graph.add("y", sums, "p", "v")
    scores = extreme_scores(rng)
    emulated = dict(Emulator(graph).trace(scores))
    for name, expected in graph.reference(scores):
        assert np.array_equal(emulated[name], expected), name


def test_rows_of_4096_keys_need_float32_only() -> None:
    """Alone, 4,096 products of 12 and 8 bits reach 2**32."""
    operation = ops.LinearSoftmax(3, 16, 12, "uniform")
    value = TensorType((1, 4096, 16), Quantization(8, True))
    out = Requantize(Quantization(8, True), np.array([12]), np.array([1]))
    sums = ops.AttentionValues(1, (0,), "affine", 12, out)
    bounds = bounds_behind_softmax(sums, operation, value)
    assert magnitude(bounds) == 128 * (4096 + 2048)
    assert exact_dtype(magnitude(bounds)) != exact_dtype(1 << 32)
