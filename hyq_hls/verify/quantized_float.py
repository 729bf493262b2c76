"""Between float and integer, true functions read quantized weights and activations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls import ops
from hyq_hls.capture import float_ops as fo
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.graph import Graph, Node

Array = NDArray[np.float64]


def quantized_float(
    float_graph: FloatGraph, graph: Graph, images: torch.Tensor
) -> dict[str, Array]:
    """Compute the values of every node when float operations meet quantized numbers.

    Weights are what the integer weights stand for, and each result is rounded to its codes; but
    softmax, Swish, LayerNorm and sums are the true ones. What the integer level loses beyond this
    is the price of its arithmetic.

    Args:
        float_graph: the prepared float graph (names as in ``graph``).
        graph: the integer graph.
        images: float batch (B, C, H, W).
    """
    replaced = {}
    for node in graph.nodes.values():
        if isinstance(node.operation, ops.Conv2d | ops.DepthwiseConv2d | ops.Dense):
            replaced[node.name] = _dequantized(float_graph[node.name].op, node, graph)
    values: dict[str, Array] = {}

    def quantize(name: str, value: torch.Tensor) -> torch.Tensor | None:
        quantization = graph.type(name).quantization
        values[name] = quantization.dequantize(quantization.quantize(value.numpy()))
        return torch.from_numpy(values[name]).to(value.dtype)

    with torch.no_grad():
        float_graph.replace(replaced).run(images.double(), keep=(), observe=quantize)
    return values


def _dequantized(op: fo.FloatOp, node: Node, graph: Graph) -> fo.FloatOp:
    assert isinstance(op, fo.Conv2d | fo.Linear)
    operation = node.operation
    assert isinstance(operation, ops.Conv2d | ops.DepthwiseConv2d | ops.Dense)
    x = graph.type(node.inputs[0])
    requantize = operation.requantize
    accumulator = np.asarray(requantize.quantization.scale) * requantize.multiplier
    accumulator = np.broadcast_to(accumulator * np.exp2(-requantize.shift), len(op.bias))
    scale = np.broadcast_to(x.quantization.scale, x.channels)
    zero = np.broadcast_to(x.quantization.zero_point, x.channels)
    codes = operation.weight.reshape(len(op.bias), -1)
    if isinstance(operation, ops.DepthwiseConv2d):
        columns = np.repeat(np.arange(x.channels)[:, None], codes.shape[1], axis=1)
    else:
        columns = np.tile(np.arange(x.channels), codes.shape[1] // x.channels)
    weight = codes * accumulator[:, None] / scale[columns]
    bias = (operation.bias + (codes * zero[columns]).sum(axis=1)) * accumulator
    return replace(op, weight=weight.reshape(op.weight.shape), bias=bias)
