"""Who writes a tensor and who computes with it, seen through operations that only move codes."""

from __future__ import annotations

from collections.abc import Iterable

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.traits import ANY_EXPONENT, Codes, PerChannel, traits_of


def real_readers(graph: FloatGraph, name: str) -> list[FloatNode]:
    """Nodes that compute with a tensor, seen through pure data movement."""
    found = []
    for reader in graph.consumers(name):
        node = graph[reader]
        moves = traits_of(node).codes is Codes.MOVED
        found += real_readers(graph, reader) if moves else [node]
    return found


def origin(graph: FloatGraph, name: str) -> str:
    """The tensor whose codes these are, before they were moved."""
    node = graph[name]
    return origin(graph, node.inputs[0]) if traits_of(node).codes is Codes.MOVED else name


def reads_fraction_bits(graph: FloatGraph, config: QuantConfig) -> list[str]:
    """Tensors whose scale must be a power of two, because an operation reads fraction bits.

    They are what such an operation reads, and its result.
    """
    found: list[str] = []
    for node in graph:
        if traits_of(node).arithmetic(config).fraction_bits:
            found += [*(origin(graph, name) for name in node.inputs), node.name]
    return found


def step_exponents(readers: Iterable[FloatNode], config: QuantConfig) -> tuple[int, int]:
    """Smallest and largest exponent that all readers allow for a step of what they read."""
    asked = [traits_of(reader).arithmetic(config).exponents for reader in readers]
    least, most = zip(ANY_EXPONENT, *asked, strict=True)
    return max(least), min(most)


def per_channel(node: FloatNode, readers: list[FloatNode]) -> PerChannel:
    """In which ways the channels of a tensor may differ: its writer and all readers allow it.

    Args:
        node: the writer.
        readers: from :func:`real_readers`.
    """
    found = traits_of(node).writes if readers else PerChannel.NOTHING
    for reader in readers:
        found &= read_as(reader, node.name)
    return found


def read_as(reader: FloatNode, name: str) -> PerChannel:
    """In which ways the channels of a tensor may differ for one of its real readers."""
    traits, found = traits_of(reader), PerChannel.BOTH
    for index, source in enumerate(reader.inputs):
        # Which input codes are that were moved on their way is not looked up: all must take them.
        if source == name or name not in reader.inputs:
            found &= traits.reads_of(index)
    return found


def takes_channels(node: FloatNode, readers: list[FloatNode]) -> bool:
    """Whether every channel of a tensor may have a scale of its own; see :func:`per_channel`."""
    return PerChannel.SCALES in per_channel(node, readers)
