"""The plan of a quantization, which methods read and change before it becomes integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.graph import Graph, Quantization
from hyq_hls.quant.calibrate import calibrate
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.lowering.lower import lower
from hyq_hls.quant.scales.assign import assign
from hyq_hls.quant.scales.statistics import TensorStatistics
from hyq_hls.quant.scales.weights import Weights, quantize_weights
from hyq_hls.quant.traits import has_weights, traits_of, weighted


@dataclass(frozen=True, eq=False)
class Plan:
    """A float graph with everything that decides its integers; methods return a changed one.

    Attributes:
        graph: prepared float graph, whose function the integers should compute. Methods that change
            it keep its function.
        config: bits, schemes, nonlinear functions.
        images: calibration images, bytes (B, H, W, C).
        statistics: statistics of every node's output in ``graph``.
        tensors: quantization of every node's output.
        weights: weights of the layers for which a method chose codes; all others round to nearest.
        biases: real biases (O,) of the layers for which a method chose others than the graph has.
        progress: whether long work shows a bar.
        notes: findings of methods, for reports.
    """

    graph: FloatGraph
    config: QuantConfig
    images: NDArray[np.uint8]
    statistics: Mapping[str, TensorStatistics]
    tensors: Mapping[str, Quantization]
    weights: Mapping[str, Weights] = field(default_factory=dict)
    biases: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    progress: bool = True
    notes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, graph: FloatGraph, config: QuantConfig, images: NDArray[np.uint8], progress: bool
    ) -> Plan:
        """Calibrate, and give every tensor the quantization that the configuration demands.

        Raises:
            QuantizationError: the quantizer does not know an operation, or a tensor is not finite.
        """
        for node in graph:
            traits_of(node)  # Refuse unknown operations before calibration, which is slow.
        statistics = calibrate(graph, images, config.momentum, progress)
        tensors = assign(graph, statistics, config)
        return cls(graph, config, images, statistics, tensors, progress=progress)

    def with_graph(self, graph: FloatGraph) -> Plan:
        """Return the plan of another graph: it is calibrated again, and nothing is chosen yet."""
        plan = Plan.of(graph, self.config, self.images, self.progress)
        return replace(plan, notes=self.notes)

    def with_config(self, config: QuantConfig) -> Plan:
        """Return the plan of another configuration, with the same statistics and nothing chosen."""
        tensors = assign(self.graph, self.statistics, config)
        return replace(self, config=config, tensors=tensors, weights={}, biases={})

    def with_tensors(self, tensors: Mapping[str, Quantization]) -> Plan:
        """Return the plan with other quantizations of some tensors.

        Tensors that have their scale from these change too. Weights and biases chosen before are
        dropped, because they belong to the scales before.
        """
        changed = {**self.tensors, **tensors}
        for node in self.graph:
            if traits_of(node).keeps_scale:
                changed[node.name] = changed[node.inputs[0]]
        return replace(self, tensors=changed, weights={}, biases={})

    def noted(self, **notes: Any) -> Plan:
        """Return the plan with notes added."""
        return replace(self, notes={**self.notes, **notes})

    def weights_of(self, node: FloatNode) -> Weights:
        """Return the integer weights of a layer: those chosen, or rounded to nearest."""
        if node.name in self.weights:
            return self.weights[node.name]
        config = self.config.for_node(node.name)
        return quantize_weights(self.graph, node, self.tensors, self.statistics, config)

    def bias_of(self, node: FloatNode) -> NDArray[np.float64]:
        """Return the real bias (O,) of a layer: that chosen, or the graph's."""
        return self.biases.get(node.name, weighted(node).bias)

    def lowered(self, metadata: dict[str, Any] | None = None) -> Graph:
        """Return the integer graph.

        Errors are those of :func:`~hyq_hls.quant.lowering.lower.lower`.
        """
        weights = {node.name: self.weights_of(node) for node in self.graph if has_weights(node)}
        biases: dict[str, FloatOp] = {}
        for name, bias in self.biases.items():
            layer = weighted(self.graph[name])
            biases[name] = layer.with_parameters(layer.matrix, bias)
        graph = self.graph.replace(biases)
        return lower(graph, self.tensors, weights, self.config, metadata or {})
