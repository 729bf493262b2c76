"""Convolutions, dense layers and poolings: sums over windows and channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyq_hls import ops
from hyq_hls.graph import Bounds, TensorType
from hyq_hls.onnx_export.arithmetic import code_type, exact_type
from hyq_hls.onnx_export.node import NodeExport
from hyq_hls.onnx_export.writer import FLOAT32, Number, Value
from hyq_hls.ops.checks import centred, partial_sum_bounds
from hyq_hls.ops.convolution import Convolution
from hyq_hls.ops.window import Window


def dense(node: NodeExport, op: ops.Dense) -> Value:
    """Return a matrix product at every position."""
    acc = node.input().cast(node.number) @ op.weight.T + op.bias
    return node.requantized(acc, op.requantize)


def conv2d(node: NodeExport, op: ops.Conv2d) -> Value:
    """Return a convolution."""
    return _convolution(node, op, op.weight, 1)


def grouped_conv2d(node: NodeExport, op: ops.GroupedConv2d) -> Value:
    """Return a convolution in groups of channels."""
    return _convolution(node, op, op.weight, op.groups)


def depthwise_conv2d(node: NodeExport, op: ops.DepthwiseConv2d) -> Value:
    """Return a convolution with a group for every channel."""
    return _convolution(node, op, op.weight[..., None], len(op.weight))


def average_pool(node: NodeExport, op: ops.AveragePool) -> Value:
    """Return the mean of every window, less the input where that is asked for."""
    (x,), rows = node.types, op.inside(*node.types[0].shape[:2])
    taps, reach = op.factor.size, centred(x).magnitude
    largest = reach * (taps * int(op.factor.max()) + op.centre)
    number = exact_type(largest)
    weight = np.ones((x.channels, *op.kernel, 1), np.int64)
    sums = _sums(node, op, weight, None, x.channels, exact_type(taps * reach))
    acc = sums.cast(number) * op.factor[np.outer(*rows) - 1][..., None]
    if op.centre:
        acc = acc - node.centred(number) * op.centre
    return node.requantized(acc, op.requantize, Bounds(-largest, largest))


def max_pool(node: NodeExport, op: ops.MaxPool) -> Value:
    """Return the largest code of every window; ONNX's border never wins."""
    x = node.input().cast(FLOAT32).transpose(0, 3, 1, 2)
    x = x.apply(
        "MaxPool", kernel_shape=list(op.kernel), strides=list(op.stride), pads=[*op.padding] * 2
    )
    return x.transpose(0, 2, 3, 1).cast(code_type(node.node.type.quantization))


def _convolution(
    node: NodeExport, op: Convolution, weight: NDArray[np.int64], groups: int
) -> Value:
    """Return a convolution with weights (out, height, width, in of a group).

    Raw codes are multiplied, except where a border of another code than 0 meets them: ONNX pads
    with zeros, so that codes lose their zero point first, and the bias its correction.
    """
    x, bias = node.types[0], op.bias
    low, high = x.quantization.qmin, x.quantization.qmax
    if _is_centred(op, x):
        zero = np.broadcast_to(np.asarray(op.pad_value), x.channels).reshape(groups, 1, 1, 1, -1)
        grouped = weight.reshape(groups, -1, *weight.shape[1:])
        bias = bias + (grouped * zero).sum(axis=(2, 3, 4)).ravel()
        low, high = centred(x).low, centred(x).high
    sums = partial_sum_bounds(weight.reshape(len(weight), -1), bias, low, high)
    acc = _sums(node, op, weight, bias, groups, exact_type(sums.magnitude))
    return node.requantized(acc, op.requantize, sums | node.sums)


def _is_centred(op: Window, x: TensorType) -> bool:
    return any(op.padding) and any(x.quantization.zero_point)


def _sums(
    node: NodeExport,
    op: Window,
    weight: NDArray[np.int64],
    bias: NDArray[np.int64] | None,
    groups: int,
    number: Number,
) -> Value:
    """Return the weighted sums of all windows, channels last.

    Args:
        node: the node.
        op: geometry of the windows.
        weight: (out channels, height, width, in channels of a group).
        bias: (out channels,); None where poolings have none, whose codes lose their zero point.
        groups: number of groups of channels.
        number: number type in which all partial sums are exact.
    """
    keep = bias is not None and not _is_centred(op, node.types[0])
    x = node.input().cast(number) if keep else node.centred(number)
    if number != FLOAT32:  # onnxruntime has convolutions in float32 alone
        acc = _matrix_products(node, op, x, weight, groups)
        return acc if bias is None else acc + bias
    constants = [weight.transpose(0, 3, 1, 2).astype(np.float32)]
    if bias is not None:
        constants.append(bias.astype(np.float32))
    x = x.transpose(0, 3, 1, 2).apply(
        "Conv",
        *constants,
        kernel_shape=list(op.window),
        strides=list(op.stride),
        pads=[*op.padding] * 2,
        dilations=list(op.dilation),
        group=groups,
    )
    return x.transpose(0, 2, 3, 1)


def _matrix_products(
    node: NodeExport, op: Window, x: Value, weight: NDArray[np.int64], groups: int
) -> Value:
    """Return a convolution as products of its gathered windows with a matrix per group."""
    (height, width, channels), (down, right) = node.types[0].shape, op.padding
    if down or right:
        x = x.apply("Pad", np.array([0, down, right, 0] * 2, np.int64), 0)
        height, width = height + 2 * down, width + 2 * right
    rows, columns = op.output_size(*node.types[0].shape[:2])
    places = [
        np.arange(count)[:, None] * stride + np.arange(taps) * dilation
        for count, stride, taps, dilation in zip(
            (rows, columns), op.stride, op.window, op.dilation, strict=True
        )
    ]
    index = places[0][:, None, :, None] * width + places[1][None, :, None, :]
    taps, inputs = op.window[0] * op.window[1], channels // groups
    x = x.reshape(height * width, channels).take(index.reshape(rows * columns, taps), 1)
    x = x.reshape(rows * columns, taps, groups, inputs).transpose(0, 3, 1, 2, 4)
    x = x.reshape(groups, rows * columns, taps * inputs)
    products: Value = x @ weight.reshape(groups, -1, taps * inputs).transpose(0, 2, 1)
    return products.transpose(0, 2, 1, 3).reshape(rows, columns, len(weight))
