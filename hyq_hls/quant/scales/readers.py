"""The writer and the readers of a tensor, seen through operations that only move codes."""

from __future__ import annotations

from collections.abc import Iterable

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.traits import ANY_EXPONENT, PerChannel, traits_of


def real_readers(graph: FloatGraph, name: str) -> list[FloatNode]:
    """Return the nodes that compute with a tensor, seen through what keeps its scale.

    A movement between channels is among them, because it takes one scale for all.
    """
    found = []
    for reader in graph.consumers(name):
        node = graph[reader]
        traits = traits_of(node)
        if not traits.keeps_channels:
            found.append(node)
        if traits.keeps_scale:
            found += real_readers(graph, reader)
    return found


def origin(graph: FloatGraph, name: str) -> str:
    """Return the name of the tensor that held these codes before they were moved."""
    node = graph[name]
    return origin(graph, node.inputs[0]) if traits_of(node).keeps_scale else name


def reads_fraction_bits(graph: FloatGraph, config: QuantConfig) -> list[str]:
    """Return the tensors whose scale must be a power of two.

    They are the inputs and the results of operations that read fraction bits.
    """
    found: list[str] = []
    for node in graph:
        if traits_of(node).arithmetic(config).fraction_bits:
            found += [*(origin(graph, name) for name in node.inputs), node.name]
    return found


def step_exponents(readers: Iterable[FloatNode], config: QuantConfig) -> tuple[int, int]:
    """Return the smallest and the largest step exponent that all readers of a tensor allow."""
    asked = [traits_of(reader).arithmetic(config).exponents for reader in readers]
    least, most = zip(ANY_EXPONENT, *asked, strict=True)
    return max(least), min(most)


def per_channel(node: FloatNode, readers: list[FloatNode]) -> PerChannel:
    """Return in which ways the channels of a tensor may differ.

    Its writer and all its readers must allow a way.

    Args:
        node: the writer.
        readers: nodes from :func:`real_readers`.
    """
    found = traits_of(node).writes if readers else PerChannel.NOTHING
    for reader in readers:
        found &= read_as(reader, node.name)
    return found


def read_as(reader: FloatNode, name: str) -> PerChannel:
    """Return in which ways the channels of a tensor may differ for one of its real readers."""
    traits, found = traits_of(reader), PerChannel.BOTH
    for index, source in enumerate(reader.inputs):
        # It is not known which input holds codes that were moved on their way: all inputs must
        # allow it.
        if source == name or name not in reader.inputs:
            found &= traits.reads_of(index)
    return found


def takes_channels(node: FloatNode, readers: list[FloatNode]) -> bool:
    """Return whether every channel may have a scale of its own; see :func:`per_channel`."""
    return PerChannel.SCALES in per_channel(node, readers)
