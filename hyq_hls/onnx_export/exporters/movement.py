"""Operations that move codes, or look them up, and compute nothing."""

from __future__ import annotations

import numpy as np

from hyq_hls import ops
from hyq_hls.onnx_export.arithmetic import code_type
from hyq_hls.onnx_export.node import NodeExport
from hyq_hls.onnx_export.writer import FLOAT32, Value


def unfold(node: NodeExport, op: ops.Unfold) -> Value:
    """Return tokens of a map."""
    (height, width, channels), (ph, pw) = node.types[0].shape, op.patch
    x = node.input().reshape(height // ph, ph, width // pw, pw, channels)
    return x.transpose(0, 2, 4, 1, 3, 5).reshape(*node.node.type.shape)


def fold(node: NodeExport, op: ops.Fold) -> Value:
    """Return the map of tokens."""
    (ph, pw), channels = op.patch, node.types[0].channels
    x = node.input().reshape(ph, pw, op.height // ph, op.width // pw, channels)
    return x.transpose(0, 3, 1, 4, 2, 5).reshape(*node.node.type.shape)


def transpose(node: NodeExport, op: ops.Transpose) -> Value:
    """Return matrices with rows and columns exchanged."""
    axes = list(range(len(node.types[0].shape) + 1))
    axes[-2:] = axes[-1], axes[-2]
    return node.input().transpose(*axes)


def permute_positions(node: NodeExport, op: ops.PermutePositions) -> Value:
    """Return positions in another order."""
    return node.input().reshape(op.order.size, node.types[0].channels).take(op.order, 1)


def select_positions(node: NodeExport, op: ops.SelectPositions) -> Value:
    """Return a part of the rows and columns."""
    return node.input().take(np.array(op.rows), 1).take(np.array(op.columns), 2)


def constant(node: NodeExport, op: ops.Constant) -> Value:
    """Return the same codes for every image."""
    return node.repeated(op.codes)


def table(node: NodeExport, op: ops.Table) -> Value:
    """Return the values that a table has for the codes."""
    return node.input().look_up(op.values, code_type(op.quantization), op.first)


def upsample(node: NodeExport, op: ops.Upsample) -> Value:
    """Return a map of twice the height and width."""
    if op.mode == "nearest":
        x = node.input()
        for axis, size in enumerate(node.types[0].shape[:2], 1):
            x = x.take(np.repeat(np.arange(size), 2), axis)
        return x
    x = node.input().cast(FLOAT32)  # at most 16 bits times 16, and 8
    for axis, size in enumerate(node.types[0].shape[:2], 1):
        near = np.repeat(np.arange(size), 2)
        far = (near + np.tile([-1, 1], size)).clip(0, size - 1)
        x = x.take(near, axis) * 3 + x.take(far, axis)
    return ((x + 8) * (1 / 16)).apply("Floor").cast(code_type(node.node.type.quantization))
