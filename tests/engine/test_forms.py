"""What the engine cannot compute is refused by the name of its node, with what was wanted."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Literal

import numpy as np
import pytest

from hyq_hls import ops
from hyq_hls.engine.forms import execute, form_of, forms_of
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import Encoding
from tests.engine.graphs import check_graph, graph_of

BYTE = Quantization(8, False)
ONE = np.ones(1, np.int64)


def to(shift: int = 8, bits: int = 8, multiplier: int = 1) -> Requantize:
    return Requantize(Quantization(bits, True), np.array([shift]), np.array([multiplier]))


def image(channels: int = 4, bits: int = 8) -> TensorType:
    return TensorType((2, 2, channels), Quantization(bits, False))


def dense(channels: int, weight: int, bias: int = 0, shift: int = 20, bits: int = 8) -> Graph:
    """One output channel, whose weights are all the same."""
    weights = np.full((1, channels), weight)
    operation = ops.Dense(weights, 48, np.array([bias]), to(shift))
    return graph_of(operation, image(channels, bits))


def depthwise(weight: int, bits: int = 8) -> Graph:
    weights = np.full((4, 1, 1), weight)
    bias = np.zeros(4, np.int64)
    operation = ops.DepthwiseConv2d(weights, 16, bias, (1, 1), (0, 0), (0,), to(12))
    return graph_of(operation, image(bits=bits))


def window(height: int) -> Graph:
    x = TensorType((height, 1, 1), BYTE)
    return graph_of(ops.GlobalAveragePool((0,), to()), x)


def add(bits: int, other: int) -> Graph:
    graph = Graph("x", image(bits=bits))
    graph.add("r", ops.RequantizeTensor((0,), to(bits=other)), "x")
    one = np.ones(1, np.int64)
    graph.add("y", ops.Add((one, one), ((0,), (0,)), to()), "x", "r")
    return graph


def table(bits: int, out: int) -> Graph:
    values = np.zeros(1 << bits, np.int64)
    return graph_of(ops.Table(values, Quantization(out, False)), image(bits=bits))


def swish(bits: int, precision: int, shift: int) -> Graph:
    """A Shift-Swish whose channels have multipliers of their own."""
    requantize = Requantize(Quantization(8, True), np.array([shift]), np.arange(1, 5))
    return graph_of(ops.ShiftSwish(4, 0, precision, requantize), image(bits=bits))


def norm(bits: int = 8, gamma_bits: int = 8, beta_bits: int = 17, **changes: int) -> Graph:
    gamma: Codes = np.ones(4, np.int64)
    t, n, f = ops.layer_norm.layer_norm_precision(image(bits=bits), gamma - 1, 5)
    requantize = to(**{"shift": 12, **changes})
    operation = ops.LayerNorm(
        gamma - 1, (0,), 5, t, n, f, gamma, gamma, gamma_bits, beta_bits, requantize
    )
    return graph_of(operation, image(bits=bits))


def pair(bits: int = 8) -> Graph:
    """Two tensors of 12 positions; the second one has 3 of them."""
    x = TensorType((2, 6, 5), BYTE)
    graph = Graph("x", x)
    graph.add("a", ops.RequantizeTensor((0,), to(bits=bits)), "x")
    graph.add("b", ops.SelectPositions((0,), (0, 2, 4)), "x")
    return graph


def multiply(bits: int = 8, second: str = "x") -> Graph:
    graph = pair(bits)
    graph.add("y", ops.Multiply(((0,), (0,)), to()), "a", second)
    return graph


def pool(bits: int) -> Graph:
    return graph_of(ops.MaxPool((2, 2), (1, 1), (0, 0), (0,)), image(bits=bits))


def transposed(bits: int) -> Graph:
    return graph_of(ops.Transpose(), image(bits=bits))


def maximum(bits: int) -> Graph:
    graph = pair()
    graph.add("y", ops.Maximum((ONE, ONE), ((0,), (0,)), to(bits=bits)), "a", "x")
    return graph


def summands(bits: int = 8, factor: int = 1, reach: int = 1 << 20) -> Graph:
    """A factor, and a summand for every position."""
    bias = np.arange(4 * 4).reshape(4, 4) * (reach // 15)
    return graph_of(ops.ChannelAffine(np.array([factor]), 16, bias, to(16)), image(bits=bits))


def attention(
    query: int = 8,
    key: int = 8,
    value: int = 8,
    zero: int = 0,
    channels: int = 4,
    tokens: int = 4,
    kind: Literal["log2", "uniform"] = "log2",
    bits: int = 4,
) -> Graph:
    """Scores, a softmax and values of some tokens, whose operands have these bits."""
    graph = Graph("x", TensorType((1, tokens, channels), BYTE))
    for name, width in (("query", query), ("key", key), ("value", value)):
        requantize = Requantize(
            Quantization(width, False, zero_point=(zero if name == "query" else 0,)),
            np.array([0]),
            np.array([1]),
        )
        graph.add(name, ops.RequantizeTensor((0,), requantize), "x")
    graph.add("scores", ops.AttentionScores(1, (zero, 0), to(24)), "query", "key")
    graph.add("softmax", ops.LinearSoftmax(4, 12, bits, kind), "scores")
    encoding: Encoding = "log2" if kind == "log2" else "affine"
    graph.add("values", ops.AttentionValues(1, (0,), encoding, bits, to()), "softmax", "value")
    return graph


def probabilities(bits: int) -> Graph:
    graph = attention(kind="uniform", bits=bits)
    assert graph.type("softmax").quantization.bits == bits
    return graph


REFUSED: tuple[tuple[Callable[[], Graph], str], ...] = (
    (lambda: dense(1, 1, bias=1 << 48), r"y: biases in \[\d+, \d+\] of 49 bits; the engine adds"),
    (lambda: dense(1, 1, 1 << 31, 0), r"y: biases in \[2147483648, 2147483648\] of 33 bits"),
    (lambda: dense(5000, 2047), r"y: sums in \[-\d+, 26\d{8}\] of 33 bits; the engine adds in 32"),
    (lambda: dense(4000, 2047, 10**8), r"y: sums with their biases in \[\d+, 2\d{9}\] of 33 bits"),
    (lambda: dense(1, -(1 << 40), shift=40), "y: weights of 6 bytes; the engine takes 4"),
    (lambda: dense(1, 128, bits=10), "y: codes of more than 8 bits meet weights of 2 bytes"),
    (lambda: dense(1, 257, bits=10), "y: codes of more than 8 bits meet weights of 2 bytes"),
    (lambda: depthwise(382, bits=10), "y: codes of more than 8 bits meet weights of 2 bytes"),
    (lambda: window(256), r"y: a window of \(256, 1\); the engine's have 255 taps"),
    (lambda: add(10, 8), "y: codes of more than 8 bits meet 2 inputs"),
    (lambda: add(8, 10), "y: codes of more than 8 bits meet 2 inputs"),
    (lambda: table(11, 8), "y: a table from 11 bits; the engine has tables from 10 bits at m"),
    (lambda: swish(11, 12, 16), "y: a table from 11 bits; the engine has tables from 10 bits at"),
    (lambda: norm(bits=9), "y: a LayerNorm with codes of 9 bits; the engine's unit has 8"),
    (lambda: norm(multiplier=3), "y: a LayerNorm whose output has a real scale; the engine's"),
    (lambda: norm(gamma_bits=17), "y: a LayerNorm with gammas of 17 and betas of 17 bits; the"),
    (lambda: norm(beta_bits=33), "y: a LayerNorm with gammas of 8 and betas of 33 bits; the"),
    (lambda: norm(shift=57), r"y: a LayerNorm with shifts in \[57, 57\]; the engine shifts by -7"),
    (lambda: maximum(10), "y: a maximum of 10 bits; the engine compares 8 bits; quantize its out"),
    (lambda: pool(9), "y: max pooling of 9 bits; the engine compares 8 bits; quantize its input"),
    (lambda: transposed(9), "y: transposed codes of 9 bits; the engine takes 8 bits there; quant"),
    (lambda: multiply(10), "y: factors of 10 bits; the engine takes 8 bits there; quantize this"),
    (lambda: multiply(second="b"), r"y: a factor for 4 positions each of \(2, 6, 5\); the engine"),
    (lambda: summands(bits=9), "y: codes of 9 bits and factors from 1 to 1 meet a summand for"),
    (lambda: summands(factor=382), "y: codes of 8 bits and factors from 382 to 382 meet a summand"),
    (
        lambda: summands(reach=1 << 33),
        r"y: summands in \[0, \d+\] of 34 bits; the engine adds in 32",
    ),
    (lambda: probabilities(14), "softmax: a softmax from 8 to 14 bits; .* softmax='log2'"),
    (
        lambda: attention(tokens=1025),
        "softmax: a softmax over 1025 scores; the engine's unit takes",
    ),
    (lambda: attention(query=10), "scores: queries of 10 bits; the engine takes 8 bits there"),
    (lambda: attention(key=9), "scores: keys of 9 bits; the engine takes 8 bits there"),
    (lambda: attention(value=9), "values: values of 9 bits; the engine takes 8 bits there"),
    (lambda: attention(channels=1 << 16), r"scores: sums of attention with their .* of 33 bits"),
)


@pytest.mark.parametrize(("build", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_what_the_engine_cannot_compute_is_refused(
    build: Callable[[], Graph], message: str
) -> None:
    with pytest.raises(ConversionError, match=message):
        forms_of(build())


@pytest.mark.parametrize(
    "build",
    [
        lambda: dense(4000, 2047),
        lambda: dense(1, 1 << 22),
        lambda: dense(1, 127, bits=10),
        lambda: depthwise(381, bits=10),
        lambda: window(255),
        lambda: table(10, 16),
        lambda: swish(10, 20, 16),
        lambda: norm(gamma_bits=16, beta_bits=32),
        lambda: probabilities(12),
        lambda: attention(tokens=1024),
        lambda: maximum(8),
        lambda: pool(8),
        lambda: transposed(8),
        multiply,
        lambda: summands(factor=381),
        lambda: summands(reach=1 << 29),
    ],
)
def test_what_just_fits_is_taken(build: Callable[[], Graph]) -> None:
    graph = build()
    assert forms_of(graph).keys() == graph.nodes.keys()


@pytest.mark.slow
@pytest.mark.parametrize("bits", [2, 8, 16])
def test_every_shift_of_a_requantization_has_its_fields(bits: int) -> None:
    """Also those of an average whose channels are all but zero, or far beyond the codes."""
    rng = np.random.default_rng(bits)
    shifts = np.array([-30, -25, -17, -16, -15, -9, -8, -7, 0, 1, 31, 55, 56, 57, 58, 62])
    x = TensorType((3, 5, shifts.size), Quantization(4, False, zero_point=(8,)))
    for multiplier in (1, 2, 3, 255, 1 << 15, (1 << 16) - 1):
        out = Quantization(bits, False, zero_point=(int(rng.integers(1 << bits)),))
        requantize = Requantize(out, shifts, np.array([multiplier]))
        graph = graph_of(ops.GlobalAveragePool((8,), requantize), x)
        for codes in (
            np.full(x.shape, 8),
            rng.integers(0, 16, x.shape),
            rng.integers(7, 9, x.shape),
        ):
            check_graph(graph, codes, Sizes(pixels=2))


def test_a_branch_far_below_the_other_one_rounds_ties() -> None:
    """All pairs of codes, on either side of every step and of every tie between two steps."""
    pairs = np.stack(np.meshgrid(np.arange(-8, 8), np.arange(-8, 8)), axis=-1).reshape(1, -1, 2)
    narrow = Quantization(4, True)
    for exponent, small, zero in product((0, 3, 4, 5, 8, 12, 40, 45), (1, 3, 128), (-8, 0, 7)):
        shifts = np.arange(max(exponent - 8, -7), min(exponent + 14, 57))
        graph = Graph("x", TensorType(pairs.shape, narrow))
        for name, weight, middle in (("a", [1, 0], zero), ("b", [0, 1], 0)):
            same = Requantize(Quantization(4, True, zero_point=(middle,)), 0 * ONE, ONE)
            weights, bias = np.tile(weight, (shifts.size, 1)), np.full(shifts.size, -middle)
            graph.add(name, ops.Dense(weights, 2, bias, same), "x")
        out = Requantize(Quantization(8, True, zero_point=(5,)), shifts, ONE)
        factors = [np.array([1 << exponent]), np.array([small])]
        graph.add("y", ops.Add(tuple(factors), ((zero,), (0,)), out), "a", "b")
        graph.add("z", ops.Add(tuple(factors[::-1]), ((zero,), (0,)), out), "a", "b")
        expected = dict(graph.reference(pairs[None]))
        for name in "yz":
            node = graph.nodes[name]
            found = execute(graph, node, form_of(graph, node), expected["a"], expected["b"])
            assert np.array_equal(found, expected[name]), (exponent, small, zero, name)


def test_a_large_bias_is_part_of_the_zero_point() -> None:
    """A layer behind one that gives nothing has a bias of more bits than the engine's sums."""
    rng = np.random.default_rng(0)
    shifts = np.arange(14, 32)
    out = Quantization(8, True, zero_point=(-20,))
    x = TensorType((4, 4, 9), BYTE)
    for middle in (-108, 0, 50, 147, 9000):
        bias = (middle << shifts) + rng.integers(-(1 << 12), 1 << 12, shifts.size)
        weight = rng.integers(-127, 128, (shifts.size, 9))
        requantize = Requantize(out, shifts, np.array([1]))
        graph = graph_of(ops.Dense(weight, 8, bias, requantize), x)
        check_graph(graph, rng.integers(0, 256, x.shape), Sizes(pixels=2))
