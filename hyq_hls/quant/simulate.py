"""The quantized network in floating point, with gradients: what the integers will compute.

Codes are real numbers here: a tensor holds ``scale * (code - zero_point)`` exactly as integers will
have it, and rounding passes gradients as if it were not there (straight-through estimator, Bengio
et al. 2013). Functions of single codes come from the integer operation itself, code by code. What
differs from the integers is a rounding of an exact half, and the last bits of LayerNorm and
softmax; results are judged on the integers, never here.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture.float_graph import FloatNode
from hyq_hls.capture.float_ops import Conv2d, Input, Linear, Softmax
from hyq_hls.graph import Operation, Quantization, TensorType
from hyq_hls.ops.linear_softmax import line_offset
from hyq_hls.quant.assign import FUNCTIONS, MOVES
from hyq_hls.quant.lower import Lowering
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.weights import Weights, columns, has_weights, per_code

#: Offset over slope of the line of the linear softmax, in octaves.
_LINE = line_offset(16) / 2**16

#: A half that floating point made a little smaller is a half.
_TIE = 2.0**-12


class Simulation(nn.Module):
    """Differentiable model of a plan's integers.

    Attributes:
        layers: the convolutions and linear layers by name (dots as slashes), with trainable
            weights and biases.

    Args:
        plan: what to simulate; it is not changed.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.tensors = {
            node.name: FakeQuantize(plan.tensors[node.name])
            for node in plan.graph
            if not isinstance(node.op, Input | Softmax)
        }
        self.layers = nn.ModuleDict()
        self._functions: dict[str, torch.Tensor] = {}
        lowering = Lowering(plan.graph, plan.tensors, {})
        for node in plan.graph:
            if has_weights(node):
                self.layers[_key(node.name)] = Layer(plan, node)
            elif isinstance(node.op, FUNCTIONS):
                operation = lowering.operation(node, plan.config.for_node(node.name))
                self._functions[node.name] = _every_value(plan, node, operation)

    def layer(self, name: str) -> Layer:
        """The layer of a node."""
        found = self.layers[_key(name)]
        assert isinstance(found, Layer)
        return found

    def forward(
        self,
        values: dict[str, torch.Tensor],
        nodes: Collection[FloatNode],
        exact: Collection[str] = (),
    ) -> dict[str, torch.Tensor]:
        """Compute some nodes.

        Args:
            values: of what the nodes read and is not among them, batched and channels-last.
            nodes: in topological order.
            exact: names whose output is not rounded (as if it had many bits).

        Returns:
            ``values`` with those of the nodes added.
        """
        found = dict(values)
        for node in nodes:
            value = self._value(node, [found[name] for name in node.inputs])
            rounds = node.name in self.tensors and not isinstance(node.op, MOVES)
            if rounds and node.name not in exact:
                value = self.tensors[node.name](value)
            found[node.name] = value
        return found

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of images (B, C, H, W) in [0, 1]."""
        graph = self.plan.graph
        values = {graph.input: images.permute(0, 2, 3, 1)}
        return self(values, graph.nodes[1:])[graph.output]

    def _value(self, node: FloatNode, inputs: list[torch.Tensor]) -> torch.Tensor:
        if has_weights(node):
            return self.layer(node.name)(inputs[0])
        if node.name in self._functions:
            smooth = node.op.forward(inputs[0])
            table = self._functions[node.name]
            index = self.tensors[node.inputs[0]].index(inputs[0].detach())
            channel = torch.arange(index.shape[-1]) % table.shape[-1]
            return smooth + (table[index, channel] - smooth).detach()
        value = node.op.forward(*inputs)
        if isinstance(node.op, Softmax):
            config = self.plan.config.for_node(node.name)
            linear = config.exponential == "linear"
            rounded = probabilities(inputs[0], self.plan.tensors[node.name], linear)
            return value + (rounded - value).detach()
        return value


class FakeQuantize(nn.Module):
    """Rounding and saturation of a tensor, transparent to gradients where nothing saturates."""

    def __init__(self, quantization: Quantization) -> None:
        super().__init__()
        q = self.quantization = quantization
        scale, zero = np.asarray(q.scale), np.asarray(q.zero_point)
        self.scale = torch.tensor(scale, dtype=torch.float32)
        self.zero = torch.tensor(zero, dtype=torch.float32)
        self.low = torch.tensor((q.qmin - zero) * scale, dtype=torch.float32)
        self.high = torch.tensor((q.qmax - zero) * scale, dtype=torch.float32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Real values to the nearest that have a code."""
        x = torch.minimum(torch.maximum(x, self.low), self.high)
        return x + (_half_up(x / self.scale) * self.scale - x).detach()

    def index(self, x: torch.Tensor) -> torch.Tensor:
        """Number of each code, counted from the smallest."""
        return (torch.round(x / self.scale) + (self.zero - self.quantization.qmin)).long()


