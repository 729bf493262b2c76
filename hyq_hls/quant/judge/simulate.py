"""The quantized network in floating point, with gradients, as a model of the integers.

Codes are real numbers here. A tensor holds ``scale * (code - zero_point)`` exactly as in the
integers, and rounding passes gradients as if it were not there (straight-through estimator, Bengio
et al. 2013). Functions of single codes come from the integer operation itself, code by code. Two
things differ from the integers: the rounding of an exact half, and the last bits of LayerNorm,
softmax and constants per position. Results are judged on the integers, never here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hyq_hls.capture.float_graph import FloatNode, Observer
from hyq_hls.graph import Operation, Quantization, TensorType
from hyq_hls.ops.softmax import Softmax as SoftmaxOperation
from hyq_hls.quant.hidden import stored
from hyq_hls.quant.lowering.lower import Lowering
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.weights import Weights, per_code, weight_steps
from hyq_hls.quant.traits import Codes, has_weights, traits_of, weighted

#: A half that floating point made a little smaller counts as a half.
_TIE = 2.0**-12


class Simulation(nn.Module):
    """Differentiable model of a plan's integers.

    Attributes:
        layers: the convolutions and linear layers by name (dots become slashes), with trainable
            weights and biases.

    Args:
        plan: plan to simulate; it is not changed.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.tensors = {
            node.name: FakeQuantize(_stored(plan, node))
            for node in plan.graph
            if traits_of(node).codes not in (Codes.IMAGE, Codes.PROBABILITIES)
        }
        self.layers = nn.ModuleDict()
        self._functions: dict[str, torch.Tensor] = {}
        lowering = Lowering(plan.graph, plan.tensors, {})
        for node in plan.graph:
            config = plan.config.for_node(node.name)
            if has_weights(node):
                self.layers[_key(node.name)] = Layer(plan, node)
            elif not traits_of(node).arithmetic(config).exact:
                steps = lowering.steps(node, config)
                if traits_of(node).codes is Codes.PROBABILITIES:
                    self._functions[node.name] = _exponentials(plan, node, steps[node.name])
                else:
                    self._functions[node.name] = _every_value(plan, node, steps.values())

    def layer(self, name: str) -> Layer:
        """Return the layer of a node."""
        found = self.layers[_key(name)]
        assert isinstance(found, Layer)
        return found

    def all_layers(self) -> Iterator[Layer]:
        """Yield every convolution and linear layer, in topological order."""
        return (self.layer(node.name) for node in self.plan.graph if has_weights(node))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (B, classes) of images (B, C, H, W) in [0, 1]."""
        output = self.plan.graph.output
        return self.values(images, keep=(output,))[output]

    def values(
        self,
        images: torch.Tensor,
        *,
        keep: Collection[str],
        observe: Observer | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return the values of some nodes, real, batched and channels-last.

        Args:
            images: float (B, C, H, W) in [0, 1].
            keep: names of the nodes.
            observe: as in :meth:`~hyq_hls.capture.float_graph.FloatGraph.run`, but called with the
                values before they are rounded to codes; its result is rounded instead.
        """
        graph = self.plan.graph

        def rounded(name: str, value: torch.Tensor) -> torch.Tensor:
            replaced = observe(name, value) if observe else None
            value = value if replaced is None else replaced
            has_rounding = traits_of(graph[name]).codes in (Codes.CHOSEN, Codes.BETWEEN)
            return self.tensors[name](value) if has_rounding else value

        return graph.run(images, keep=keep, observe=rounded, compute=self._value)

    def _value(self, node: FloatNode, inputs: list[torch.Tensor]) -> torch.Tensor:
        if has_weights(node):
            result: torch.Tensor = self.layer(node.name)(inputs[0])
            return result
        smooth = node.op.forward(*inputs)
        if node.name not in self._functions:
            return smooth
        x, table = inputs[0].detach(), self._functions[node.name]
        codes = self.tensors[node.inputs[0]]
        if traits_of(node).codes is Codes.PROBABILITIES:
            distance = x.amax(dim=-1, keepdim=True) - x
            exponential = table[torch.round(distance / codes.scale).long()]
            config = self.plan.config.for_node(node.name)
            y = self.plan.tensors[node.name]
            found = probabilities(exponential, config.softmax_output(y.encoding), y.bits)
        else:
            index = codes.index(x)
            found = table[index, torch.arange(index.shape[-1]) % table.shape[-1]]
        return smooth + (found - smooth).detach()


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
        """Return the nearest values that have a code."""
        rounded: torch.Tensor = _Round.apply(  # type: ignore[no-untyped-call]  # torch has no types for it
            x, self.scale, self.low, self.high
        )
        return rounded

    def index(self, x: torch.Tensor) -> torch.Tensor:
        """Return the number of each code, counted from the smallest."""
        return (torch.round(x / self.scale) + (self.zero - self.quantization.qmin)).long()


