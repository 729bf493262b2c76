"""Operations on single elements: sums, products and functions of one code."""

from __future__ import annotations

import numpy as np

from hyq_hls import ops
from hyq_hls.onnx_export.arithmetic import exact_type, row_sums
from hyq_hls.onnx_export.node import NodeExport, times
from hyq_hls.onnx_export.writer import Value


def requantize(node: NodeExport, op: ops.RequantizeTensor) -> Value:
    """Return the same values on another grid of codes."""
    return node.requantized(node.centred(node.number), op.requantize)


def add(node: NodeExport, op: ops.Add) -> Value:
    """Return the sum of two tensors on a common grid."""
    a, b = _terms(node, op)
    return node.requantized(a + b, op.requantize)


def maximum(node: NodeExport, op: ops.Maximum) -> Value:
    """Return the larger of two elements on a common grid."""
    a, b = _terms(node, op)
    return node.requantized(a.apply("Max", b), op.requantize)


def _terms(node: NodeExport, op: ops.Add | ops.Maximum) -> tuple[Value, Value]:
    a, b = (times(node.centred(node.number, i), factor) for i, factor in enumerate(op.multipliers))
    shapes = [x.shape for x in node.types]
    # A vector may meet a map of one position.
    return a, b if shapes[0] == shapes[1] else b.reshape(*shapes[0])


def multiply(node: NodeExport, op: ops.Multiply) -> Value:
    """Return products; a position of the second operand holds for several of the first."""
    a, b = node.types
    repeats = a.words // b.words
    first = node.centred(node.number, 0).reshape(b.words, repeats, a.channels)
    second = node.centred(node.number, 1).reshape(b.words, 1, b.channels)
    return node.requantized((first * second).reshape(*a.shape), op.requantize)


def channel_affine(node: NodeExport, op: ops.ChannelAffine) -> Value:
    """Return a factor and a summand per channel; rows of summands repeat over the positions."""
    x, rows = node.input().cast(node.number), len(op.bias)
    if rows > 1:
        x = x.reshape(node.types[0].words // rows, *op.bias.shape)
    acc = x * op.weight + (op.bias if rows > 1 else op.bias[0])
    if rows > 1:
        acc = acc.reshape(*node.node.type.shape)
    return node.requantized(acc, op.requantize)


def shift_swish(node: NodeExport, op: ops.ShiftSwish) -> Value:
    """Return the function by a table of its accumulators, one for every code."""
    q = node.types[0].quantization
    accumulators = op.swish(q.codes())
    number = exact_type(int(np.abs(accumulators).max()))
    return node.requantized(node.input().look_up(accumulators, number, q.qmin), op.requantize)


def global_average_pool(node: NodeExport, op: ops.GlobalAveragePool) -> Value:
    """Return the sum over all positions, requantized to their mean."""
    (x,) = node.types
    positions = node.centred(node.number).reshape(x.words, x.channels).transpose(0, 2, 1)
    sums = row_sums(positions, x.words, node.sums.magnitude).reshape(x.channels)
    return node.requantized(sums, op.requantize)


def concat(node: NodeExport, op: ops.Concat) -> Value:
    """Return the channels of two inputs side by side."""
    first, second = _parts(node, op)
    a, b = node.types
    if a.shape[:-1] != b.shape[:-1]:  # a vector meets a map of one position
        second = second.reshape(*a.shape[:-1], b.channels)
    return first.joined(second, len(a.shape))


def concat_positions(node: NodeExport, op: ops.ConcatPositions) -> Value:
    """Return the positions of two inputs side by side."""
    first, second = _parts(node, op)
    return first.joined(second, 1 + op.axis)


def _parts(node: NodeExport, op: ops.Concat) -> list[Value]:
    return [
        node.requantized(node.centred(node.number, i), part) for i, part in enumerate(op.requantize)
    ]


def concat_constant(node: NodeExport, op: ops.ConcatConstant) -> Value:
    """Return constant positions before or behind those of the input."""
    x = node.requantized(node.centred(node.number), op.requantize)
    rows = node.types[0].shape[:-2]
    constant = node.repeated(np.broadcast_to(op.constant, (*rows, *op.constant.shape)))
    first, second = (constant, x) if op.first else (x, constant)
    return first.joined(second, len(rows) + 1)