class Layer(nn.Module):
    """A convolution or linear layer with weights that are rounded to codes.

    Attributes:
        weight: (O, n), in steps of the codes; trainable.
        bias: (O,), real; trainable.
    """

    def __init__(self, plan: Plan, node: FloatNode) -> None:
        super().__init__()
        op = node.op
        assert isinstance(op, Conv2d | Linear)
        self.op = op
        x = plan.tensors[node.inputs[0]]
        weights = plan.weights_of(node)
        self.bits = plan.config.for_node(node.name).weight_bits
        scales = weights.scales[:, None]
        exact = per_code(node, x) / scales
        if node.name in plan.weights:  # a method chose codes: start there
            exact = weights.codes.astype(np.float64)
        self.scales = weights.scales
        self.units = torch.tensor(weights.scales, dtype=torch.float32)
        self.weight = nn.Parameter(torch.tensor(exact, dtype=torch.float32))
        self.bias = nn.Parameter(torch.tensor(op.bias, dtype=torch.float32))
        # Real value of a step of each weight: the accumulator's scale without the input's.
        channels = plan.graph.shape(node.inputs[0])[-1]
        steps = scales / np.broadcast_to(x.scale, channels)[columns(node)]
        self.steps = torch.tensor(np.broadcast_to(steps, exact.shape), dtype=torch.float32)

    def codes(self) -> torch.Tensor:
        """Weights as codes, with gradients straight through."""
        limit = float(1 << (self.bits - 1))
        inside = self.weight.clamp(-limit, limit - 1)
        return inside + (torch.round(inside) - inside).detach()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Sums before requantization, real."""
        op = self.op
        weight = (self.codes() * self.steps).reshape(op.weight.shape)
        steps = self.bias / self.units
        bias = self.bias + (torch.round(steps) * self.units - self.bias).detach()
        if isinstance(op, Linear):
            return functional.linear(x, weight, bias)
        return functional.conv2d(
            x.permute(0, 3, 1, 2),
            weight.permute(0, 3, 1, 2),
            bias,
            op.stride,
            op.padding,
            1,
            op.groups,
        ).permute(0, 2, 3, 1)

    def weights(self) -> Weights:
        """The codes as they are now."""
        return Weights(self.codes().detach().double().numpy().astype(np.int64), self.scales)


def _half_up(x: torch.Tensor) -> torch.Tensor:
    """To the nearest integer, halves up as requantization does; sums of codes meet halves often."""
    return torch.floor(x + (0.5 + _TIE))


def probabilities(scores: torch.Tensor, q: Quantization, linear: bool) -> torch.Tensor:
    """Probabilities of scores in octaves, as a softmax with codes of ``q`` gives them."""
    distance = scores.amax(dim=-1, keepdim=True) - scores
    if linear:  # the line of HyQ between powers of two
        octave = torch.floor(distance)
        e = (_LINE - (distance - octave)) * torch.exp2(-octave)
    else:
        e = torch.exp2(-distance)
    total = e.sum(dim=-1, keepdim=True)
    top = q.qmax
    if q.encoding == "affine":
        return torch.clamp(torch.round(e / total * (top + 1)), max=top) / (top + 1)
    # The number of j >= 1 with 4 E >= 3 * 2**j e.
    code = torch.clamp(torch.floor(torch.log2(4 * total / (3 * e))), 0, top)
    return torch.where(code >= top, torch.zeros_like(code), torch.exp2(-code))


def _key(name: str) -> str:
    """Node name as a key of modules, which must not contain dots."""
    return name.replace(".", "/")


def _every_value(plan: Plan, node: FloatNode, operation: Operation) -> torch.Tensor:
    """Real output for every input code of a function: (codes, 1), or (codes, C)."""
    x, y = plan.tensors[node.inputs[0]], plan.tensors[node.name]
    channels = plan.graph.shape(node.name)[-1] if y.per_channel else 1
    codes = np.repeat(np.arange(x.qmin, x.qmax + 1)[:, None], channels, axis=1)
    operation.output_type(TensorType((channels,), x))
    return torch.tensor(y.dequantize(operation.reference(codes)), dtype=torch.float32)
