"""LayerNorm and GroupNorm in int64: a square root and a division for every row or frame."""

from __future__ import annotations

import numpy as np

from hyq_hls import ops
from hyq_hls.onnx_export.arithmetic import floor_divided, integer_root, row_sums
from hyq_hls.onnx_export.node import NodeExport
from hyq_hls.onnx_export.writer import INT64, Value
from hyq_hls.ops.normalization import Normalization


def layer_norm(node: NodeExport, op: ops.LayerNorm) -> Value:
    """Return every position normalized over its channels."""
    (x_type,), channels = node.types, node.types[0].channels
    moments = op.moments(x_type)
    x = node.centred(INT64)
    if op.factor_shift.any():
        x = x * (np.int64(1) << op.factor_shift)
    total = row_sums(x, channels, moments.total.magnitude)
    squares = row_sums(x * x, channels, moments.scaled_squares // channels)
    reciprocal = _reciprocal(op, squares * channels - total * total)
    product = (x * channels - total) * reciprocal
    return _scaled(node, op, product, op.normalize_shift)


def group_norm(node: NodeExport, op: ops.GroupNorm) -> Value:
    """Return a frame normalized over all its elements."""
    (x_type,) = node.types
    size, moments = x_type.size, op.moments(x_type)
    x = node.centred(INT64)
    frame = x.reshape(size)
    total = row_sums(frame, size, moments.total.magnitude)  # (B, 1)
    squares = row_sums(frame * frame, size, moments.squares)
    reciprocal = _reciprocal(op, squares * size - total * total)
    mean = total * op.mean_multiplier + (1 << (op.mean_shift - 1))
    mean = floor_divided(mean, 1 << op.mean_shift)
    ones = (1,) * len(x_type.shape)
    product = (x * (1 << op.mean_bits) - mean.reshape(*ones)) * reciprocal.reshape(*ones)
    return _scaled(node, op, product, op.normalize_shift)


def _reciprocal(op: Normalization, variance: Value) -> Value:
    """Return the reciprocals of standard deviations; the variance is positive with its epsilon."""
    radicand = (variance + op.epsilon) * (1 << (2 * op.root_bits))
    return integer_root(radicand).dividing(1 << op.reciprocal_bits)


def _scaled(
    node: NodeExport, op: ops.LayerNorm | ops.GroupNorm, product: Value, shift: int
) -> Value:
    normalized = floor_divided(product + (1 << (shift - 1)), 1 << shift)
    return node.requantized(normalized * op.gamma + op.beta, op.requantize)
