"""Random graphs for the engine, and the comparison of forms and simulator with the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls import ops
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.forms import execute, form_of
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.simulate import Simulator
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.operation import Bounds, Operation
from hyq_hls.graph.requantize import Requantize

Codes = NDArray[np.int64]


def random_type(
    rng: np.random.Generator, shape: tuple[int, ...], bits: int = 0, per_channel: bool = True
) -> TensorType:
    """A tensor whose zero points are anywhere, the ends included."""
    bits = bits or int(rng.integers(2, 9))
    signed = bool(rng.integers(2))
    plain = Quantization(bits, signed)
    count = shape[-1] if per_channel and rng.integers(2) else 1
    zeros = rng.choice(
        [plain.qmin, plain.qmax, *rng.integers(plain.qmin, plain.qmax + 1, 3)], count
    )
    return TensorType(shape, Quantization(bits, signed, zero_point=tuple(map(int, zeros))))


def random_codes(rng: np.random.Generator, x: TensorType) -> Codes:
    """Codes of one sample, often all at one end."""
    q = x.quantization
    if rng.integers(3) == 0:
        return np.full(x.shape, rng.choice([q.qmin, q.qmax]), np.int64)
    return rng.integers(q.qmin, q.qmax + 1, x.shape)


def random_weights(rng: np.random.Generator, *shape: int, bits: int = 8) -> Codes:
    """Weights, the extremes often."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    values = rng.integers(low, high + 1, shape)
    return np.where(rng.random(shape) < 0.1, rng.choice([low, high], shape), values)


def random_requantize(
    rng: np.random.Generator, channels: int, bound: Bounds, out: Quantization | None = None
) -> Requantize:
    """A requantization to codes of ``out``, whose shifts and multipliers differ per channel."""
    out = out or random_type(rng, (channels,)).quantization
    count = channels if rng.integers(2) else 1
    multiplier = rng.integers(1, 1 << 16, count) if rng.integers(2) else np.ones(count, np.int64)
    width = bound.bits + int(multiplier.max()).bit_length() - out.bits
    shift = width - rng.integers(0, 4, count)
    return Requantize(out, shift.clip(-7, 56), multiplier)


def random_geometry(rng: np.random.Generator, x: TensorType) -> dict[str, tuple[int, int]]:
    """Fields of a convolution whose window fits the map."""
    kernel = [int(min(k, s)) for k, s in zip(rng.integers(1, 4, 2), x.shape, strict=False)]
    dilation = [int(d) for d in rng.integers(1, 3, 2)]
    padding = [int(rng.integers(0, (k - 1) * d + 1)) for k, d in zip(kernel, dilation, strict=True)]
    for axis in range(2):
        while (kernel[axis] - 1) * dilation[axis] + 1 > x.shape[axis] + 2 * padding[axis]:
            dilation[axis] = 1
            padding[axis] = 0
    stride = [min(int(s), x.shape[a]) for a, s in enumerate(rng.integers(1, 4, 2))]
    pairs = {"window": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    return {name: (pair[0], pair[1]) for name, pair in pairs.items()}


def graph_of(operation: Operation, x: TensorType) -> Graph:
    """A graph of one node."""
    graph = Graph("x", x)
    graph.add("y", operation, "x")
    return graph


def random_pair(rng: np.random.Generator, channels: tuple[int, int], bits: int = 8) -> Graph:
    """A graph whose nodes a and b have types of their own."""
    x = random_type(rng, (*map(int, rng.integers(1, 20, 2)), 5), 8)
    graph = Graph("x", x)
    for name, count in zip("ab", channels, strict=True):
        out = random_type(rng, (count,), bits).quantization
        weight = random_weights(rng, count, x.channels)
        requantize = random_requantize(rng, count, Bounds(-(1 << 17), 1 << 17), out)
        graph.add(name, ops.Dense(weight, 8, np.zeros(count, np.int64), requantize), "x")
    return graph


def small_sizes(rng: np.random.Generator, **changes: int) -> Sizes:
    """An engine whose feature memory makes several tiles of most maps."""
    pixels = int(rng.choice([2, 4, 8]))
    values: dict[str, Any] = {"feature_words": 2048 // pixels, "weight_words": 256, **changes}
    return Sizes(pixels=pixels, **values)


def check_graph(graph: Graph, codes: Codes, sizes: Sizes) -> int:
    """Compare every node by its form and in the simulator; returns the number of instructions."""
    expected = dict(graph.reference(codes[None]))
    for node in graph.nodes.values():
        inputs = [expected[name] for name in node.inputs]
        found = execute(graph, node, form_of(graph, node), *inputs)
        assert np.array_equal(found, expected[node.name]), f"form of {node.name}"
    program = compile_graph(graph, sizes)
    simulator = Simulator(program, graph)
    output = simulator.run(codes)
    assert np.array_equal(output, expected[graph.output_name][0])
    assert simulator.trace.keys() == graph.nodes.keys()
    for name, found in simulator.trace.items():
        assert np.array_equal(found, expected[name][0]), f"{name} in the simulator"
    return len(program.instructions)
