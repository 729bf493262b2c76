"""The second-order cost of a rounding for the network's answer: gradients, samples of tensors.

For the output ``O`` of a chain of operations, ``L(O + dO) - L(O) ~ E[dO^T diag((dL/dO)**2) dO]``.
The square of the gradient stands for the Hessian (BRECQ, Li et al., ICLR 2021; PTQ4ViT, Yuan et
al., ECCV 2022). The inputs of a chain come from the float network. Positions are sampled, so that
thousands of quantizations can be judged in minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm import tqdm

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.graph import Quantization
from hyq_hls.quant.calibrate import batches
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.sampling import sampled_rows
from hyq_hls.quant.scales.weights import (
    Weights,
    per_code,
    round_codes,
    weight_scales,
    weight_steps,
)
from hyq_hls.quant.traits import has_weights, traits_of, weighted

Array = NDArray[np.float64]

#: Number of images whose gradients are in memory at once.
_BATCH = 4
#: Number of multiplications by which a chain is judged, and the fewest and the most positions.
_WORK = 1 << 21
_FEWEST, _MOST = 256, 2048


@dataclass
class Choice:
    """The quantization that a search looks for. Searches change it in place.

    Attributes:
        plan: the plan with graph, statistics and configuration.
        tensors: quantization of every node's output.
        shares: for every layer (O,), the scale of a row of weights over the scale that covers its
            largest weight.
    """

    plan: Plan
    tensors: dict[str, Quantization]
    shares: dict[str, Array]
    _known: dict[str, tuple[tuple[Any, ...], torch.Tensor]] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan) -> Choice:
        """Return the choice of a plan as it is now, but with weights rounded to nearest."""
        choice = cls(plan, dict(plan.tensors), {})
        for node in plan.graph:
            if has_weights(node):
                choice.shares[node.name] = plan.weights_of(node).scales / choice.covering(node)
        return choice

    def covering(self, node: FloatNode) -> Array:
        """Return the accumulator scales (O,) at which codes reach each row's largest weight."""
        config = replace(self.plan.config.for_node(node.name), observer="minmax")
        real, y = per_code(node, self.tensors[node.inputs[0]]), self.tensors[node.name]
        unit = np.broadcast_to(y.scale, len(real))
        return weight_scales(real, np.ones(real.shape[1]), config, unit)

    def weights(self, node: FloatNode) -> Weights:
        """Return the codes and accumulator scales of a layer."""
        scales = self.covering(node) * self.shares[node.name]
        real = per_code(node, self.tensors[node.inputs[0]])
        return Weights(
            round_codes(real, scales, self.plan.config.for_node(node.name).weight_bits), scales
        )

    def real_weight(self, node: FloatNode) -> torch.Tensor:
        """Return the real weights (O, n) that the codes of a layer stand for, float32."""
        name = node.inputs[0]
        x, y = self.tensors[name], self.tensors[node.name]
        # One scale for the whole input is the scale of all sums too. It changes no code.
        key = (x.scale if x.per_channel else None, y.scale, self.shares[node.name].tobytes())
        if node.name not in self._known or self._known[node.name][0] != key:
            self._known[node.name] = key, self._real_weight(node, x)
        return self._known[node.name][1]

    def _real_weight(self, node: FloatNode, x: Quantization) -> torch.Tensor:
        weights = self.weights(node)
        real = weights.codes * weight_steps(node, x, weights.scales)
        return torch.tensor(real, dtype=torch.float32)


