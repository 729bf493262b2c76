"""Operations that the default network does without, each in a graph of its own, to synthesize."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import (
    AveragePool,
    ChannelAffine,
    ConcatConstant,
    Constant,
    Dense,
    GlobalAveragePool,
    GroupedConv2d,
    GroupNorm,
    Maximum,
    MaxPool,
    Multiply,
    PermutePositions,
    RequantizeTensor,
    SelectPositions,
    SeparableContext,
    Transpose,
    Upsample,
)
from hyq_hls.ops.group_norm import group_norm_precision
from hyq_hls.ops.upsample import UpsampleMode


def requantizations() -> Graph:
    """Return requantizations on their own, which these networks do without."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((8, 8, 32), code))
    tensor = graph.input_name
    for number, channels in enumerate((1, 32, 1, 32)):
        zero = tuple(rng.integers(100, 150, channels).tolist())
        scale = tuple((2.0 ** -rng.integers(3, 7, channels)).tolist())
        out = Quantization(8, False, scale, zero)
        shift = rng.integers(1, 4, channels)
        operation = RequantizeTensor(
            graph.type(tensor).quantization.zero_point, Requantize(out, shift, np.ones(1, np.int64))
        )
        tensor = graph.add(f"requantize{number}", operation, tensor).name
    return graph


def affines() -> Graph:
    """Return constants per channel and per position, which these networks do without."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((8, 8, 32), code))
    tensor = graph.input_name
    for multiplier in (1, 40001):
        for affine in (_channel_affine, _position_affine):
            name = f"affine{len(graph.nodes)}"
            tensor = graph.add(name, affine(rng, code, multiplier), tensor).name
    return graph


def _channel_affine(rng: np.random.Generator, code: Quantization, multiplier: int) -> ChannelAffine:
    """Return a factor and a summand for each of 32 channels."""
    # A product with zero or a power of two would be no product.
    weight = 2 * rng.integers(20, 60, 32) + 1
    bias = rng.integers(-2000, 2000, (1, 32)) - 128 * weight
    return ChannelAffine(weight, 8, bias, _to(code, rng.integers(7, 10, 32), multiplier))


def _position_affine(
    rng: np.random.Generator, code: Quantization, multiplier: int
) -> ChannelAffine:
    """Return a summand for each of 32 channels of 64 positions."""
    weight = np.array([4])
    bias = rng.integers(-2000, 2000, (64, 32)) - 128 * weight
    return ChannelAffine(weight, 4, bias, _to(code, np.array([2]), multiplier))


def _to(code: Quantization, shift: NDArray[np.int64], multiplier: int) -> Requantize:
    """Return a requantization by powers of two, or by a 16-bit multiplier other than 1."""
    return Requantize(code, shift + 15 * (multiplier > 1), np.array([multiplier]))


def multiplies() -> Graph:
    """Return squares and gates, which these networks do without."""
    code, gate = Quantization(8, False, (2.0**-5,), (128,)), Quantization(8, False, (2.0**-8,))
    graph = Graph("x", TensorType((8, 8, 32), code))
    tensor = graph.input_name
    pool = GlobalAveragePool(code.zero_point, _to(gate, np.array([3]), 1))
    vector = graph.add("pool", pool, tensor).name
    for multiplier in (1, 40001):
        for second, zero_point in ((tensor, code.zero_point), (vector, gate.zero_point)):
            out = _to(code, np.array([8]), multiplier)
            operation = Multiply((code.zero_point, zero_point), out)
            name = f"multiply{len(graph.nodes)}"
            tensor = graph.add(name, operation, tensor, second).name
    return graph


def maxima() -> Graph:
    """Return maxima of two operands, one of which is learned."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((8, 8, 32), code))
    zeros, tensor = (code.zero_point, code.zero_point), graph.input_name
    for number, (factor, multiplier) in enumerate(((4, 1), (4, 40001), (5, 1), (5, 40001))):
        learned = Constant(rng.integers(0, 256, (8, 8, 32)), code)
        second = graph.add(f"constant{number}", learned).name
        factors = np.array([factor]), np.array([1])
        operation = Maximum(factors, zeros, _to(code, np.array([2]), multiplier))
        tensor = graph.add(f"maximum{number}", operation, tensor, second).name
    return graph


def pools() -> Graph:
    """Return average poolings, and token mixers, which these networks do without."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((16, 16, 32), code))
    tensor = graph.input_name
    factor = np.rint(2.0**15 / np.arange(1, 10)).astype(np.int64)
    for number, (stride, channels) in enumerate(((1, 1), (1, 32), (2, 1), (1, 32))):
        multiplier = np.array([1 if number % 2 else 40001])
        shift = rng.integers(13, 16, channels) + 15 * (number % 2 == 0)
        operation = AveragePool(
            *((3, 3), (stride, stride), (1, 1)),
            code.zero_point,
            factor,
            1 << 15 if stride == 1 else 0,
            Requantize(code, shift, multiplier),
        )
        tensor = graph.add(f"pool{number}", operation, tensor).name
    return graph


def grouped() -> Graph:
    """Return grouped convolutions and channel multipliers, which these networks do without."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((12, 12, 32), code))
    tensor = graph.input_name
    for groups, outputs, stride, multiplier in ((4, 32, 1, 1), (8, 32, 1, 40001), (32, 64, 2, 1)):
        inputs = graph.type(tensor).channels // groups
        weight = 2 * rng.integers(-64, 64, (outputs, 3, 3, inputs)) + 1
        bias = rng.integers(-2000, 2000, outputs) - 128 * weight.sum(axis=(1, 2, 3))
        operation = GroupedConv2d(
            *(weight, 8, bias, (stride, stride), (1, 1), code.zero_point),
            _to(code, rng.integers(9, 12, outputs), multiplier),
            groups,
        )
        tensor = graph.add(f"grouped{groups}", operation, tensor).name
    return graph


