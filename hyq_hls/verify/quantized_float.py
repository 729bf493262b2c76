"""Between float and integer, true functions read quantized weights and activations."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls import ops
from hyq_hls.capture.channel_affine import PositionConstant
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.graph import Graph, Node
from hyq_hls.ops.convolution import Convolution
from hyq_hls.quant.hidden import hides
from hyq_hls.quant.traits import has_weights, weighted
from hyq_hls.quant.weighted import WeightedLayer

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
    for node in float_graph:
        if has_weights(node):
            replaced[node.name] = _dequantized(weighted(node), graph.nodes[node.name], graph)
    values: dict[str, Array] = {}

    def quantize(name: str, value: torch.Tensor) -> torch.Tensor | None:
        quantization = graph.type(name).quantization
        values[name] = quantization.dequantize(quantization.quantize(value.numpy()))
        rounded, op = torch.from_numpy(values[name]).to(value.dtype), float_graph[name].op
        if not hides(op):
            return rounded
        assert isinstance(op, PositionConstant)
        return torch.where(torch.from_numpy(op.hidden), value, rounded)

    with torch.no_grad():
        float_graph.replace(replaced).run(images.double(), keep=(), observe=quantize)
    return values


def _dequantized(layer: WeightedLayer, node: Node, graph: Graph) -> FloatOp:
    operation = node.operation
    assert isinstance(operation, Convolution | ops.Dense | ops.ChannelAffine)
    x = graph.type(node.inputs[0])
    requantize = operation.requantize
    accumulator = np.asarray(requantize.quantization.scale) * requantize.multiplier
    accumulator = np.broadcast_to(accumulator * np.exp2(-requantize.shift), len(layer.bias))
    scale = np.broadcast_to(x.quantization.scale, x.channels)
    zero = np.broadcast_to(x.quantization.zero_point, x.channels)
    codes, columns = operation.weight.reshape(len(layer.bias), -1), layer.columns()
    weight = codes * accumulator[:, None] / scale[columns]
    bias = (operation.bias.ravel() + (codes * zero[columns]).sum(axis=1)) * accumulator
    return layer.with_parameters(weight, bias)