@dataclass(frozen=True, eq=False)
class Chain:
    """A chain of operations with a sample of its inputs and of the exact values of its output.

    Attributes:
        nodes: operations, each of which reads the one before. All but the first must be functions
            of positions.
        inputs: inputs of the first node from the float network, float32 (n, ..., C); patches
            (n, kh * kw, C) for a convolution.
        output: output of the last node in the float network, (n, ..., C).
        gradient: gradient (n, ..., C) of the loss by that output in the quantized network, times
            the root of the number of positions that each position stands for.
    """

    nodes: tuple[FloatNode, ...]
    inputs: tuple[torch.Tensor, ...]
    output: torch.Tensor
    gradient: torch.Tensor
    _known: dict[int, tuple[Quantization, torch.Tensor]] = field(default_factory=dict)

    def sums(self, choice: Choice | None, until: str | None = None) -> torch.Tensor:
        """Return the output of a node of the chain before it is rounded itself.

        Args:
            choice: choice that rounds inputs, weights and the tensors between; None computes in
                float.
            until: name of the node; None means the last one.
        """
        values = list(self.inputs)
        if choice:
            names = self.nodes[0].inputs
            values = [self._input(i, choice.tensors[name]) for i, name in enumerate(names)]
        for node in self.nodes:
            value = _value(node, values, choice)
            if node.name == until:
                break
            values = [rounded(value, choice.tensors[node.name]) if choice else value]
        return value

    def _input(self, index: int, q: Quantization) -> torch.Tensor:
        """Return a rounded input; keep the last one for searches that change something else."""
        if index not in self._known or self._known[index][0] is not q:
            self._known[index] = q, rounded(self.inputs[index], q)
        return self._known[index][1]

    def errors(self, choice: Choice) -> Array:
        """Return the second-order cost (C,) of a choice per channel of the output."""
        cost = ((self.sums(choice) - self.output) * self.gradient) ** 2
        return cost.reshape(-1, cost.shape[-1]).sum(dim=0, dtype=torch.float64).numpy()

    def squares(self, choice: Choice, name: str, exact: torch.Tensor) -> Array:
        """Return the sums (C,) of squared errors of a node; ``exact`` holds its float values."""
        found: Array = ((self.sums(choice, name) - exact) ** 2).sum(dim=0).double().numpy()
        return found

    def error(self, choice: Choice) -> float:
        """Return the sum of the errors."""
        return float(self.errors(choice).sum())


def rounded(x: torch.Tensor, q: Quantization) -> torch.Tensor:
    """Return the nearest values (..., C) that have a code; probabilities stay as they are."""
    if q.encoding == "log2":
        return x
    if not q.per_channel:
        zero, step = q.zero_point[0], q.scale[0]
        return (x / step).round_().clamp_(q.qmin - zero, q.qmax - zero).mul_(step)
    zeros = torch.tensor(q.zero_point, dtype=torch.float32)
    steps = torch.tensor(q.scale, dtype=torch.float32)
    codes = (x / steps).round_()
    return torch.clamp(codes, q.qmin - zeros, q.qmax - zeros).mul_(steps)


def _value(node: FloatNode, values: Sequence[torch.Tensor], choice: Choice | None) -> torch.Tensor:
    traits = traits_of(node)
    if traits.weights is None:
        # A sample has one axis in the place of the leading ones, the first of which is the batch.
        axes = (traits.leading or 1) - 1
        spread = (value.reshape(len(value), *[1] * axes, *value.shape[1:]) for value in values)
        return node.op.forward(*spread).flatten(0, axes)
    layer = weighted(node)
    matrix = choice.real_weight(node) if choice else torch.tensor(layer.matrix, dtype=torch.float32)
    return layer.sums(values[0], matrix, torch.tensor(layer.bias, dtype=torch.float32))


