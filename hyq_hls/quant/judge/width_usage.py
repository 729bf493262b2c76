"""The usage of a part by width, for mixed precision within a budget.

The model is linear around the design whose codes are all as wide as they may be, at its lanes:

- a layer depends on the widths of its weights and of its input together (products, sums, packing
  of two products into one DSP slice), with its output at the widest;
- everything else that reads or writes a tensor, and the FIFOs and width converters it passes,
  changes as if only that tensor had another width; changes are added.

The widest design, and any single change to it, are exact. Two things are missing: the joint effect
of two changes elsewhere, and the change of lanes in another design.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from tqdm import tqdm

from hyq_hls.capture.float_graph import FloatNode
from hyq_hls.graph import Operation, Quantization, TensorType
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.hidden import stored
from hyq_hls.quant.judge.bit_choice import Array, WidthUsage
from hyq_hls.quant.judge.costs import CostModel, DesignCosts
from hyq_hls.quant.judge.sensitivity import Key, TensorsByBits, tensors_by_bits, with_bits
from hyq_hls.quant.lowering.lower import Lowering
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.readers import origin
from hyq_hls.quant.scales.weights import quantize_weights
from hyq_hls.quant.traits import has_weights


def width_usage(
    plan: Plan, widths: Mapping[Key, Sequence[int]], costs: CostModel, cycles: int | None = None
) -> WidthUsage:
    """Return the usage of every resource by width, in the order of ``costs.resources``.

    Args:
        plan: the plan that is built.
        widths: widths in bits that may be chosen.
        costs: costs of designs on a part.
        cycles: most cycles per frame; None leaves the choice to the machine.

    Raises:
        ConversionError: a node cannot be that fast.
    """
    return _Usage.of(plan, widths, costs, cycles).tables()


@dataclass(frozen=True, eq=False)
class _Usage:
    plan: Plan
    widths: Mapping[Key, Sequence[int]]
    config: QuantConfig
    tensors: TensorsByBits
    costs: DesignCosts
    widest: dict[str, Array] = field(default_factory=dict)

    @classmethod
    def of(
        cls, plan: Plan, widths: Mapping[Key, Sequence[int]], model: CostModel, cycles: int | None
    ) -> _Usage:
        config = plan.config
        if config.scale == "shift":
            # Widths are mixed here without choosing bases anew; powers of two fit each other, and
            # take the same circuits.
            config = replace(config, scale="power_of_two")
        tensors = tensors_by_bits(plan, config, sorted({b for own in widths.values() for b in own}))
        config = with_bits(config, {key: max(own) for key, own in widths.items()})
        widest = replace(plan, config=config, tensors=tensors[max(tensors)], weights={})
        return cls(plan, widths, config, tensors, model.design(widest.lowered(), cycles))

    def tables(self) -> WidthUsage:
        single: dict[Key, dict[int, Array]] = {}
        pairs: dict[tuple[Key, Key], dict[tuple[int, int], Array]] = {}
        for key, own in tqdm(
            self.widths.items(), "costs of widths", disable=not self.plan.progress
        ):
            if key[1] == "activations":
                single[key] = {bits: self._tensor(key[0], bits) for bits in own}
                continue
            node = self.plan.graph[key[0]]
            source: Key = (origin(self.plan.graph, node.inputs[0]), "activations")
            if source in self.widths:
                pairs[key, source] = {
                    (w, a): self._change(node, w, {source[0]: a})
                    for w in own
                    for a in self.widths[source]
                }
            else:
                single[key] = {bits: self._change(node, bits, {}) for bits in own}
        return WidthUsage(self.costs.total, single, pairs)

    def _tensor(self, name: str, bits: int) -> Array:
        """Return the change by the width of a tensor.

        Layers that read it and have a choice too are not counted.
        """
        tied = [n.name for n in self.plan.graph if origin(self.plan.graph, n.name) == name]
        total = np.zeros_like(self.costs.total)
        for moved in tied:
            total += self.costs.streams(moved, bits) - self.costs.streams(moved, self._widest)
        for node in self.plan.graph:
            reads = not {name, *tied}.isdisjoint(node.inputs)
            paired = reads and (node.name, "weights") in self.widths
            if node.name == name or (reads and not paired):
                total += self._change(node, self._weight_bits(node), {name: bits})
        return total

    def _change(self, node: FloatNode, weight_bits: int, bits: Mapping[str, int]) -> Array:
        """Return the usage of a node at other widths, less that in the widest design."""
        if node.name not in self.widest:
            self.widest[node.name] = self._cost(node, self._weight_bits(node), {})
        return self._cost(node, weight_bits, bits) - self.widest[node.name]

    def _cost(self, node: FloatNode, weight_bits: int, bits: Mapping[str, int]) -> Array:
        tensors = {name: self._quantization(name, bits) for name in (node.name, *node.inputs)}
        types = [self._type(i, tensors[i]) for i in node.inputs]
        total = np.zeros_like(self.costs.total)
        for name, operation in self._steps(node, tensors, weight_bits).items():
            total += self.costs.node(name, operation, types)
            types = [operation.output_type(*types)]
        return total

    def _type(self, name: str, quantization: Quantization) -> TensorType:
        op, config = self.plan.graph[name].op, self.config.for_node(name)
        return TensorType(self.plan.graph.shape(name), stored(op, quantization, config))

    def _steps(
        self, node: FloatNode, tensors: Mapping[str, Quantization], weight_bits: int
    ) -> dict[str, Operation]:
        graph, config = self.plan.graph, self.config.for_node(node.name)
        weights = {}
        if has_weights(node):
            config = replace(config, weight_bits=weight_bits)
            found = quantize_weights(graph, node, tensors, self.plan.statistics, config)
            weights = {node.name: found}
        return Lowering(graph, tensors, weights).steps(node, config)

    def _quantization(self, name: str, bits: Mapping[str, int]) -> Quantization:
        root = origin(self.plan.graph, name)
        return self.tensors[bits.get(root, self._widest)][name]

    def _weight_bits(self, node: FloatNode) -> int:
        return self.config.for_node(node.name).weight_bits

    @property
    def _widest(self) -> int:
        return max(self.tensors)
