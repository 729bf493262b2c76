"""Inverted bottlenecks in the float graph: expand, depthwise, project."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.quant.traits import is_depthwise, is_pointwise, traits_of, weighted


@dataclass(frozen=True)
class Bottleneck:
    """The layers of an inverted bottleneck (MobileNetV2).

    Attributes:
        expand: name of the layer that expands; None where it is missing.
        depthwise: name of the depthwise convolution.
        project: name of the layer that projects.
    """

    expand: str | None
    depthwise: str
    project: str


def bottlenecks(graph: FloatGraph) -> list[Bottleneck]:
    """Return every depthwise convolution that a 1x1 convolution reads, functions aside."""
    found = []
    for node in graph:
        if not is_depthwise(node) or weighted(node).pointwise:
            continue
        readers = _past_functions(graph, node.name)
        if len(readers) == 1 and is_pointwise(readers[0]):
            before = graph[node.inputs[0]]
            while traits_of(before).function:
                before = graph[before.inputs[0]]
            expand = before.name if is_pointwise(before) else None
            found.append(Bottleneck(expand, node.name, readers[0].name))
    return found


def _past_functions(graph: FloatGraph, name: str) -> list[FloatNode]:
    found = []
    for reader in graph.consumers(name):
        node = graph[reader]
        if traits_of(node).function:
            found += _past_functions(graph, reader)
        else:
            found.append(node)
    return found