def sample_chains(
    plan: Plan, nodes: Mapping[str, Sequence[FloatNode]], images: NDArray[np.uint8]
) -> dict[str, Chain]:
    """Run the float network and the quantized one, and keep a sample of every chain.

    The loss is the Kullback-Leibler divergence of the quantized network's probabilities from the
    float network's, summed over the images. The quantized network is that of the whole plan, as in
    the algorithm of Q-HyViT. (The released code of PTQ4ViT and its successors quantizes one layer
    at a time for this. There the divergence is zero, and the gradient is noise.)

    Args:
        plan: the plan to measure.
        nodes: nodes of every chain, by any key; they are of the plan's graph.
        images: bytes (B, H, W, C).

    Returns:
        Chains by the same keys; gradients are relative to the largest of all.
    """
    graph, simulation = plan.graph, Simulation(plan).requires_grad_(False)
    found: dict[str, list[tuple[torch.Tensor, ...]]] = {key: [] for key in nodes}
    count = -(-len(images) // _BATCH)
    bar = tqdm(batches(images, _BATCH), "gradients", count, unit="batch", disable=not plan.progress)
    for index, batch in enumerate(bar):
        with torch.no_grad():
            real = graph.run(batch)
        gradients = _gradients(simulation, batch, real[graph.output], nodes.values())
        for key, members in nodes.items():
            first, last = members[0], members[-1]
            outputs = [units_of(first, real[last.name]), units_of(first, gradients[last.name])]
            rows = _rows(graph, first, len(outputs[0]), count, index)
            inputs = _inputs(first, [real[name] for name in first.inputs], rows)
            output, gradient = (value[rows] for value in outputs)
            root = (len(outputs[0]) / len(rows)) ** 0.5
            found[key].append((*inputs, output, gradient * root))
    chains = {}
    for key, members in nodes.items():
        *inputs, output, gradient = (torch.cat(column) for column in zip(*found[key], strict=True))
        chains[key] = Chain(tuple(members), tuple(inputs), output, gradient)
    largest = max((float(chain.gradient.abs().max()) for chain in chains.values()), default=0.0)
    if not largest:
        return chains
    return {key: replace(c, gradient=c.gradient / largest) for key, c in chains.items()}


def _gradients(
    simulation: Simulation,
    batch: torch.Tensor,
    logits: torch.Tensor,
    nodes: Iterable[Sequence[FloatNode]],
) -> dict[str, torch.Tensor]:
    """Return the gradient of the loss by the output of each chain, by the name of its last node."""
    output = simulation.plan.graph.output
    names = list(dict.fromkeys(members[-1].name for members in nodes))
    values = simulation.values(batch.clone().requires_grad_(), keep=(output, *names))
    # Double precision is necessary for differences of probabilities near 1.
    wanted = functional.log_softmax(logits.double(), dim=-1)
    found = functional.log_softmax(values[output].double(), dim=-1)
    loss = functional.kl_div(found, wanted, reduction="sum", log_target=True)
    gradients = torch.autograd.grad(loss, [values[n] for n in names], allow_unused=True)
    return {
        n: torch.zeros_like(values[n]) if g is None else g
        for n, g in zip(names, gradients, strict=True)
    }


def _leading(node: FloatNode, axes: int) -> int:
    """Return the number of leading axes, batch included, over which an operation is repeated."""
    return traits_of(node).leading or axes - 1


def units_of(node: FloatNode, value: torch.Tensor) -> torch.Tensor:
    """Return a value (B, ..., C) as (units, ...): an operation treats its units one by one."""
    return value.detach().flatten(0, _leading(node, value.ndim) - 1)


def _rows(graph: FloatGraph, node: FloatNode, units: int, count: int, index: int) -> torch.Tensor:
    """Return the units of a batch that are kept, others in every batch."""
    shapes = [graph.shape(name) for name in (*node.inputs, node.name)]
    lead = _leading(node, len(shapes[-1]) + 1) - 1
    multiplications = traits_of(node).work
    if has_weights(node):
        work = weighted(node).matrix.size
    elif multiplications:
        work = multiplications(shapes)
    else:
        work = sum(prod(shape[lead:]) for shape in shapes)
    rowwise = lead == len(shapes[-1]) - 1
    wanted = min(max(_WORK // work, _FEWEST if rowwise else 1), _MOST)
    repeated = shapes[-1][:lead]
    kept = sampled_rows((units // prod(repeated), *repeated), ceil(wanted / count), index, count)
    return torch.arange(units)[kept]


def _inputs(
    node: FloatNode, values: Sequence[torch.Tensor], rows: torch.Tensor
) -> list[torch.Tensor]:
    if has_weights(node):
        return [weighted(node).windows(value, rows) for value in values]
    return [units_of(node, value)[rows] for value in values]
