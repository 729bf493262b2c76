"""Random graphs of the operations that other families than MobileViT have."""

from __future__ import annotations

import numpy as np

from hyq_hls import ops
from hyq_hls.graph import Graph, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from tests.engine.graphs import (
    graph_of,
    random_geometry,
    random_pair,
    random_requantize,
    random_type,
    random_weights,
)

Rng = np.random.Generator


def maximum(rng: Rng) -> Graph:
    """Also in front of a window, whose border lies around the result."""
    channels = int(rng.integers(1, 40))
    graph = random_pair(rng, (channels, channels), int(rng.choice([5, 8])))
    high = int(rng.choice([2, 300, 1 << 16]))
    factors = tuple(rng.integers(1, high, rng.choice([1, channels])) for _ in range(2))
    zeros = tuple(graph.type(name).quantization.zero_point for name in "ab")
    to = random_requantize(rng, channels, Bounds(-256 * high, 256 * high))
    graph.add("y", ops.Maximum(factors, zeros, to), "a", "b")
    q = graph.type("y").quantization
    window = ops.DepthwiseConv2d(
        *(random_weights(rng, channels, 3, 3), 8, np.zeros(channels, np.int64)),
        *((1, 1), (1, 1), q.zero_point),
        random_requantize(rng, channels, Bounds(-(1 << 17), 1 << 17)),
    )
    if rng.integers(2):
        graph.add("z", window, "y")
    return graph


def small_branch(rng: Rng) -> Graph:
    """A sum of two tensors, the steps of one of which are far below those of the other one."""
    channels = int(rng.integers(1, 40))
    graph = random_pair(rng, (channels, channels))
    zeros = tuple(graph.type(name).quantization.zero_point for name in "ab")
    exponents = rng.integers(6, 36, channels)
    factors = [1 << exponents, np.ones(1, np.int64)]
    out = random_type(rng, (channels,)).quantization
    to = Requantize(out, exponents + rng.integers(-3, 8, channels), np.ones(1, np.int64))
    inputs = [0, 1] if rng.integers(2) else [1, 0]
    graph.add("y", ops.Add(tuple(factors[k] for k in inputs), zeros, to), "a", "b")
    return graph


def max_pool(rng: Rng) -> Graph:
    """Behind something that writes the map, or of the map itself; borders never win."""
    kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in kernel)
    sizes = [int(rng.integers(max(1, k - p), 12)) for k, p in zip(kernel, padding, strict=True)]
    stride = tuple(int(rng.integers(1, 4)) for _ in kernel)
    stride = tuple(min(s, n) for s, n in zip(stride, sizes, strict=True))
    x = random_type(rng, (*sizes, int(rng.choice([3, 16, 20, 32]))), int(rng.choice([3, 8])))
    graph, last = Graph("x", x), "x"
    if rng.integers(2):
        graph.add("r", ops.RequantizeTensor(x.quantization.zero_point, _to8(rng, x)), "x")
        last = "r"
    least = (graph.type(last).quantization.qmin,)
    operation = ops.MaxPool(kernel, (stride[0], stride[1]), (padding[0], padding[1]), least)
    graph.add("y", operation, last)
    return graph


def _to8(rng: Rng, x: TensorType, per_channel: bool = True) -> Requantize:
    out = random_type(rng, (x.channels,), 8, per_channel).quantization
    return random_requantize(rng, x.channels, Bounds(-1024, 1024), out)


def large_pool(rng: Rng) -> Graph:
    """A map that no small feature memory holds, behind something that writes it in bands."""
    sizes = rng.choice([(20, 60), (16, 80), (1, 784), (5, 255)])
    x = random_type(rng, (*map(int, sizes), 3), 8)
    channels = int(rng.choice([5, 20]))
    out = random_type(rng, (channels,), int(rng.choice([8, 10]))).quantization
    to = random_requantize(rng, channels, Bounds(-(1 << 17), 1 << 17), out)
    dense = ops.Dense(random_weights(rng, channels, 3), 8, np.zeros(channels, np.int64), to)
    graph = graph_of(dense, x)
    reach = int(sizes.prod()) << out.bits
    pool = ops.GlobalAveragePool(
        graph.type("y").quantization.zero_point,
        random_requantize(rng, channels, Bounds(-reach, reach)),
    )
    graph.add("z", pool, "y")
    return graph


