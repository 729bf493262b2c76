"""Lowering of the prepared float graph with its quantizations to the integer graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls import ops
from hyq_hls.capture import float_ops as fo
from hyq_hls.capture.average_pool import AveragePool
from hyq_hls.capture.channel_affine import ChannelAffine, PositionConstant
from hyq_hls.capture.constant import Constant
from hyq_hls.capture.elementwise import Elementwise, Silu
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.group_norm import GroupNorm
from hyq_hls.capture.max_pool import MaxPool
from hyq_hls.capture.maximum import Maximum
from hyq_hls.capture.multiply import Multiply
from hyq_hls.capture.positions import (
    ConcatConstant,
    ConcatPositions,
    PermutePositions,
    SelectPositions,
)
from hyq_hls.capture.separable import SeparableContext
from hyq_hls.capture.transpose import Transpose
from hyq_hls.capture.upsample import Upsample
from hyq_hls.errors import GraphError, QuantizationError
from hyq_hls.graph import Graph, Operation, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.factors import requantize
from hyq_hls.quant.hidden import hides, stored
from hyq_hls.quant.image_codes import CentredImage
from hyq_hls.quant.lowering.group_norm import group_norm
from hyq_hls.quant.lowering.layer_norm import layer_norm
from hyq_hls.quant.lowering.nonlinear import softmax_operation, swish_values
from hyq_hls.quant.lowering.separable_context import separable_context
from hyq_hls.quant.lowering.table import function_table, values_of
from hyq_hls.quant.octave_softmax import OctaveSoftmax
from hyq_hls.quant.scales.weights import Weights
from hyq_hls.quant.traits import declared, traits_of, weighted

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Integer operations of one float operation, each of which reads the one before.
Operations = tuple[Operation, ...]
_Rule = Callable[[FloatNode, Any, QuantConfig], Operation | Operations]

#: Fraction bits of the multipliers that align real-valued scales at an addition.
_ALIGN_BITS = 10
#: Fraction bits of constants per position, in steps of the codes that they meet. Their rounding
#: adds a sixteenth of the codes' own noise. One bit more costs a bit of memory for every constant.
_CONSTANT_BITS = 2
#: Fraction bits of the smallest factor of a mean, so that it is off by ``2**-12`` at most.
_MEAN_BITS = 11


def lower(
    graph: FloatGraph,
    quantizations: Mapping[str, Quantization],
    weights: Mapping[str, Weights],
    config: QuantConfig,
    metadata: dict[str, Any],
) -> Graph:
    """Build the integer graph.

    Args:
        graph: prepared float graph.
        quantizations: quantization of every node's output.
        weights: weights of every convolution and linear layer.
        config: bits and nonlinear functions.
        metadata: metadata of the saved graph.

    Raises:
        QuantizationError: a node has no integer operation.
        GraphError: widths do not fit; the message names the node.
    """
    result = Graph(graph.input, TensorType(graph.shape(graph.input), quantizations[graph.input]))
    result.metadata.update(metadata)
    result.output_index = graph.output_index
    lowering = Lowering(graph, quantizations, weights)
    for node in graph:
        if node.name == graph.input:
            continue
        own = config.for_node(node.name)
        inputs: tuple[str, ...] = node.inputs
        for name, operation in lowering.steps(node, own).items():
            inputs = (result.add(name, operation, *inputs).name,)
    if result.output_name != graph.output:
        raise QuantizationError(
            f"{graph.output} is the output, but {result.output_name} is computed after it and read "
            "by nobody; remove it from the model"
        )
    return result


class Lowering:
    """A translator of one float node at a time into integer operations, usually one."""

    def __init__(
        self,
        graph: FloatGraph,
        quantizations: Mapping[str, Quantization],
        weights: Mapping[str, Weights],
    ) -> None:
        self.graph, self.quantizations, self.weights = graph, quantizations, weights
        self.rules: dict[type[Any], _Rule] = {
            fo.Conv2d: self._convolution,
            fo.Linear: self._linear,
            ChannelAffine: self._channel_affine,
            CentredImage: self._centred_image,
            PositionConstant: self._position_constant,
            Silu: self._silu,
            Elementwise: self._function,
            fo.Add: self._add,
            Constant: self._constant,
            Maximum: self._maximum,
            Multiply: self._multiply,
            fo.Concat: self._concat,
            ConcatConstant: self._concat_constant,
            ConcatPositions: self._concat_positions,
            PermutePositions: lambda node, op, config: ops.PermutePositions(np.array(op.order)),
            SelectPositions: lambda node, op, config: ops.SelectPositions(op.rows, op.columns),
            fo.LayerNorm: self._layer_norm,
            GroupNorm: self._group_norm,
            fo.AttentionScores: self._scores,
            OctaveSoftmax: self._softmax,
            fo.AttentionValues: self._values,
            SeparableContext: self._context,
            fo.Unfold: lambda node, op, config: ops.Unfold(op.patch),
            fo.Fold: lambda node, op, config: ops.Fold(op.patch, op.height, op.width),
            Transpose: lambda node, op, config: ops.Transpose(),
            Upsample: lambda node, op, config: ops.Upsample(op.mode),
            AveragePool: self._average_pool,
            MaxPool: self._max_pool,
            fo.GlobalAveragePool: self._pool,
        }

    def steps(self, node: FloatNode, config: QuantConfig) -> dict[str, Operation]:
        """Return the integer operations of a node by name.

        Each operation reads the one before, and the last has the node's name.

        Raises:
            QuantizationError: there is no integer operation, or it does not suit the tensors.
        """
        rule = declared(
            self.rules,
            node,
            "has no integer operation",
            "a rule in hyq_hls/quant/lowering/lower.py",
        )
        try:
            found = rule(node, node.op, config)
        except GraphError as error:
            raise QuantizationError(f"{node.name}: {error}") from error
        *before, last = found if isinstance(found, tuple) else (found,)
        return {f"{node.name}.{step.name}": step for step in before} | {node.name: last}

    def _input(self, node: FloatNode, index: int = 0) -> Quantization:
        return self.quantizations[node.inputs[index]]

    def _output(self, node: FloatNode) -> Quantization:
        return self.quantizations[node.name]

    def _constants(self, node: FloatNode, bias: Array) -> tuple[Ints, Ints, Array]:
        """Return integer weights (O, n), integer biases (O,) and accumulator scales (O,)."""
        x = self._input(node)
        chosen = self.weights[node.name]
        count = self.graph.shape(node.inputs[0])[-1]
        zero = np.broadcast_to(x.zero_point, count)[weighted(node).columns()]
        correction = (chosen.codes * zero).sum(axis=1)
        return (
            chosen.codes,
            np.rint(bias / chosen.scales).astype(np.int64) - correction,
            chosen.scales,
        )

    def _convolution(self, node: FloatNode, op: fo.Conv2d, config: QuantConfig) -> Operation:
        weight, bias, scales = self._constants(node, op.bias)
        rest = (bias, op.stride, op.padding, self._input(node).zero_point)
        out = requantize(scales, self._output(node))
        weight, bits, dilation = weight.reshape(op.weight.shape), config.weight_bits, op.dilation
        if weighted(node).depthwise:
            return ops.DepthwiseConv2d(weight[..., 0], bits, *rest, out, dilation=dilation)
        if op.groups > 1:
            return ops.GroupedConv2d(weight, bits, *rest, out, op.groups, dilation=dilation)
        return ops.Conv2d(weight, bits, *rest, out, dilation=dilation)

    def _linear(self, node: FloatNode, op: fo.Linear, config: QuantConfig) -> Operation:
        weight, bias, scales = self._constants(node, op.bias)
        return ops.Dense(weight, config.weight_bits, bias, requantize(scales, self._output(node)))

    def _channel_affine(self, node: FloatNode, op: ChannelAffine, config: QuantConfig) -> Operation:
        weight, bias, scales = self._constants(node, op.offset)
        out = requantize(scales, self._output(node))
        return ops.ChannelAffine(weight[:, 0], config.weight_bits, bias[None], out)

    def _centred_image(self, node: FloatNode, op: CentredImage, config: QuantConfig) -> Operation:
        # A byte moves up by the fraction bits; the code of zero comes with the requantization.
        y, unit = self._output(node), 1 << op.fraction_bits
        channels = self.graph.shape(node.name)[-1]
        bias = -np.broadcast_to(np.asarray(op.zero, np.int64), (1, channels))
        return ops.ChannelAffine(
            np.array([unit]), op.fraction_bits + 2, bias, requantize(y.scale, y)
        )

    def _position_constant(
        self, node: FloatNode, op: PositionConstant, config: QuantConfig
    ) -> Operation:
        x, unit = self._input(node), 1 << _CONSTANT_BITS
        scale = np.asarray(x.scale) / unit
        y = stored(op, self._output(node), config)
        bias = np.rint(op.constant / scale).astype(np.int64) - unit * np.asarray(x.zero_point)
        if hides(op):
            # Even the largest code of the input ends below all codes of the output.
            lowest = np.floor((y.qmin - y.zero_point[0] - 1) * y.scale[0] / scale[0])
            bias[op.hidden] = int(lowest) - unit * x.qmax
        if bias.ndim > 1 and (bias == bias[0]).all():
            bias = bias[:1]  # The constants are the same in every window, or row of a map.
        rows = bias.reshape(-1, bias.shape[-1])
        out = requantize(scale, y)
        return ops.ChannelAffine(np.array([unit]), _CONSTANT_BITS + 2, rows, out)

    def _silu(self, node: FloatNode, op: Silu, config: QuantConfig) -> Operation | Operations:
        x, y = self._input(node), self._output(node)
        if config.swish == "table":
            return function_table(node.name, op, values_of(op), x, y)
        if config.swish != "shift":
            return function_table(node.name, op, partial(swish_values, config.swish), x, y)
        fraction = _fraction(x, node.name)
        precision = int(np.clip(x.bits + 4, 8, 20))
        scale = x.scale[0] * 2.0**-precision
        return ops.ShiftSwish(fraction, x.zero_point[0], precision, requantize(scale, y))

    def _function(self, node: FloatNode, op: Elementwise, config: QuantConfig) -> Operations:
        x, y, homogeneous = self._input(node), self._output(node), traits_of(node).homogeneous
        return function_table(node.name, op, values_of(op), x, y, homogeneous=homogeneous)

    def _constant(self, node: FloatNode, op: Constant, config: QuantConfig) -> Operation:
        y = self._output(node)
        codes = np.rint(op.value / np.asarray(y.scale)).astype(np.int64) + np.asarray(y.zero_point)
        return ops.Constant(codes.clip(y.qmin, y.qmax), y)

    def _add(self, node: FloatNode, op: fo.Add, config: QuantConfig) -> Operation:
        return ops.Add(*self._aligned(node))

    def _maximum(self, node: FloatNode, op: Maximum, config: QuantConfig) -> Operation:
        return ops.Maximum(*self._aligned(node))

    def _aligned(
        self, node: FloatNode
    ) -> tuple[tuple[Ints, ...], tuple[tuple[int, ...], ...], Requantize]:
        """Return multipliers and zero points of both inputs, and the requantization behind."""
        inputs = [self._input(node, i) for i in range(len(node.inputs))]
        finest = min(min(q.scale) for q in inputs)
        steps = [np.asarray(q.scale) / finest for q in inputs]
        exact = all((np.frexp(s)[0] == 0.5).all() for s in steps)
        unit = 1.0 if exact else 2.0**_ALIGN_BITS
        multipliers = tuple(np.rint(s * unit).astype(np.int64) for s in steps)
        out = requantize(finest / unit, self._output(node))
        return multipliers, tuple(q.zero_point for q in inputs), out

    def _multiply(self, node: FloatNode, op: Multiply, config: QuantConfig) -> Operation:
        a, b = self._input(node, 0), self._input(node, 1)
        out = requantize(np.asarray(a.scale) * np.asarray(b.scale), self._output(node))
        return ops.Multiply((a.zero_point, b.zero_point), out)

    def _concat(self, node: FloatNode, op: fo.Concat, config: QuantConfig) -> Operation:
        inputs = [self._input(node, i) for i in range(len(node.inputs))]
        y = self._output(node)
        if len(inputs) != 2:
            raise QuantizationError(
                f"{node.name}: {len(inputs)} tensors are concatenated, 2 have an integer "
                "operation; concatenate in pairs"
            )
        a, b = inputs
        split = self.graph.shape(node.inputs[0])[-1]
        first, second = (_channels(y, part) for part in (slice(split), slice(split, None)))
        return ops.Concat(
            (requantize(a.scale, first), requantize(b.scale, second)),
            (a.zero_point, b.zero_point),
        )

    def _concat_constant(
        self, node: FloatNode, op: ConcatConstant, config: QuantConfig
    ) -> Operation:
        x, y = self._input(node), self._output(node)
        constant = y.quantize(op.constant)
        return ops.ConcatConstant(constant, op.first, x.zero_point, requantize(x.scale, y))

    def _concat_positions(
        self, node: FloatNode, op: ConcatPositions, config: QuantConfig
    ) -> Operation:
        a, b, y = self._input(node, 0), self._input(node, 1), self._output(node)
        parts = (requantize(a.scale, y), requantize(b.scale, y))
        return ops.ConcatPositions(parts, (a.zero_point, b.zero_point), op.axis)

    def _layer_norm(self, node: FloatNode, op: fo.LayerNorm, config: QuantConfig) -> Operation:
        x = TensorType(self.graph.shape(node.inputs[0]), self._input(node))
        return layer_norm(
            x, op.weight, op.bias, op.eps, self._output(node), config.weight_bits, node.name
        )

    def _group_norm(self, node: FloatNode, op: GroupNorm, config: QuantConfig) -> Operation:
        x = TensorType(self.graph.shape(node.inputs[0]), self._input(node))
        return group_norm(x, op.weight, op.bias, op.eps, self._output(node), config.weight_bits)

    def _scores(self, node: FloatNode, op: fo.AttentionScores, config: QuantConfig) -> Operation:
        q, k = self._input(node, 0), self._input(node, 1)
        scale = q.scale[0] * k.scale[0] * op.scale
        zero_points = (q.zero_point[0], k.zero_point[0])
        return ops.AttentionScores(op.heads, zero_points, requantize(scale, self._output(node)))

    def _softmax(self, node: FloatNode, op: OctaveSoftmax, config: QuantConfig) -> Operation:
        x, y = self._input(node), self._output(node)
        form = config.softmax_output(y.encoding)
        found = softmax_operation(config.exponential, x, y.bits, form)
        if not isinstance(found, ops.TableSoftmax):
            return found
        # Distances beyond those of two codes that are seen are those of hidden scores.
        codes = 1 << stored(self.graph[node.inputs[0]].op, x, config).bits
        table = np.pad(found.table, (0, codes - found.table.size))
        return replace(found, table=table)

    def _values(self, node: FloatNode, op: fo.AttentionValues, config: QuantConfig) -> Operation:
        p, v = self._input(node, 0), self._input(node, 1)
        step = 2.0 ** -((1 << p.bits) - 2) if p.encoding == "log2" else p.scale[0]
        out = requantize(np.asarray(v.scale) * step, self._output(node))
        coded = (p.encoding, p.bits)
        return ops.AttentionValues(op.heads, v.zero_point, *coded, out, p.signed, p.zero_point[0])

    def _context(self, node: FloatNode, op: SeparableContext, config: QuantConfig) -> Operation:
        return separable_context(self._input(node, 0), self._input(node, 1), self._output(node))

    def _average_pool(self, node: FloatNode, op: AveragePool, config: QuantConfig) -> Operation:
        x, counts = self._input(node), 1 + np.arange(op.kernel[0] * op.kernel[1])
        unit = 1 << (_MEAN_BITS + int(counts[-1]).bit_length())
        return ops.AveragePool(
            op.kernel,
            op.stride,
            op.padding,
            x.zero_point,
            np.rint(unit / counts).astype(np.int64),
            unit if op.less_input else 0,
            requantize(np.asarray(x.scale) / unit, self._output(node)),
        )

    def _max_pool(self, node: FloatNode, op: MaxPool, config: QuantConfig) -> Operation:
        return ops.MaxPool(op.kernel, op.stride, op.padding, (self._input(node).qmin,))

    def _pool(self, node: FloatNode, op: fo.GlobalAveragePool, config: QuantConfig) -> Operation:
        x = self._input(node)
        height, width, _ = self.graph.shape(node.inputs[0])
        out = requantize(np.asarray(x.scale) / (height * width), self._output(node))
        return ops.GlobalAveragePool(x.zero_point, out)


def _channels(q: Quantization, part: slice) -> Quantization:
    """Return the quantization of some channels of a tensor."""
    if not q.per_channel:
        return q
    scale = q.scale[part] if len(q.scale) > 1 else q.scale
    zero = q.zero_point[part] if len(q.zero_point) > 1 else q.zero_point
    return Quantization(q.bits, q.signed, scale, zero)


def _fraction(q: Quantization, name: str) -> int:
    """Return the fraction bits of a per-tensor power-of-two scale of at most 1."""
    fraction = -np.log2(q.scale[0])
    if q.per_channel or fraction != int(fraction) or fraction < 0:
        raise QuantizationError(f"{name}: input scale {q.scale} is not one power of two up to 1")
    return int(fraction)
