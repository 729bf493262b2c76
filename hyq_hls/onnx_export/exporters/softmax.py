"""Softmax: exponentials come from a table of distances, whatever formula made them."""

from __future__ import annotations

import numpy as np

from hyq_hls import ops
from hyq_hls.onnx_export.arithmetic import code_type, row_sums
from hyq_hls.onnx_export.node import NodeExport
from hyq_hls.onnx_export.writer import INT64, Value
from hyq_hls.ops.softmax import Softmax

#: So many shifts leave nothing of any sum.
_SHIFTS = 62


def linear_softmax(node: NodeExport, op: ops.LinearSoftmax) -> Value:
    """Return the softmax whose exponential is a line."""
    return _softmax(node, op)


def table_softmax(node: NodeExport, op: ops.TableSoftmax) -> Value:
    """Return the softmax whose exponential is a table."""
    return _softmax(node, op)


def _softmax(node: NodeExport, op: Softmax) -> Value:
    x = node.input().cast(INT64)
    largest = x.apply("ReduceMax", np.array([-1], np.int64), keepdims=1)
    distances = np.arange(1 << node.types[0].quantization.bits)
    e = (largest - x).look_up(op.exponential(distances), INT64)
    total = row_sums(e, node.types[0].channels, node.sums.magnitude)
    top = op.quantization.qmax
    if op.output == "uniform":
        code = (e * (1 << op.bits) + total.apply("Div", 2)).apply("Div", total)
    else:
        code = _thresholds_passed(op, e, total)
        none = e.apply("Equal", 0, number=np.dtype(bool))
        code = none.apply("Where", _constant(e, top), code, number=INT64)
    return code.clip(0, top).cast(code_type(op.quantization))


def _thresholds_passed(op: Softmax, e: Value, total: Value) -> Value:
    """Return the number of thresholds between 1 and the quotient of total and exponential.

    A further axis holds all of them, because the shifts of the total are divisions.
    """
    most = min(op.quantization.qmax, _SHIFTS)
    twice = total * 2
    if op.output == "log2":
        return _passed(e, twice, np.arange(most))
    first = twice.greater_or_equal(e * 3) + twice.greater(e * 5)
    return first + _passed(e, twice + e, np.arange(2, most))


def _passed(e: Value, total: Value, shifts: np.ndarray) -> Value:
    """Return for how many shifts the shifted total is at least three times the exponential."""
    axis = np.array([-1], np.int64)
    shifted = total.apply("Unsqueeze", axis).apply("Div", np.int64(1) << shifts)
    return shifted.greater_or_equal((e * 3).apply("Unsqueeze", axis)).sum(-1)


def _constant(like: Value, number: int) -> np.ndarray:
    return np.array(number, like.number)