def multiply(rng: Rng) -> Graph:
    """A gate of one vector, a vector for each row or part of a row, and factors everywhere."""
    rows, pixels, channels = (int(n) for n in rng.integers(1, 7, 3))
    channels = int(rng.choice([channels, 20, 33]))
    few = int(rng.choice([1, rows, rows * pixels, rows * 2 * pixels]))
    x = random_type(rng, (rows, 2 * pixels, 3), 8)
    graph = Graph("x", x)
    selects = 1 < few < rows * 2 * pixels
    channels = max(channels, 5) if selects else channels
    single = 1 if rng.integers(4) == 0 and not selects else channels
    graph.add("a", _random_dense(rng, 3, channels), "x")
    graph.add("b", _random_dense(rng, 3, single), "x")
    last = "b"
    if few == 1:
        to = random_requantize(rng, single, Bounds(-4096, 4096))
        graph.add("g", ops.GlobalAveragePool(graph.type("b").quantization.zero_point, to), "b")
        last = "g"
    elif selects:
        step = 2 if few > rows or rows == 1 else 2 * pixels
        kept = tuple(range(0, 2 * pixels, step))
        graph.add("g", ops.SelectPositions(tuple(range(rows)), kept), "b")
        last = "g"
    zeros = tuple(graph.type(name).quantization.zero_point for name in ("a", last))
    out = random_type(rng, (channels,), int(rng.choice([5, 8, 10]))).quantization
    to = random_requantize(rng, channels, Bounds(-(1 << 15), 1 << 15), out)
    graph.add("y", ops.Multiply((zeros[0], zeros[1]), to), "a", last)
    return graph


def _random_dense(rng: Rng, inputs: int, channels: int) -> ops.Dense:
    out = random_type(rng, (channels,), int(rng.choice([6, 8]))).quantization
    weight = random_weights(rng, channels, inputs)
    requantize = random_requantize(rng, channels, Bounds(-(1 << 17), 1 << 17), out)
    return ops.Dense(weight, 8, np.zeros(channels, np.int64), requantize)


def selected(rng: Rng) -> Graph:
    """Some rows and columns, in runs or every second."""
    x = _positions(rng)
    lines = []
    for size in x.shape[:2]:
        step = int(rng.integers(1, 3))
        start = int(rng.integers(0, size))
        lines.append(tuple(range(start, int(rng.integers(start, size)) + 1, step)))
    graph = Graph("x", x)
    graph.add("r", ops.RequantizeTensor(x.quantization.zero_point, _to(rng, x.channels)), "x")
    graph.add("y", ops.SelectPositions(lines[0], lines[1]), "r")
    return graph


def permuted(rng: Rng) -> Graph:
    """Windows of a map, and positions in no order."""
    high, wide, rows, columns = (int(n) for n in rng.integers(1, 4, 4))
    height, width = high * rows, wide * columns
    x = random_type(rng, (height, width, int(rng.integers(5, 40))), int(rng.choice([8, 10])))
    order = np.arange(height * width).reshape(rows, high, columns, wide).transpose(0, 2, 1, 3)
    graph = graph_of(ops.PermutePositions(order.reshape(rows * columns, -1)), x)
    graph.add("z", ops.PermutePositions(rng.permutation(order.size).reshape(width, height)), "y")
    return graph


def joined(rng: Rng) -> Graph:
    """Constant positions before or behind a tensor, and both of them behind each other."""
    x = _positions(rng)
    channels, graph = x.channels, Graph("x", x)
    to, zero = _to(rng, channels, per_channel=False), x.quantization.zero_point
    q = to.quantization
    constant = rng.integers(q.qmin, q.qmax + 1, (int(rng.integers(1, 4)), channels))
    graph.add("a", ops.ConcatConstant(constant, bool(rng.integers(2)), zero, to), "x")
    graph.add("b", ops.RequantizeTensor(zero, to), "x")
    zeros = tuple(graph.type(name).quantization.zero_point for name in "ab")
    last = _to(rng, channels, per_channel=False)
    operation = ops.ConcatPositions((last, last), (zeros[0], zeros[1]), 1)
    graph.add("y", operation, "a", "b")
    return graph


def _positions(rng: Rng) -> TensorType:
    shape = (*map(int, rng.integers(1, 12, 2)), int(rng.integers(5, 40)))
    return random_type(rng, shape, int(rng.choice([5, 8, 10])))


def _to(rng: Rng, channels: int, per_channel: bool = True) -> Requantize:
    out = random_type(rng, (channels,), int(rng.choice([5, 8, 10])), per_channel).quantization
    return random_requantize(rng, channels, Bounds(-1024, 1024), out)


def turned(rng: Rng) -> Graph:
    """Channels that become pixels, behind something and before something."""
    sizes = rng.choice([(1, 2), (3, 101), (16, 50), (37, 48), (140, 5), (20, 4)])
    rows, pixels = int(rng.integers(1, 4)), int(sizes[0])
    x = random_type(rng, (rows, pixels, int(sizes[1])), 8, False)
    zero, graph = x.quantization.zero_point, Graph("x", x)
    to = _to8(rng, x, per_channel=False)
    graph.add("r", ops.RequantizeTensor(zero, to), "x")
    graph.add("y", ops.Transpose(), "r")
    last = random_requantize(rng, pixels, Bounds(-1024, 1024))
    graph.add("z", ops.RequantizeTensor(to.quantization.zero_point, last), "y")
    return graph


