"""A small graph around every operation, for tests that go over all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hyq_hls import ops
from hyq_hls.graph import Graph, Operation, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops.group_norm import group_norm_precision
from hyq_hls.ops.layer_norm import layer_norm_precision

BYTE = Quantization(8, False, (2.0**-6,), (128,))
MAP = TensorType((4, 6, 3), BYTE)
TOKENS = TensorType((4, 6, 4), BYTE)


def example_graph(name: str, rng: np.random.Generator) -> Graph:
    """A valid graph whose last node is operation ``name`` with random parameters."""
    return EXAMPLES[name](rng)


def requantize(
    rng: np.random.Generator, channels: int = 1, shift: int = 8, dyadic: bool = False
) -> Requantize:
    """To random 8-bit codes, with one entry or one per channel."""
    zero_point = tuple(rng.integers(0, 256, channels).tolist())
    q = Quantization(8, False, (0.25,) * channels, zero_point)
    multiplier = rng.integers(1, 1 << 16, channels) if dyadic else np.ones(channels, np.int64)
    return Requantize(q, rng.integers(shift, shift + 3, channels) + 15 * dyadic, multiplier)


def _single(x: TensorType, operation: Operation) -> Graph:
    graph = Graph("x", x)
    graph.add(f"op.{operation.name}", operation, "x")
    return graph


def _dense(rng: np.random.Generator, channels: int, out: Requantize) -> ops.Dense:
    size = max(out.channels, 4)
    return ops.Dense(
        rng.integers(-128, 128, (size, channels)), 8, rng.integers(-999, 1000, size), out
    )


def _pair(x: TensorType, rng: np.random.Generator) -> tuple[Graph, Requantize, Requantize]:
    """A graph with operands ``a`` and ``b`` of four channels and different zero points."""
    graph = Graph("x", x)
    both = requantize(rng), requantize(rng)
    for name, out in zip("ab", both, strict=True):
        graph.add(name, _dense(rng, x.channels, out), "x")
    return graph, *both


def _add(rng: np.random.Generator) -> Graph:
    graph, a, b = _pair(MAP, rng)
    zeros = a.quantization.zero_point, b.quantization.zero_point
    multipliers = rng.integers(1, 9, 4), rng.integers(1, 9, 1)
    graph.add("sum", ops.Add(multipliers, zeros, requantize(rng, 4, 2)), "a", "b")
    return graph


def _maximum(rng: np.random.Generator) -> Graph:
    graph, a, b = _pair(MAP, rng)
    zeros = a.quantization.zero_point, b.quantization.zero_point
    multipliers = rng.integers(1, 9, 4), rng.integers(1, 9, 1)
    graph.add("larger", ops.Maximum(multipliers, zeros, requantize(rng, 4, 2)), "a", "b")
    return graph


def _constant(rng: np.random.Generator) -> Graph:
    """Learned factors of positions and channels; an operation without inputs ends no graph."""
    graph = Graph("x", MAP)
    graph.add("learned", ops.Constant(rng.integers(0, 256, MAP.shape), BYTE))
    graph.add("op", ops.Multiply(((128,), (128,)), requantize(rng, 3)), "x", "learned")
    return graph


def _multiply(rng: np.random.Generator) -> Graph:
    graph, a, b = _pair(MAP, rng)
    zeros = a.quantization.zero_point, b.quantization.zero_point
    gate = Requantize(Quantization(8, False, (2.0**-8,)), np.array([3]), np.array([1]))
    graph.add("pool", ops.GlobalAveragePool(zeros[1], gate), "b")
    graph.add("product", ops.Multiply((zeros[0], (0,)), requantize(rng, 4)), "a", "pool")
    return graph


def _concat(rng: np.random.Generator) -> Graph:
    graph, a, b = _pair(MAP, rng)
    zeros = a.quantization.zero_point, b.quantization.zero_point
    out = Quantization(8, False, (0.5,), (7,))
    parts = (
        Requantize(out, rng.integers(-1, 2, 4), np.array([1])),
        Requantize(out, np.array([15]), rng.integers(1, 1 << 16, 4)),
    )
    graph.add("join", ops.Concat(parts, zeros), "a", "b")
    return graph


def _concat_constant(rng: np.random.Generator) -> Graph:
    graph, out = Graph("x", TOKENS), requantize(rng, 4, 0)
    constant = rng.integers(0, 256, (2, 4))
    graph.add("first", ops.ConcatConstant(constant, True, (128,), out), "x")
    zero, same = out.quantization.zero_point, Requantize(BYTE, np.array([0]), np.array([1]))
    graph.add("last", ops.ConcatConstant(constant[:1], False, zero, same), "first")
    return graph


def _concat_positions(rng: np.random.Generator) -> Graph:
    graph, a, b = _pair(TOKENS, rng)
    zeros = a.quantization.zero_point[:1], b.quantization.zero_point[:1]
    parts = (
        Requantize(BYTE, np.array([0]), np.array([1])),
        Requantize(BYTE, np.array([15]), rng.integers(1, 1 << 16, 1)),
    )
    graph.add("join", ops.ConcatPositions(parts, zeros, 1), "a", "b")
    return graph


def _scores(rng: np.random.Generator) -> Graph:
    graph, a, b = _pair(TOKENS, rng)
    zeros = a.quantization.zero_point[0], b.quantization.zero_point[0]
    graph.add("scores", ops.AttentionScores(2, zeros, requantize(rng, 1, 6)), "a", "b")
    return graph


def _values(rng: np.random.Generator) -> Graph:
    graph = _scores(rng)
    graph.add("softmax", ops.LinearSoftmax(4, 17, 4, "log2"), "scores")
    zeros = graph.type("b").quantization.zero_point
    values = ops.AttentionValues(2, zeros, "log2", 4, requantize(rng, 4, 12))
    graph.add("values", values, "softmax", "b")
    return graph


def _conv2d(rng: np.random.Generator) -> Graph:
    weight, bias = rng.integers(-128, 128, (5, 3, 3, 3)), rng.integers(-9999, 9999, 5)
    out = requantize(rng, 5, 10, dyadic=True)
    return _single(MAP, ops.Conv2d(weight, 8, bias, (2, 1), (1, 1), (128,), out))


def _depthwise(rng: np.random.Generator) -> Graph:
    weight, bias = rng.integers(-128, 128, (3, 3, 3)), rng.integers(-9999, 9999, 3)
    out = requantize(rng, 3, 9)
    return _single(MAP, ops.DepthwiseConv2d(weight, 8, bias, (1, 2), (1, 1), (128,), out))


def _grouped(rng: np.random.Generator) -> Graph:
    weight, bias = rng.integers(-128, 128, (4, 3, 3, 2)), rng.integers(-9999, 9999, 4)
    out = requantize(rng, 4, 9)
    return _single(TOKENS, ops.GroupedConv2d(weight, 8, bias, (1, 2), (1, 1), (128,), out, 2))


def _average_pool(rng: np.random.Generator) -> Graph:
    graph, factor = Graph("x", MAP), np.rint(1024 / np.arange(1, 10)).astype(np.int64)
    rest = (1, 1), (1, 1), (128,), factor
    out = Requantize(BYTE, np.array([9]), np.array([1]))
    graph.add("mix", ops.AveragePool((3, 3), *rest, 1024, out), "x")
    pool = ops.AveragePool(
        (2, 3), (2, 1), (1, 1), (128,), rng.integers(1, 999, 6), 0, requantize(rng, 3, 8)
    )
    graph.add("pool", pool, "mix")
    return graph


def _channel_affine(rng: np.random.Generator) -> Graph:
    graph = Graph("x", MAP)
    weight, bias = rng.integers(-128, 128, 3), rng.integers(-9999, 9999, (1, 3))
    graph.add("scale", ops.ChannelAffine(weight, 8, bias, requantize(rng, 3, 7)), "x")
    rows = rng.integers(-999, 999, (24, 3))
    graph.add("embed", ops.ChannelAffine(np.array([4]), 4, rows, requantize(rng, 1, 2)), "scale")
    return graph


def _fold(rng: np.random.Generator) -> Graph:
    graph = _single(MAP, ops.Unfold((2, 3)))
    graph.add("fold", ops.Fold((2, 3), 4, 6), "op.unfold")
    return graph


def _upsample(rng: np.random.Generator) -> Graph:
    graph = _single(MAP, ops.Upsample("bilinear"))
    graph.add("nearest", ops.Upsample("nearest"), "op.upsample")
    return graph


def _layer_norm(rng: np.random.Generator) -> Graph:
    factors, epsilon = rng.integers(0, 4, 4), 5
    scales = tuple(float(2.0 ** (k - 6)) for k in factors)
    x = TensorType((4, 6, 4), Quantization(8, False, scales, (128,)))
    gamma, beta = rng.integers(-127, 128, 4), rng.integers(-(1 << 18), 1 << 18, 4)
    precision = layer_norm_precision(x, factors, epsilon)
    out = requantize(rng, 4, 5 + precision.normalized_bits)
    operation = ops.LayerNorm(factors, (128,), epsilon, *precision, gamma, beta, 8, 20, out)
    return _single(x, operation)


def _group_norm(rng: np.random.Generator) -> Graph:
    gamma, beta = rng.integers(-127, 128, 3), rng.integers(-(1 << 18), 1 << 18, 3)
    precision, out = group_norm_precision(MAP, 5), requantize(rng, 3, 17)
    return _single(MAP, ops.GroupNorm((128,), 5, *precision, gamma, beta, 8, 20, out))


def _separable_context(rng: np.random.Generator) -> Graph:
    graph = Graph("x", TOKENS)
    score = requantize(rng)
    layer = ops.Dense(rng.integers(-128, 128, (1, 4)), 8, rng.integers(-999, 1000, 1), score)
    graph.add("score", layer, "x")
    table = rng.integers(1, 1 << 12, 256)
    context = ops.SeparableContext(table, 0, 4, (128,), requantize(rng, 4, 3))
    graph.add("context", context, "score", "x")
    return graph


EXAMPLES: dict[str, Callable[[np.random.Generator], Graph]] = {
    "add": _add,
    "attention_scores": _scores,
    "attention_values": _values,
    "average_pool": _average_pool,
    "channel_affine": _channel_affine,
    "concat": _concat,
    "concat_constant": _concat_constant,
    "concat_positions": _concat_positions,
    "constant": _constant,
    "conv2d": _conv2d,
    "dense": lambda rng: _single(TOKENS, _dense(rng, 4, requantize(rng, 4, 8))),
    "depthwise_conv2d": _depthwise,
    "fold": _fold,
    "global_average_pool": lambda rng: _single(
        MAP, ops.GlobalAveragePool((128,), requantize(rng, 3, 4, dyadic=True))
    ),
    "group_norm": _group_norm,
    "grouped_conv2d": _grouped,
    "layer_norm": _layer_norm,
    "linear_softmax": lambda rng: _single(TOKENS, ops.LinearSoftmax(4, 12, 8, "uniform")),
    "maximum": _maximum,
    "max_pool": lambda rng: _single(MAP, ops.MaxPool((3, 2), (2, 1), (1, 1), (0,))),
    "multiply": _multiply,
    "permute_positions": lambda rng: _single(
        MAP, ops.PermutePositions(rng.permutation(24).reshape(3, 8))
    ),
    "requantize": lambda rng: _single(MAP, ops.RequantizeTensor((128,), requantize(rng, 3, 1))),
    "select_positions": lambda rng: _single(MAP, ops.SelectPositions((0, 3), (1, 2, 5))),
    "separable_context": _separable_context,
    "shift_swish": lambda rng: _single(MAP, ops.ShiftSwish(6, 128, 12, requantize(rng, 3, 12))),
    "table": lambda rng: _single(MAP, ops.Table(rng.integers(0, 256, 256), BYTE)),
    "table_softmax": lambda rng: _single(
        TOKENS, ops.TableSoftmax(1 + rng.integers(0, 1 << 18, 256), 4, "log2_rounded")
    ),
    "transpose": lambda rng: _single(TOKENS, ops.Transpose()),
    "unfold": lambda rng: _single(MAP, ops.Unfold((2, 3))),
    "upsample": _upsample,
}
