"""A small hybrid network with every operation, in both variants where it has two."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hyq_hls import ops
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops.group_norm import group_norm_precision
from hyq_hls.ops.layer_norm import layer_norm_precision
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.project import build_model

_ZERO = 100
_CODES = Quantization(8, False, (2.0**-4,), (_ZERO,))


def write_hybrid(folder: Path, seed: int | None = None) -> Path:
    """Write the HLS project of :func:`hybrid_graph`, with top function ``hybrid``.

    Args:
        folder: the project.
        seed: of random foldings, and so of width converters; one lane everywhere when None.
    """
    graph = hybrid_graph()
    flow = build_dataflow(graph, {} if seed is None else _random_foldings(graph, seed))
    build_model(flow, folder, "hybrid", "xc7z020clg400-1", 150).write()
    return folder


def _random_foldings(graph: Graph, seed: int) -> dict[str, Folding]:
    rng = np.random.default_rng(seed)
    foldings = {}
    for name, node in graph.nodes.items():
        legal = circuit_of(node.operation, *graph.input_types(node)).foldings
        foldings[name] = legal[rng.integers(len(legal))]
    return foldings


def hybrid_graph() -> Graph:
    """Convolutions, inverted residual, attentions, fusion, head: (4, 4, 3) to (5,)."""
    rng = np.random.default_rng(0)
    graph = Graph("image", TensorType((4, 4, 3), Quantization(8, False)))
    _convolutions(graph, rng)
    _attentions(graph, rng)
    zeros = (_ZERO,), (_ZERO,)
    _separable_attention(graph, np.random.default_rng(2))
    graph.add("map", ops.Fold((2, 2), 4, 4), "gated")
    graph.add("fusion", ops.Concat((_to(1), _to(2, dyadic=True)), zeros), "map", "residual1")
    graph.add("grid", ops.RequantizeTensor((_ZERO,), _to(1)), "fusion")
    _affines(graph, np.random.default_rng(1))
    graph.add("square", ops.Multiply(zeros, _to(6)), "embedding", "embedding")
    learned = np.random.default_rng(3).integers(0, 256, graph.type("square").shape)
    graph.add("learned", ops.Constant(learned, _CODES))
    factors = np.array([2]), np.array([3])
    graph.add("larger", ops.Maximum(factors, zeros, _to(1)), "square", "learned")
    factor = np.rint(2.0**15 / np.arange(1, 10)).astype(np.int64)
    window = (3, 3), (1, 1), (1, 1), (_ZERO,)
    graph.add("mean", ops.AveragePool(*window, factor, 0, _to(15)), "larger")
    _grouped(graph, np.random.default_rng(4))
    _positions(graph, np.random.default_rng(5))
    graph.add("pool", ops.GlobalAveragePool((_ZERO,), _to(4, dyadic=True)), "transposed")
    _dense(graph, rng, "head", "pool", 5)
    return graph


def _convolutions(graph: Graph, rng: np.random.Generator) -> None:
    weight, bias = rng.integers(-128, 128, (4, 3, 3, 3)), rng.integers(-999, 999, 4)
    stem = ops.Conv2d(weight, 8, bias, (1, 1), (1, 1), (0,), _to(8, 4, dyadic=True))
    graph.add("stem", stem, "image")
    graph.add("act1", ops.ShiftSwish(4, _ZERO, 12, _to(12)), "stem")
    _dense(graph, rng, "expand", "act1", 6)
    graph.add("act2", ops.ShiftSwish(4, _ZERO, 12, _to(12)), "expand")
    weight, bias = rng.integers(-128, 128, (6, 3, 3)), rng.integers(-999, 999, 6)
    depthwise = ops.DepthwiseConv2d(weight, 8, bias, (1, 1), (1, 1), (_ZERO,), _to(7, 6))
    graph.add("depthwise", depthwise, "act2")
    graph.add("act3", ops.Table(rng.integers(0, 256, 256), _CODES), "depthwise")
    _dense(graph, rng, "project", "act3", 4)
    _add(graph, "residual1", "project", "act1")


def _grouped(graph: Graph, rng: np.random.Generator) -> None:
    channels = graph.type("mean").channels
    weight, bias = rng.integers(-128, 128, (channels, 2, 2, channels // 2)), np.arange(channels)
    grouped = ops.GroupedConv2d(weight, 8, bias, (1, 1), (1, 0), (_ZERO,), _to(8), 2)
    graph.add("grouped", grouped, "mean")


def _positions(graph: Graph, rng: np.random.Generator) -> None:
    """Positions that are compared, left out, interpolated, learned, joined, made of channels."""
    graph.add("largest", ops.MaxPool((3, 3), (1, 1), (1, 1), (_CODES.qmin,)), "grouped")
    graph.add("selected", ops.SelectPositions((0, 3), (0, 2)), "largest")
    graph.add("upsampled", ops.Upsample("bilinear"), "selected")
    learned = rng.integers(0, 256, (2, graph.type("upsampled").channels))
    graph.add("prompted", ops.ConcatConstant(learned, True, (_ZERO,), _to(0)), "upsampled")
    join = ops.ConcatPositions((_to(1), _to(0)), ((_ZERO,), (_ZERO,)), 1)
    graph.add("joined", join, "prompted", "upsampled")
    rows, columns, _ = graph.type("joined").shape
    order = rng.permutation(rows * columns).reshape(rows, columns)
    graph.add("permuted", ops.PermutePositions(order), "joined")
    graph.add("transposed", ops.Transpose(), "permuted")


def _attentions(graph: Graph, rng: np.random.Generator) -> None:
    """Attention with every softmax, over the same queries, keys, values."""
    graph.add("tokens", ops.Unfold((2, 2)), "residual1")
    factors = np.array([0, 1, 2, 0])
    precision = layer_norm_precision(graph.type("tokens"), factors, 5)
    gamma, beta = rng.integers(-127, 128, 4), rng.integers(-(1 << 18), 1 << 18, 4)
    norm = ops.LayerNorm(factors, (_ZERO,), 5, *precision, gamma, beta, 8, 20, _to(14))
    graph.add("norm", norm, "tokens")
    for name in ("query", "key", "value"):
        _dense(graph, rng, name, "norm", 4)
    graph.add("scores", ops.AttentionScores(2, (_ZERO, _ZERO), _to(5)), "query", "key")
    exponentials = np.rint(np.exp2(16 - np.arange(256) / 16)).astype(np.int64)
    softmaxes = {
        "log2": ops.LinearSoftmax(4, 12, 4, "log2"),
        "uniform": ops.LinearSoftmax(4, 12, 8, "uniform"),
        "table": ops.TableSoftmax(exponentials, 4, "log2_rounded"),
    }
    for name, softmax in softmaxes.items():
        graph.add(f"softmax_{name}", softmax, "scores")
        q = softmax.quantization
        values = ops.AttentionValues(2, (_ZERO,), q.encoding, q.bits, _to(10))
        graph.add(f"values_{name}", values, f"softmax_{name}", "value")
    _add(graph, "values_linear", "values_log2", "values_uniform")
    _add(graph, "values", "values_linear", "values_table")
    _dense(graph, rng, "out", "values", 4)
    _add(graph, "residual2", "out", "tokens")


def _separable_attention(graph: Graph, rng: np.random.Generator) -> None:
    """A normalization of the whole frame, and a context vector that gates all tokens."""
    gamma, beta = rng.integers(-127, 128, 4), rng.integers(-(1 << 18), 1 << 18, 4)
    precision = group_norm_precision(graph.type("residual2"), 5)
    norm = ops.GroupNorm((_ZERO,), 5, *precision, gamma, beta, 8, 20, _to(13))
    graph.add("group_norm", norm, "residual2")
    for name, channels in (("token_score", 1), ("token_key", 4), ("token_value", 4)):
        _dense(graph, rng, name, "group_norm", channels)
    table = rng.integers(1, 1 << 12, 256)
    context = ops.SeparableContext(table, 0, 4, (_ZERO,), _to(3, 4))
    graph.add("context", context, "token_score", "token_key")
    gate = ops.Multiply(((_ZERO,), (_ZERO,)), _to(6, dyadic=True))
    graph.add("gated", gate, "token_value", "context")


def _affines(graph: Graph, rng: np.random.Generator) -> None:
    """Constants per channel, then per position."""
    shape = graph.type("grid").shape
    weight, bias = rng.integers(-128, 128, shape[-1]), rng.integers(-9999, 9999, (1, shape[-1]))
    graph.add("scale", ops.ChannelAffine(weight, 8, bias, _to(6, shape[-1])), "grid")
    rows = rng.integers(-999, 999, (shape[0] * shape[1], shape[-1]))
    graph.add("embedding", ops.ChannelAffine(np.array([4]), 4, rows, _to(2)), "scale")


def _to(shift: int, channels: int = 1, dyadic: bool = False) -> Requantize:
    """To the codes that all tensors of this network have."""
    multiplier = np.full(channels, 40000 if dyadic else 1)
    return Requantize(_CODES, np.full(channels, shift + 15 * dyadic), multiplier)


def _dense(graph: Graph, rng: np.random.Generator, name: str, source: str, channels: int) -> None:
    weight = rng.integers(-128, 128, (channels, graph.type(source).channels))
    bias = rng.integers(-999, 999, channels)
    graph.add(name, ops.Dense(weight, 8, bias, _to(8, channels)), source)


def _add(graph: Graph, name: str, a: str, b: str) -> None:
    factors = np.array([1, 2, 4, 8]), np.array([3])
    graph.add(name, ops.Add(factors, ((_ZERO,), (_ZERO,)), _to(2)), a, b)
