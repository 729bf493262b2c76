"""The integer operations that nodes would become, before any calibration.

Which operation a node becomes depends on its parameters and on the configuration, not on the
values of scales. So the rules of the lowering run with stand-ins for scales and weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.unknown import Unknown
from hyq_hls.errors import GraphError, QuantizationError
from hyq_hls.graph import Operation, Quantization, TensorType
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.image_codes import image_quantization
from hyq_hls.quant.lowering.lower import Lowering
from hyq_hls.quant.prepare import check_softmax
from hyq_hls.quant.scales.assign import probability_codes
from hyq_hls.quant.scales.weights import Weights
from hyq_hls.quant.traits import Codes, has_weights, traits_of, weighted

#: Step of the stand-ins: a power of two that every operation takes.
_STEP = 2.0**-4


@dataclass(frozen=True)
class PreviewedNode:
    """A float node and what the lowering makes of it.

    Attributes:
        node: the float node.
        steps: integer operations in the order of the data, each with the types of its inputs; none
            for the image, and for a node that has no integer operation.
        problem: why there is no integer operation; empty where there is one.
    """

    node: FloatNode
    steps: tuple[tuple[Operation, tuple[TensorType, ...]], ...] = ()
    problem: str = ""


def previewed(graph: FloatGraph, config: QuantConfig) -> Iterator[PreviewedNode]:
    """Lower every node of a prepared float graph by itself.

    Args:
        graph: scores are in octaves; ``Unknown`` nodes may stand for what is not captured.
        config: choices about quantization.
    """
    quantizations: dict[str, Quantization] = {}
    types: dict[str, TensorType] = {}
    for node in graph:
        own = config.for_node(node.name)
        quantizations[node.name] = _stand_in(graph, node, own, quantizations)
        types[node.name] = TensorType(graph.shape(node.name), quantizations[node.name])
        if isinstance(node.op, Unknown) or node.name == graph.input:
            yield PreviewedNode(node)
            continue
        try:
            lowering = Lowering(graph, quantizations, _weights(node))
            check_softmax(node)
            steps = []
            inputs = tuple(types[name] for name in node.inputs)
            for operation in lowering.steps(node, own).values():
                steps.append((operation, inputs))
                types[node.name] = operation.output_type(*inputs)
                inputs = (types[node.name],)
            yield PreviewedNode(node, tuple(steps))
        except (GraphError, QuantizationError) as error:
            yield PreviewedNode(node, problem=str(error))


def _stand_in(
    graph: FloatGraph,
    node: FloatNode,
    config: QuantConfig,
    before: Mapping[str, Quantization],
) -> Quantization:
    """Return the quantization of a node, as far as its operation fixes it, or else a stand-in."""
    try:
        if traits_of(node).keeps_scale:
            return before[node.inputs[0]]
        if traits_of(node).codes is Codes.IMAGE:
            return image_quantization(node.op)
        if traits_of(node).codes is Codes.PROBABILITIES:
            return probability_codes(graph, node, config)
    except QuantizationError:
        pass  # The lowering says what is missing.
    return Quantization(8, False, (_STEP,), (128,))


def _weights(node: FloatNode) -> dict[str, Weights]:
    try:
        layer = weighted(node) if has_weights(node) else None
    except QuantizationError:
        layer = None
    if layer is None:
        return {}
    scales = np.full(len(layer.bias), _STEP * 2.0**-7)
    return {node.name: Weights(np.zeros(layer.matrix.shape, np.int64), scales)}
