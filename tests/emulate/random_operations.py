"""Random operations whose sums lie near every switch: float32, int32, float64, and the limit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import log2

import numpy as np

from hyq_hls import ops
from hyq_hls.errors import GraphError
from hyq_hls.graph import Operation, Quantization, TensorType
from hyq_hls.graph.graph import MAX_ACCUMULATOR_BITS
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops.group_norm import group_norm_precision
from hyq_hls.ops.layer_norm import LayerNormPrecision

Rng = np.random.Generator
Made = tuple[Operation, list[TensorType]]

#: Mantissa of float32, int32, mantissa of float64, the widest sum.
SWITCHES = (24, 31, 53, 62)


def code_type(rng: Rng, shape: tuple[int, ...], bits: int, channels: int = 1) -> TensorType:
    """Codes with zero points in the middle or at the ends, where sums reach furthest."""
    q = Quantization(bits, bool(rng.integers(2)))
    zero = rng.choice([q.qmin, (q.qmin + q.qmax + 1) // 2, q.qmax], channels).tolist()
    return TensorType(shape, Quantization(bits, q.signed, (1.0,), tuple(zero)))


def output(rng: Rng, sum_bits: float, channels: int = 1) -> Requantize:
    """A requantization that spreads sums over the codes; factors for all channels or each."""
    bits = int(rng.integers(4, 17))
    q = Quantization(bits, bool(rng.integers(2)))
    dyadic = rng.random() < 0.5
    multiplier = (
        rng.integers(1, 1 << int(rng.integers(1, 17)), channels) if dyadic else np.ones(1, np.int64)
    )
    wide = sum_bits + log2(int(np.max(multiplier))) - bits
    shift = np.clip(int(wide) + rng.integers(-6, 3, channels), -62, 62)
    if rng.random() < 0.2:  # small sums, which large ones cancel to, are shifted left
        shift = rng.integers(-4, 2, channels)
    zero = rng.integers(q.qmin, q.qmax + 1, channels).tolist()
    return Requantize(Quantization(bits, q.signed, (1.0,), tuple(zero)), shift, multiplier)


def weighted(kind: type[Operation], rng: Rng, reach: int) -> Made:
    """Products that sum up to ``reach``, and a bias that undoes the zero point, or does not."""
    depthwise, dense = kind is ops.DepthwiseConv2d, kind is ops.Dense
    channels, rows = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    groups = rows if kind is ops.GroupedConv2d else 1
    bits = int(rng.integers(4, 17))
    x = code_type(rng, (4, 4, rows if depthwise else channels * groups), bits)
    shape = (rows, 3, 3) if depthwise else (rows, channels) if dense else (rows, 3, 3, channels)
    terms = int(np.prod(shape[1:]))
    largest = max(1, reach >> bits) // terms + 1
    sign = np.where(rng.random(shape) < rng.choice([0.0, 0.3, 0.5]), -1, 1)
    weight = sign * rng.integers((largest + 1) // 2, largest + 1, shape)
    weight_bits = int(np.abs(weight).max()).bit_length() + 1
    zero = x.quantization.zero_point[0]
    undone = -zero * weight.reshape(rows, -1).sum(axis=1)
    bias = undone if rng.random() < 0.7 else rng.integers(-reach // 2, reach // 2 + 1, rows)
    out = output(rng, log2(reach) - rng.integers(0, 8), int(rng.choice([1, rows])))
    if dense:
        return ops.Dense(weight, weight_bits, bias, out), [x]
    window = (1, 1), (1, 1), (zero,)
    if kind is ops.GroupedConv2d:
        return ops.GroupedConv2d(weight, weight_bits, bias, *window, out, groups), [x]
    operation = ops.DepthwiseConv2d if depthwise else ops.Conv2d
    return operation(weight, weight_bits, bias, *window, out), [x]


def aligned(kind: type[ops.Add | ops.Maximum], rng: Rng, reach: int) -> Made:
    bits = int(rng.integers(4, 17))
    types = [code_type(rng, (3, 4), bits) for _ in range(2)]
    largest = max(1, reach >> (bits + 1))
    factors = tuple(rng.integers((largest + 1) // 2, largest + 1, 4) for _ in types)
    zeros = tuple(x.quantization.zero_point for x in types)
    return kind(factors, zeros, output(rng, log2(reach), 4)), types


def multiply(rng: Rng, reach: int) -> Made:
    bits = int(np.clip(log2(reach) - rng.integers(4, 17), 2, 16))
    other = int(np.clip(log2(reach) - bits, 2, 16))
    shapes = [(2, 3, 4), [(2, 3, 4), (2, 1, 4), (4,), (2, 3, 1)][rng.integers(4)]]
    types = [code_type(rng, s, b) for s, b in zip(shapes, (bits, other), strict=True)]
    zeros = tuple(x.quantization.zero_point for x in types)
    return ops.Multiply(zeros, output(rng, bits + other, 4)), types


def channel_affine(rng: Rng, reach: int) -> Made:
    bits = int(rng.integers(4, 17))
    x = code_type(rng, (3, 4), bits)
    largest = max(1, reach >> bits)
    weight = rng.choice([-1, 1], 4) * rng.integers((largest + 1) // 2, largest + 1, 4)
    bias = -x.quantization.zero_point[0] * weight[None] + rng.integers(-99, 100, (3, 4))
    width = int(np.abs(weight).max()).bit_length() + 1
    return ops.ChannelAffine(weight, width, bias, output(rng, log2(reach), 4)), [x]


def concat(rng: Rng, reach: int) -> Made:
    types = [code_type(rng, (3, 4), int(rng.integers(4, 17))) for _ in range(2)]
    out = output(rng, 17)
    other = Requantize(out.quantization, out.shift + 1, out.multiplier)
    zeros = (types[0].quantization.zero_point, types[1].quantization.zero_point)
    return ops.Concat((out, other), zeros), types


def concat_constant(rng: Rng, reach: int) -> Made:
    x, out = code_type(rng, (3, 4), int(rng.integers(4, 17))), output(rng, 17, 4)
    q = out.quantization
    constant = rng.integers(q.qmin, q.qmax + 1, (2, 4))
    return ops.ConcatConstant(constant, True, x.quantization.zero_point, out), [x]


def concat_positions(rng: Rng, reach: int) -> Made:
    types = [code_type(rng, (n, 4), int(rng.integers(4, 17))) for n in (2, 3)]
    out = output(rng, 17)
    other = Requantize(out.quantization, out.shift + 1, out.multiplier)
    zeros = (types[0].quantization.zero_point, types[1].quantization.zero_point)
    return ops.ConcatPositions((out, other), zeros, 0), types


def requantize(rng: Rng, reach: int) -> Made:
    x = code_type(rng, (3, 4), int(rng.integers(4, 17)))
    return ops.RequantizeTensor(x.quantization.zero_point, output(rng, 17, 4)), [x]


def pool(rng: Rng, reach: int) -> Made:
    """As many positions as sums of that size take, up to some thousands."""
    bits = int(rng.integers(10, 17))
    rows = min(max(1, reach >> bits), 1 << 14)
    x = code_type(rng, (rows, 1, 2), bits)
    return ops.GlobalAveragePool(x.quantization.zero_point, output(rng, bits + log2(rows), 2)), [x]


def average_pool(rng: Rng, reach: int) -> Made:
    """Factors by which sums of nine codes reach so far; half of the cases subtract their input."""
    x = code_type(rng, (4, 3, 2), int(rng.integers(4, 17)))
    largest = max(1, reach >> x.quantization.bits)
    factor = rng.integers((largest + 1) // 2, largest + 1, 9) // np.arange(1, 10) + 1
    centre = largest if rng.integers(2) else 0
    around = (3, 3), (1, 1), (1, 1)
    zero, out = x.quantization.zero_point, output(rng, log2(reach), 2)
    return ops.AveragePool(*around, zero, factor, centre, out), [x]


def scores(rng: Rng, reach: int) -> Made:
    """Up to some hundred terms of the bits that reach so far."""
    bits = int(np.clip((log2(reach) - rng.integers(1, 8)) // 2, 4, 16))
    terms = int(np.clip(reach >> (2 * bits), 1, 256))
    types = [code_type(rng, (1, 3, 2 * terms), bits) for _ in range(2)]
    zeros = (types[0].quantization.zero_point[0], types[1].quantization.zero_point[0])
    return ops.AttentionScores(2, zeros, output(rng, log2(reach) - 2)), types


def values(rng: Rng, reach: int) -> Made:
    bits = int(rng.choice([3, 4, 5]))
    value = code_type(rng, (1, 4, 2), int(np.clip(log2(reach) - (1 << bits), 4, 16)))
    probability = TensorType((1, 4, 1, 4), Quantization(bits, False, encoding="log2"))
    out = output(rng, (1 << bits) + value.quantization.bits, 2)
    zero = value.quantization.zero_point
    return ops.AttentionValues(1, zero, "log2", bits, out), [probability, value]


def layer_norm(rng: Rng, reach: int) -> Made:
    channels, bits = int(rng.integers(2, 7)), int(rng.integers(4, 13))
    room = log2(reach) / 2 - bits - log2(channels)
    factors = rng.integers(0, int(np.clip(room, 0, 14)) + 1, channels)
    x = code_type(rng, (3, channels), bits)
    gamma, beta = rng.integers(-127, 128, channels), rng.integers(-(1 << 18), 1 << 18, channels)
    roots = int(rng.integers(0, max(1, int(log2(reach) / 4))))
    deviation = int(room + bits + log2(channels)) + roots + 1
    precision = LayerNormPrecision(roots, deviation + 13, 12)
    out = output(rng, 22, channels)
    zero, epsilon = x.quantization.zero_point, int(rng.integers(1, 100))
    return ops.LayerNorm(factors, zero, epsilon, *precision, gamma, beta, 8, 20, out), [x]


def group_norm(rng: Rng, reach: int) -> Made:
    """The bits of the codes are those whose variance reaches so far."""
    shape = (2, 3, int(rng.integers(1, 9)))
    bits = int(np.clip(log2(reach) / 2 - log2(np.prod(shape)) - rng.integers(-1, 2), 2, 16))
    x = code_type(rng, shape, bits)
    epsilon = int(rng.integers(1, 100))
    gamma, beta = (rng.integers(-n, n, shape[-1]) for n in (127, 1 << 18))
    precision, out = group_norm_precision(x, epsilon), output(rng, 22, shape[-1])
    zero = x.quantization.zero_point
    return ops.GroupNorm(zero, epsilon, *precision, gamma, beta, 8, 20, out), [x]


def separable_context(rng: Rng, reach: int) -> Made:
    keys = code_type(rng, (2, 4, 3), int(rng.integers(2, 17)), 3)
    scores = code_type(rng, (2, 4, 1), int(rng.integers(2, 9)))
    fraction = int(rng.integers(0, 9))
    widest = max(1, reach >> (keys.quantization.bits + fraction + 2))
    table = rng.integers(1, widest + 1, 1 << scores.quantization.bits)
    out, zero = output(rng, keys.quantization.bits + fraction, 3), keys.quantization.zero_point
    first = scores.quantization.qmin
    return ops.SeparableContext(table, first, fraction, zero, out), [scores, keys]


def linear_softmax(rng: Rng, reach: int) -> Made:
    x = code_type(rng, (2, 6), int(rng.integers(4, 13)))
    fraction = int(rng.integers(0, 9))
    shift_bits = int(np.clip(log2(reach) - fraction - 6, 0, 40))
    kind, bits = ("log2", 4) if rng.random() < 0.5 else ("uniform", int(rng.integers(2, 9)))
    return ops.LinearSoftmax(fraction, shift_bits, bits, kind), [x]  # type: ignore[arg-type]


def table_softmax(rng: Rng, reach: int) -> Made:
    x = code_type(rng, (2, 6), 6)
    table = rng.integers(0, max(2, reach // 30), 64)
    table[0] = max(1, reach // 30)
    kind = rng.choice(["log2", "log2_rounded", "uniform"])
    return ops.TableSoftmax(table, 4, kind), [x]


def shift_swish(rng: Rng, reach: int) -> Made:
    x = code_type(rng, (2, 3), int(rng.integers(4, 13)))
    fraction = int(rng.integers(0, 12))
    precision = int(np.clip((log2(reach) - fraction - 2) // 2, 8, 20))
    zero = x.quantization.zero_point[0]
    return ops.ShiftSwish(fraction, zero, precision, output(rng, 16 + precision, 3)), [x]


MAKERS: dict[str, Callable[[Rng, int], Made]] = {
    "conv2d": partial(weighted, ops.Conv2d),
    "dense": partial(weighted, ops.Dense),
    "depthwise_conv2d": partial(weighted, ops.DepthwiseConv2d),
    "grouped_conv2d": partial(weighted, ops.GroupedConv2d),
    "add": partial(aligned, ops.Add),
    "attention_scores": scores,
    "attention_values": values,
    "average_pool": average_pool,
    "channel_affine": channel_affine,
    "concat": concat,
    "concat_constant": concat_constant,
    "concat_positions": concat_positions,
    "global_average_pool": pool,
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "maximum": partial(aligned, ops.Maximum),
    "multiply": multiply,
    "linear_softmax": linear_softmax,
    "requantize": requantize,
    "separable_context": separable_context,
    "shift_swish": shift_swish,
    "table_softmax": table_softmax,
}
#: They copy codes or look them up, and sum nothing, or four neighbours with fixed weights.
SUMLESS = {
    "constant", "fold", "max_pool", "permute_positions", "select_positions", "table", "transpose",
    "unfold", "upsample"
}  # fmt: skip


def made(name: str, switch: int, seed: int) -> Made | None:
    """An operation with sums of about ``2**switch``; None where its bounds are refused."""
    rng = np.random.default_rng([switch, seed])
    reach = int(2.0 ** (switch + rng.uniform(-1.2, 1.2)))
    try:
        operation, types = MAKERS[name](rng, reach)
        operation.output_type(*types)
        widest = operation.accumulator(*types) | operation.partial_sums(*types)
    except GraphError:
        return None
    return (operation, types) if widest.bits <= MAX_ACCUMULATOR_BITS else None
