"""Random attention with summands of every score, mixed heads, and other keys than queries."""

from __future__ import annotations

import numpy as np

from hyq_hls import ops
from hyq_hls.graph import Graph, Quantization
from hyq_hls.graph.operation import Bounds, Operation
from tests.engine.graphs import random_requantize, random_type, random_weights

Rng = np.random.Generator


def biased_attention(rng: Rng) -> Graph:
    """Summands of every score; heads of the values are wider or narrower than those of the keys."""
    graph, softmax = _scores(rng)
    _biases(rng, graph, "scores", int(rng.integers(2, 20)))
    graph.add("softmax", softmax, "bias")
    return _values(rng, graph, "softmax")


def talking_heads(rng: Rng) -> Graph:
    """Scores and probabilities whose heads are mixed, perhaps with summands before them."""
    biased = bool(rng.integers(2))
    graph, softmax = _scores(rng, 8 if biased else int(rng.choice([8, 10])))
    last = "scores"
    if biased:
        _biases(rng, graph, last, int(rng.integers(2, 20)))
        last = "bias"
    _mix(rng, graph, "first", last, int(rng.choice([4, 8])))
    graph.add("softmax", softmax, "first")
    last = "softmax"
    if softmax.output == "uniform":
        _mix(rng, graph, "second", last, int(rng.choice([4, 8, 10, 12])))
        last = "second"
    return _values(rng, graph, last)


def scaled_scores(rng: Rng) -> Graph:
    """Scores of one or two bytes that meet one factor and one summand, or another grid."""
    graph, softmax = _scores(rng, int(rng.choice([8, 10, 12])))
    out = random_type(rng, (1,), 8).quantization
    reach = 1 << graph.type("scores").quantization.bits + 3
    to = random_requantize(rng, 1, Bounds(-reach, reach), out)
    bias = rng.integers(-99, 99, (1, graph.type("scores").channels))
    scaled: Operation = ops.ChannelAffine(np.array([5]), 4, bias, to)
    if rng.integers(2):
        scaled = ops.RequantizeTensor(graph.type("scores").quantization.zero_point, to)
    graph.add("scaled", scaled, "scores")
    graph.add("softmax", softmax, "scaled")
    return _values(rng, graph, "softmax")


def _scores(rng: Rng, bits: int = 8) -> tuple[Graph, ops.LinearSoftmax]:
    """Scores of every second token, and a softmax for them."""
    heads, size = int(rng.integers(1, 5)), int(rng.integers(1, 8))
    x = random_type(rng, (int(rng.integers(1, 3)), int(rng.integers(2, 24)), 5), 8)
    graph, channels, bound = Graph("x", x), heads * size, Bounds(-(1 << 17), 1 << 17)
    none = np.zeros(channels, np.int64)
    for name, step in (("query", 2), ("key", 1)):
        out = random_type(rng, (channels,), 8, per_channel=False).quantization
        weight = random_weights(rng, channels, 1, 1, 5)
        rest = (
            (1, step),
            (0, 0),
            x.quantization.zero_point,
            random_requantize(rng, channels, bound, out),
        )
        graph.add(name, ops.Conv2d(weight, 8, none, *rest), "x")
    zeros = tuple(graph.type(name).quantization.zero_point[0] for name in ("query", "key"))
    reach = size << 14
    out = random_type(rng, (1,), bits).quantization
    to = random_requantize(rng, 1, Bounds(-reach, reach), out)
    graph.add("scores", ops.AttentionScores(heads, (zeros[0], zeros[1]), to), "query", "key")
    if rng.integers(2):
        return graph, ops.LinearSoftmax(4, 17, int(rng.integers(2, 5)), "log2")
    return graph, ops.LinearSoftmax(4, 12, int(rng.choice([4, 8, 10, 12])), "uniform")


def _biases(rng: Rng, graph: Graph, source: str, bits: int) -> None:
    """Add summands of scores, the same for all queries and heads or for each of them."""
    x, reach = graph.type(source), 1 << bits
    rows = int(rng.choice([1, x.shape[2], x.shape[1] * x.shape[2], x.words]))
    bias = rng.integers(-reach, reach, (rows, x.channels))
    out = random_type(rng, (1,), 8).quantization
    to = random_requantize(rng, 1, Bounds(-reach - 1024, reach + 1024), out)
    graph.add("bias", ops.ChannelAffine(np.array([4]), 4, bias, to), source)


def _mix(rng: Rng, graph: Graph, name: str, source: str, bits: int) -> None:
    """Add a dense layer from heads to heads."""
    x = graph.type(source)
    heads = x.shape[2]
    graph.add(f"{name}.heads", ops.Transpose(), source)
    out = Quantization(bits, bits <= 8 and bool(rng.integers(2)))
    bound = Bounds(-heads << x.quantization.bits + 7, heads << x.quantization.bits + 7)
    to = random_requantize(rng, 1, bound, out)
    bias = rng.integers(-99, 99, heads)
    dense = ops.Dense(random_weights(rng, heads, heads), 8, bias, to)
    graph.add(f"{name}.dense", dense, f"{name}.heads")
    graph.add(name, ops.Transpose(), f"{name}.dense")


def _values(rng: Rng, graph: Graph, source: str) -> Graph:
    heads, x = graph.type(source).shape[2], graph.input_type
    channels = heads * int(rng.integers(1, 24))
    value = random_type(rng, (channels,), 8).quantization
    to = random_requantize(rng, channels, Bounds(-(1 << 17), 1 << 17), value)
    weight = random_weights(rng, channels, x.channels)
    graph.add("value", ops.Dense(weight, 8, np.zeros(channels, np.int64), to), "x")
    q = graph.type(source).quantization
    top = x.shape[1] << (q.qmax + 6 if q.encoding == "log2" else q.bits + 6)
    out = random_type(rng, (channels,), int(rng.choice([4, 8, 10, 16]))).quantization
    values = ops.AttentionValues(
        heads,
        value.zero_point,
        q.encoding,
        q.bits,
        random_requantize(rng, channels, Bounds(-top, top), out),
        q.signed,
        q.zero_point[0],
    )
    graph.add("values", values, source, "value")
    return graph
