"""Products of attention: scores, weighted values, and the context of separable attention."""

from __future__ import annotations

import numpy as np

from hyq_hls import ops
from hyq_hls.onnx_export.arithmetic import floor_divided, row_sums
from hyq_hls.onnx_export.node import NodeExport
from hyq_hls.onnx_export.writer import INT64, Value


def attention_scores(node: NodeExport, op: ops.AttentionScores) -> Value:
    """Return products of every query with every key, head by head."""
    query, key = (
        node.centred(node.number, i).reshape(*x.shape[:2], op.heads, x.channels // op.heads)
        for i, x in enumerate(node.types)
    )
    # (B, P, heads, N, C/heads) @ (B, P, heads, C/heads, M)
    acc = query.transpose(0, 1, 3, 2, 4) @ key.transpose(0, 1, 3, 4, 2)
    return node.requantized(acc.transpose(0, 1, 3, 2, 4), op.requantize)


def attention_values(node: NodeExport, op: ops.AttentionValues) -> Value:
    """Return sums of values, weighted by probabilities."""
    value = node.types[1]
    if op.encoding == "log2":
        code = op.probability.codes()
        shift = op.probability.qmax - 1 - code
        weights = np.where(shift < 0, 0, np.int64(1) << np.maximum(shift, 0))
        probability = node.input(0).look_up(weights, node.number)
    else:
        probability = node.centred(node.number, 0)
    heads = value.channels // op.heads
    split = node.centred(node.number, 1).reshape(*value.shape[:2], op.heads, heads)
    # (B, P, heads, N, M) @ (B, P, heads, M, C/heads)
    acc = probability.transpose(0, 1, 3, 2, 4) @ split.transpose(0, 1, 3, 2, 4)
    acc = acc.transpose(0, 1, 3, 2, 4).reshape(*node.node.type.shape)
    return node.requantized(acc, op.requantize)


def separable_context(node: NodeExport, op: ops.SeparableContext) -> Value:
    """Return the mean of keys under a softmax of one score per token."""
    pixels, tokens, channels = node.types[1].shape
    largest = node.sums.magnitude
    weight = node.input(0).look_up(op.table, INT64, op.first).transpose(0, 1, 3, 2)
    total = row_sums(weight, tokens, largest)  # (B, P, 1, 1)
    terms = weight * node.centred(INT64, 1).transpose(0, 1, 3, 2)
    weighted = row_sums(terms, tokens, largest)  # (B, P, C, 1)
    half = floor_divided(total, 2)
    mean = floor_divided(weighted * (1 << op.mean_bits) + half, total)
    return node.requantized(mean.reshape(pixels, 1, channels), op.requantize)