def max_pools() -> Graph:
    """Return max poolings, which these networks do without."""
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((16, 16, 32), code))
    tensor = graph.input_name
    for number, (kernel, stride, padding) in enumerate(((3, 2, 1), (2, 1, 0), (3, 1, 1))):
        operation = MaxPool((kernel, kernel), (stride, stride), (padding, padding), (0,))
        tensor = graph.add(f"max_pool{number}", operation, tensor).name
    return graph


def norms() -> Graph:
    """Return norms of whole frames."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((8, 8, 32), code))
    tensor = graph.input_name
    for number, channels in enumerate((1, 32)):
        gamma, beta = rng.integers(-127, 128, 32), rng.integers(-(1 << 18), 1 << 18, 32)
        precision, out = (
            group_norm_precision(graph.type(tensor), 5),
            _to(code, np.full(channels, 17), 1),
        )
        operation = GroupNorm(code.zero_point, 5, *precision, gamma, beta, 8, 20, out)
        tensor = graph.add(f"norm{number}", operation, tensor).name
    return graph


def contexts() -> Graph:
    """Return contexts of separable attention, with the scores that they are weighted by."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((4, 16, 32), code))
    weight, bias = rng.integers(-128, 128, (1, 32)), rng.integers(-999, 1000, 1)
    layer = Dense(weight, 8, bias, _to(code, np.array([8]), 1))
    score = graph.add("score", layer, graph.input_name).name
    table = rng.integers(1, 1 << 12, 256)
    context = SeparableContext(table, 0, 4, code.zero_point, _to(code, np.array([3]), 1))
    graph.add("context", context, score, graph.input_name)
    return graph


def tokens() -> Graph:
    """Return constants before and behind tokens, and selections of some tokens."""
    rng = np.random.default_rng(0)
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((1, 16, 32), code))
    tensor = graph.input_name
    for number, (count, multiplier) in enumerate(((1, 1), (4, 40001), (16, 1), (1, 40001))):
        constant = rng.integers(0, 256, (count, 32))
        out = _to(code, np.array([0]), multiplier)
        joined = ConcatConstant(constant, number % 2 == 0, code.zero_point, out)
        tensor = graph.add(f"constant{number}", joined, tensor).name
    for number, columns in enumerate((range(1, 38), range(0, 37, 2), range(12), range(1))):
        selected = SelectPositions((0,), tuple(columns))
        tensor = graph.add(f"select{number}", selected, tensor).name
    return graph


def permutations(size: int, window: int) -> Graph:
    """Return windows of a square map, shifted and not, and the way back."""
    graph = Graph("x", TensorType((size, size, 32), Quantization(8, False, (2.0**-5,), (128,))))
    pixels = np.arange(size * size).reshape(size, size)
    tensor = graph.input_name
    for shift in (0, window // 2):
        moved = np.roll(pixels, (-shift, -shift), (0, 1))
        grouped = moved.reshape(size // window, window, size // window, window)
        order = grouped.transpose(0, 2, 1, 3).reshape(-1, window * window)
        back = np.argsort(order, axis=None).reshape(size, size)
        for way, chosen in (("windows", order), ("map", back)):
            operation = PermutePositions(chosen)
            tensor = graph.add(f"{way}{shift}", operation, tensor).name
    return graph


def upsamples() -> Graph:
    """Return maps of twice the size, from small ones to larger ones."""
    graph = Graph("x", TensorType((4, 4, 32), Quantization(8, False, (2.0**-5,), (128,))))
    tensor = graph.input_name
    for number, mode in enumerate(get_args(UpsampleMode)):
        tensor = graph.add(f"upsample{number}", Upsample(mode), tensor).name
    return graph


def transposes(heads: int, keys: int) -> Graph:
    """Return the exchange of heads and keys, and back."""
    code = Quantization(8, False, (2.0**-5,), (128,))
    graph = Graph("x", TensorType((1, 16, heads, keys), code))
    tensor = graph.input_name
    for number in range(2):
        tensor = graph.add(f"transpose{number}", Transpose(), tensor).name
    return graph


#: The graphs by the name that they have in the table.
ALONE: Mapping[str, Callable[[], Graph]] = {
    "requantize": requantizations,
    "channel_affine": affines,
    "average_pool": pools,
    "maximum": maxima,
    "max_pool": max_pools,
    "multiply": multiplies,
    "group_norm": norms,
    "grouped_conv2d": grouped,
    "permute_positions": partial(permutations, 8, 4),
    "permute_positions, large": partial(permutations, 24, 6),
    "separable_context": contexts,
    "tokens": tokens,
    "transpose": partial(transposes, 4, 16),
    "transpose, wide": partial(transposes, 8, 64),
    "upsample": upsamples,
}
