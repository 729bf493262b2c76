"""Every operation with random shapes, widths and extremes: form, program, reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hyq_hls import ops
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops.layer_norm import layer_norm_precision
from tests.engine.attention_graphs import biased_attention, scaled_scores, talking_heads
from tests.engine.family_graphs import (
    average_pool,
    channel_affine,
    grouped_conv2d,
    joined,
    large_pool,
    max_pool,
    maximum,
    multiply,
    permuted,
    position_constants,
    selected,
    small_branch,
    turned,
    upsample,
)
from tests.engine.graphs import (
    check_graph,
    graph_of,
    random_codes,
    random_geometry,
    random_pair,
    random_requantize,
    random_type,
    random_weights,
    small_sizes,
)

Rng = np.random.Generator
_ANY_SUM = Bounds(-(1 << 21), 1 << 21)


def dense(rng: Rng) -> Graph:
    x = random_type(rng, tuple(rng.integers(1, 40, 3)), int(rng.choice([4, 8, 10])))
    outputs, bits = int(rng.integers(1, 40)), 8 if x.quantization.bits > 8 else 12
    weight = random_weights(rng, outputs, x.channels, bits=int(rng.choice([2, 8, bits])))
    bias = rng.integers(-5000, 5000, outputs)
    out = random_type(rng, (outputs,), int(rng.choice([5, 8, 16]))).quantization
    operation = ops.Dense(weight, 12, bias, random_requantize(rng, outputs, _ANY_SUM, out))
    return graph_of(operation, x)


def large_bias(rng: Rng) -> Graph:
    """A layer whose bias has more bits than all of its products, and is part of the zero point."""
    x = random_type(rng, (*map(int, rng.integers(1, 9, 2)), 5), 8)
    channels, out = int(rng.integers(1, 20)), random_type(rng, (1,), 8).quantization
    shift = rng.integers(14, 32, channels)
    steps = rng.integers(out.qmin - out.zero_point[0], 400, channels)
    bias = (steps << shift) + rng.integers(-9999, 9999, channels)
    weight = random_weights(rng, channels, x.channels)
    operation = ops.Dense(weight, 8, bias, Requantize(out, shift, np.ones(1, np.int64)))
    return graph_of(operation, x)


def conv2d(rng: Rng) -> Graph:
    return _convolution(rng, depthwise=False)


def depthwise_conv2d(rng: Rng) -> Graph:
    return _convolution(rng, depthwise=True)


def _convolution(rng: Rng, depthwise: bool) -> Graph:
    shape = (*rng.integers(2, 12, 2), rng.integers(1, 36))
    x = random_type(rng, tuple(map(int, shape)), int(rng.choice([3, 8, 12])))
    geometry = random_geometry(rng, x)
    kernel = geometry.pop("window")
    outputs = x.channels if depthwise else int(rng.integers(1, 36))
    weight = random_weights(rng, outputs, *kernel, *(() if depthwise else (x.channels,)))
    cls = ops.DepthwiseConv2d if depthwise else ops.Conv2d
    operation = cls(
        weight,
        8,
        rng.integers(-5000, 5000, outputs),
        geometry["stride"],
        geometry["padding"],
        x.quantization.zero_point,
        random_requantize(rng, outputs, Bounds(-(1 << 16), 1 << 16)),
        dilation=geometry["dilation"],
    )
    return graph_of(operation, x)


def add(rng: Rng) -> Graph:
    channels = int(rng.integers(1, 40))
    graph = random_pair(rng, (channels, channels))
    high = int(rng.choice([2, 128, 1 << 14]))
    factors = tuple(rng.integers(1, high, rng.choice([1, channels])) for _ in range(2))
    zeros = tuple(graph.type(name).quantization.zero_point for name in "ab")
    bound = Bounds(-512 * high, 512 * high)
    requantize = random_requantize(rng, channels, bound)
    graph.add("y", ops.Add(factors, zeros, requantize), "a", "b")
    return graph


def concat(rng: Rng) -> Graph:
    channels = tuple(int(c) for c in rng.integers(1, 30, 2))
    graph = random_pair(rng, (channels[0], channels[1]), int(rng.choice([8, 10])))
    found = []
    bits, signed = int(rng.integers(4, 9)), bool(rng.integers(2))
    for count in channels:
        q = Quantization(bits, signed, zero_point=(int(rng.integers(0, 1 << (bits - 1))),))
        found.append(random_requantize(rng, count, Bounds(-256, 256), q))
    zeros = tuple(graph.type(name).quantization.zero_point for name in "ab")
    graph.add("y", ops.Concat((found[0], found[1]), (zeros[0], zeros[1])), "a", "b")
    return graph


def functions(rng: Rng) -> Graph:
    """Two tables: one behind a sum, one behind a table."""
    x = random_type(rng, (*map(int, rng.integers(1, 9, 2)), 7), 8)
    bits = int(rng.choice([6, 8, 10]))
    hidden = random_type(rng, (13,), bits).quantization
    weight = random_weights(rng, 13, 7)
    requantize = random_requantize(rng, 13, Bounds(-(1 << 17), 1 << 17), hidden)
    graph = graph_of(ops.Dense(weight, 8, rng.integers(-99, 99, 13), requantize), x)
    for name, source, q in (("t", "y", hidden), ("u", "t", Quantization(8, True))):
        # Codes of more than eight bits have a table for every byte.
        out = Quantization(8 if name == "t" else int(rng.choice([8, 9, 13, 16])), name == "t")
        values = rng.integers(out.qmin, out.qmax + 1, 1 << q.bits)
        graph.add(name, ops.Table(values, out, q.qmin), source)
    return graph


def shift_swish(rng: Rng) -> Graph:
    """Functions with an output scale for each channel: behind a sum, and behind each other."""
    x = random_type(rng, (*map(int, rng.integers(1, 12, 2)), 7), 8)
    channels, shifts = int(rng.integers(2, 30)), bool(rng.integers(2))
    weight = random_weights(rng, channels, 7)
    hidden = random_type(rng, (channels,), int(rng.choice([5, 8, 10])), False).quantization
    requantize = random_requantize(rng, channels, Bounds(-(1 << 17), 1 << 17), hidden)
    graph = graph_of(ops.Dense(weight, 8, np.zeros(channels, np.int64), requantize), x)
    for name, source in (("s", "y"), ("t", "s")):
        q = graph.type(source).quantization
        out = random_type(rng, (channels,), int(rng.choice([8, 8, 10])), name == "t").quantization
        fraction, precision = int(rng.integers(0, 8)), int(rng.choice([8, 12, 14]))
        shift = q.bits + precision - out.bits - rng.integers(0, 4, channels)
        multiplier = np.ones(channels, np.int64)
        if not shifts:
            multiplier = rng.integers(1 << 14, 1 << 16, channels)
            shift = shift + 15
        to = Requantize(out, shift, multiplier)
        graph.add(name, ops.ShiftSwish(fraction, q.zero_point[0], precision, to), source)
    return graph


def requantized_pool(rng: Rng) -> Graph:
    shape = (*map(int, rng.integers(1, 9, 2)), int(rng.integers(1, 40)))
    x = random_type(rng, shape, int(rng.choice([4, 8, 10])))
    graph = Graph("x", x)
    first = random_requantize(rng, x.channels, Bounds(-1024, 1024))
    graph.add("r", ops.RequantizeTensor(x.quantization.zero_point, first), "x")
    pooled = random_requantize(rng, x.channels, Bounds(-(1 << 13), 1 << 13))
    graph.add("y", ops.GlobalAveragePool(first.quantization.zero_point, pooled), "r")
    return graph


def patches(rng: Rng) -> Graph:
    ph, pw, rows, columns = (int(n) for n in rng.integers(1, 4, 4))
    x = random_type(rng, (ph * rows, pw * columns * 2, int(rng.integers(1, 20))))
    graph = Graph("x", x)
    graph.add("tokens", ops.Unfold((ph, pw)), "x")
    graph.add("map", ops.Fold((ph, pw), *x.shape[:2]), "tokens")
    return graph


def layer_norm(rng: Rng) -> Graph:
    channels = int(rng.integers(2, 70))
    x = random_type(rng, (*map(int, rng.integers(1, 12, 2)), channels), 8)
    factor, epsilon = rng.integers(0, 4, channels), int(rng.integers(1, 1000))
    t, n, f = layer_norm_precision(x, factor, epsilon)
    out = random_type(rng, (channels,)).quantization
    requantize = Requantize(out, rng.integers(11, 15, channels), np.ones(1, np.int64))
    gamma, beta = (rng.integers(-(1 << b), 1 << b, channels) for b in (7, 16))
    zero = x.quantization.zero_point
    operation = ops.LayerNorm(factor, zero, epsilon, t, n, f, gamma, beta, 8, 17, requantize)
    return graph_of(operation, x)


def attention(rng: Rng) -> Graph:
    heads, size = int(rng.integers(1, 4)), int(rng.integers(1, 24))
    pixels, tokens, channels = int(rng.integers(1, 3)), int(rng.integers(1, 30)), heads * size
    x = random_type(rng, (pixels, tokens, channels), 8)
    graph = Graph("x", x)
    for name in ("query", "key", "value"):
        bits = int(rng.choice([5, 8]))
        out = random_type(rng, (channels,), bits, per_channel=name == "value").quantization
        weight = random_weights(rng, channels, channels)
        requantize = random_requantize(rng, channels, Bounds(-(1 << 19), 1 << 19), out)
        graph.add(name, ops.Dense(weight, 8, np.zeros(channels, np.int64), requantize), "x")
    zeros = tuple(graph.type(name).quantization.zero_point[0] for name in ("query", "key"))
    out = random_type(rng, (1,), 8).quantization
    bound = Bounds(-(size << 14), size << 14)
    scores = ops.AttentionScores(heads, (zeros[0], zeros[1]), random_requantize(rng, 1, bound, out))
    graph.add("scores", scores, "query", "key")
    graph.add("softmax", _softmax(rng), "scores")
    q = graph.type("softmax").quantization
    value = graph.type("value").quantization
    top = tokens << (q.qmax + 6 if q.encoding == "log2" else q.bits + 6)
    values = ops.AttentionValues(
        heads,
        value.zero_point,
        q.encoding,
        q.bits,
        random_requantize(rng, channels, Bounds(-top, top)),
    )
    graph.add("values", values, "softmax", "value")
    return graph


def _softmax(rng: Rng) -> ops.LinearSoftmax | ops.TableSoftmax:
    kind = int(rng.integers(4))
    if kind == 0:
        return ops.LinearSoftmax(4, 17, int(rng.integers(2, 5)), "log2")
    if kind == 1:
        return ops.LinearSoftmax(4, 12, int(rng.choice([4, 8, 10, 12])), "uniform")
    table = np.sort(rng.integers(0, 1 << 32, 256))[::-1]
    if kind == 2:
        return ops.TableSoftmax(table, 4, "log2_rounded")
    return ops.TableSoftmax(table, int(rng.choice([7, 9])), "uniform")


CASES: tuple[Callable[[Rng], Graph], ...] = (
    dense,
    large_bias,
    conv2d,
    depthwise_conv2d,
    add,
    small_branch,
    concat,
    functions,
    shift_swish,
    requantized_pool,
    patches,
    layer_norm,
    attention,
    channel_affine,
    position_constants,
    average_pool,
    biased_attention,
    talking_heads,
    scaled_scores,
    upsample,
    grouped_conv2d,
    selected,
    permuted,
    joined,
    multiply,
    maximum,
    max_pool,
    large_pool,
    turned,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_forms_and_programs_equal_the_reference(case: Callable[[Rng], Graph]) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        graph = case(rng)
        check_graph(graph, random_codes(rng, graph.input_type), small_sizes(rng))


def test_factors_of_many_channels_are_moved_in_parts() -> None:
    """Also by factors that are as far from zero as a code can be, on either side."""
    rng, channels = np.random.default_rng(0), 270
    for zeros in ((0, 0), (0, 255), (255, 0), (128, 127)):
        graph = Graph("x", TensorType((2, 3, 3), Quantization(8, False)))
        for name, zero in zip("ab", zeros, strict=True):
            out = Quantization(8, False, zero_point=(zero,))
            to = Requantize(out, np.array([0]), np.array([1]))
            weight = rng.integers(-2, 3, (channels, 3))
            graph.add(name, ops.Dense(weight, 8, np.zeros(channels, np.int64), to), "x")
        one = random_requantize(rng, channels, Bounds(-(1 << 10), 1 << 10))
        graph.add("g", ops.GlobalAveragePool((zeros[1],), one), "b")
        factors = graph.type("g").quantization.zero_point
        last = random_requantize(rng, channels, Bounds(-(1 << 16), 1 << 16))
        graph.add("y", ops.Multiply(((zeros[0],), factors), last), "a", "g")
        check_graph(graph, rng.integers(0, 256, (2, 3, 3)), Sizes(pixels=4))


@pytest.mark.slow
@pytest.mark.parametrize("pixels", [2, 4, 8])
@pytest.mark.parametrize("stride", [1, 2])
def test_rows_that_do_not_fit_are_split(pixels: int, stride: int) -> None:
    """A tile in the middle of a row has columns on both sides, and may begin in any bank."""
    rng = np.random.default_rng(pixels + stride)
    for columns in range(31, 70, 3):
        x = random_type(rng, (3, columns, 8), 8)
        requantize = random_requantize(rng, 3, Bounds(-(1 << 17), 1 << 17))
        zero = x.quantization.zero_point
        operation = ops.Conv2d(
            random_weights(rng, 3, 3, 3, 8),
            8,
            np.zeros(3, np.int64),
            (stride, stride),
            (1, 1),
            zero,
            requantize,
        )
        graph = graph_of(operation, x)
        check_graph(graph, random_codes(rng, x), Sizes(pixels=pixels, feature_words=40))