class _Round(torch.autograd.Function):
    """Rounding to the nearest multiple of a scale between two ends; halves go up as in hardware.

    Gradients pass where nothing saturates. Exact halves are frequent in sums of codes.
    """

    @staticmethod
    def forward(
        context: Any,
        x: torch.Tensor,
        scale: torch.Tensor,
        low: torch.Tensor,
        high: torch.Tensor,
    ) -> torch.Tensor:
        """Round ``x``; ``scale`` and the ends are () or (C,)."""
        inside = torch.minimum(torch.maximum(x, low), high)
        context.save_for_backward(inside == x)
        return (inside / scale).add_(0.5 + _TIE).floor_().mul_(scale)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Pass the gradient of the values that did not saturate."""
        (inside,) = context.saved_tensors
        return gradients[0] * inside, None, None, None


class Layer(nn.Module):
    """A convolution or linear layer with weights that are rounded to codes.

    Attributes:
        weight: weights (O, n), in steps of the codes; trainable.
        bias: biases (O,), in steps of the output's codes; trainable.
    """

    def __init__(self, plan: Plan, node: FloatNode) -> None:
        super().__init__()
        self.layer = weighted(node)
        x = plan.tensors[node.inputs[0]]
        weights = plan.weights_of(node)
        self.bits = plan.config.for_node(node.name).weight_bits
        exact = per_code(node, x) / weights.scales[:, None]
        if node.name in plan.weights:  # A method chose codes, and learning starts there.
            exact = weights.codes.astype(np.float64)
        self.scales = weights.scales
        out: NDArray[np.float64] = np.asarray(plan.tensors[node.name].scale)
        self.output_steps = np.broadcast_to(out, len(exact))
        # Biases are integers in the accumulator's steps.
        self.finer = torch.tensor(self.output_steps / weights.scales, dtype=torch.float32)
        self.units = torch.tensor(weights.scales, dtype=torch.float32)
        self.weight = nn.Parameter(torch.tensor(exact, dtype=torch.float32))
        bias = torch.tensor(plan.bias_of(node) / self.output_steps, dtype=torch.float32)
        self.bias = nn.Parameter(bias)
        self.steps = torch.tensor(weight_steps(node, x, weights.scales), dtype=torch.float32)

    def codes(self) -> torch.Tensor:
        """Return the weights as codes; gradients pass the rounding."""
        limit = float(1 << (self.bits - 1))
        inside = self.weight.clamp(-limit, limit - 1)
        return inside + (torch.round(inside) - inside).detach()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the real sums before requantization."""
        steps = self.bias * self.finer
        bias = (steps + (torch.round(steps) - steps).detach()) * self.units
        return self.layer.forward(x, self.codes() * self.steps, bias)

    def real_bias(self) -> NDArray[np.float64]:
        """Return the biases (O,) as real values."""
        return self.bias.detach().double().numpy() * self.output_steps

    def weights(self) -> Weights:
        """Return the codes as they are now."""
        return Weights(self.codes().detach().double().numpy().astype(np.int64), self.scales)


def probabilities(exponential: torch.Tensor, output: str, bits: int) -> torch.Tensor:
    """Return probabilities (..., N) of exponentials (..., N), as an integer softmax rounds them.

    See :class:`~hyq_hls.ops.table_softmax.TableSoftmax` for the outputs.
    """
    quotient = exponential.sum(dim=-1, keepdim=True) / exponential  # infinite for zeros
    top = (1 << bits) - 1
    if output == "uniform":
        return torch.clamp(torch.floor((top + 1) / quotient + 0.5), max=top) / (top + 1)
    if output == "log2_rounded":
        quotient = torch.round(quotient)
    code = torch.clamp(torch.floor(torch.log2(quotient * (4 / 3))), 0, top)
    return torch.where(code >= top, torch.zeros_like(code), torch.exp2(-code))


def _key(name: str) -> str:
    """Return a node name as a key of modules, which must not contain dots."""
    return name.replace(".", "/")


def _stored(plan: Plan, node: FloatNode) -> Quantization:
    return stored(node.op, plan.tensors[node.name], plan.config.for_node(node.name))


def _exponentials(plan: Plan, node: FloatNode, operation: Operation) -> torch.Tensor:
    """Return the exponential (codes,) of every distance from a row's maximum, over that of zero."""
    distances = np.arange(1 << _stored(plan, plan.graph[node.inputs[0]]).bits)
    exponential = cast("SoftmaxOperation", operation).exponential(distances)
    return torch.tensor(exponential / exponential[0], dtype=torch.float32)


def _every_value(plan: Plan, node: FloatNode, operations: Iterable[Operation]) -> torch.Tensor:
    """Return the real output for every input code: (codes, 1), or (codes, C)."""
    x, y = plan.tensors[node.inputs[0]], plan.tensors[node.name]
    channels = plan.graph.shape(node.name)[-1] if y.per_channel else 1
    codes = np.repeat(x.codes()[:, None], channels, axis=1)
    between = TensorType((channels,), x)
    for operation in operations:
        between, codes = operation.output_type(between), operation.reference(codes)
    return torch.tensor(y.dequantize(codes), dtype=torch.float32)