def grouped_conv2d(rng: Rng) -> Graph:
    """Groups that begin anywhere among 16 outputs, and depthwise ones with several outputs."""
    wide, high = (
        (1, int(rng.integers(2, 5))) if rng.integers(2) else map(int, rng.integers(1, 9, 2))
    )
    groups = int(rng.integers(2, 9))
    shape = (*map(int, rng.integers(2, 10, 2)), groups * wide)
    x = random_type(rng, shape, int(rng.choice([3, 8, 12])))
    geometry = random_geometry(rng, x)
    weight = random_weights(rng, groups * high, *geometry.pop("window"), wide)
    operation = ops.GroupedConv2d(
        *(weight, 8, rng.integers(-5000, 5000, groups * high)),
        *(geometry["stride"], geometry["padding"], x.quantization.zero_point),
        random_requantize(rng, groups * high, Bounds(-(1 << 16), 1 << 16)),
        groups,
        dilation=geometry["dilation"],
    )
    return graph_of(operation, x)


def channel_affine(rng: Rng) -> Graph:
    x = random_type(rng, (*map(int, rng.integers(1, 9, 2)), int(rng.integers(1, 40))))
    return graph_of(_affine(rng, x, 1, int(rng.choice([8, 12]))), x)


def position_constants(rng: Rng) -> Graph:
    """Summands of every position behind a map, whose rows come in bands, of one to four bytes."""
    shape = (*map(int, rng.integers(1, 12, 2)), int(rng.integers(1, 40)))
    x = random_type(rng, shape)
    graph = graph_of(_affine(rng, x, 1), x)
    rows = shape[1] * int(rng.choice([1, shape[0]]))
    graph.add("z", _affine(rng, graph.type("y"), rows), "y")
    return graph


def _affine(rng: Rng, x: TensorType, rows: int, bits: int = 8) -> ops.ChannelAffine:
    """A factor per channel, or one for all, and rows of summands of any size."""
    weight = random_weights(rng, int(rng.choice([1, x.channels])), bits=bits)
    reach = 1 << int(rng.integers(2, 28))
    bias = rng.integers(-reach, reach, (rows, x.channels))
    bound = Bounds(-reach - (1 << bits + 8), reach + (1 << bits + 8))
    return ops.ChannelAffine(weight, bits, bias, random_requantize(rng, x.channels, bound))


def average_pool(rng: Rng) -> Graph:
    """Also of maps that are smaller than the window, so that every part has one position."""
    kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    padding = (kernel[0] // 2, kernel[1] // 2)
    sizes = [int(rng.integers(max(1, k - p), 9)) for k, p in zip(kernel, padding, strict=True)]
    most = [s + 2 * p - k for s, p, k in zip(sizes, padding, kernel, strict=True)]
    stride = (int(rng.integers(1, max(1, most[0]) + 1)), int(rng.integers(1, max(1, most[1]) + 1)))
    if rng.integers(2):  # the input is subtracted
        kernel, stride = (2 * padding[0] + 1, 2 * padding[1] + 1), (1, 1)
    centred = stride == (1, 1) and kernel == (2 * padding[0] + 1, 2 * padding[1] + 1)
    x = random_type(rng, (*sizes, int(rng.choice([3, 16, 20, 32]))), int(rng.choice([5, 8])))
    unit = 1 << int(rng.choice([6, 12, 15]))
    operation = ops.AveragePool(
        *(kernel, stride, padding, x.quantization.zero_point),
        np.array([max(1, unit // n) for n in range(1, kernel[0] * kernel[1] + 1)]),
        unit if centred else 0,
        random_requantize(rng, x.channels, Bounds(-unit << 8, unit << 8)),
    )
    return graph_of(operation, x)


def upsample(rng: Rng) -> Graph:
    """A map of twice the size, behind it what reads its columns in order or two by two."""
    mode: ops.upsample.UpsampleMode = "bilinear" if rng.integers(3) else "nearest"
    shape = (*map(int, rng.integers(1, 9, 2)), int(rng.choice([3, 16, 20, 32])))
    x = random_type(rng, shape, int(rng.choice([5, 8, 10])), per_channel=False)
    graph = graph_of(ops.Upsample(mode), x)
    zero, channels = x.quantization.zero_point, shape[2]
    to = random_requantize(rng, channels, Bounds(-1024, 1024))
    graph.add("r", ops.RequantizeTensor(zero, to), "y")
    q = to.quantization
    window = ops.DepthwiseConv2d(
        *(random_weights(rng, channels, 2, 2), 8, np.zeros(channels, np.int64)),
        *((int(rng.integers(1, 3)), int(rng.integers(1, 3))), (0, 0), q.zero_point),
        random_requantize(rng, channels, Bounds(-(1 << 17), 1 << 17)),
    )
    if min(shape[:2]) > 1:
        graph.add("z", window, "r")
    return graph
