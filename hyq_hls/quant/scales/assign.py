"""Which quantization every tensor of the graph gets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hyq_hls.capture.elementwise import Elementwise, Silu
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_ops import (
    Add,
    AttentionScores,
    AttentionValues,
    Concat,
    Conv2d,
    Fold,
    GlobalAveragePool,
    Input,
    LayerNorm,
    Linear,
    Softmax,
    Unfold,
)
from hyq_hls.graph.types import MAX_BITS, Quantization
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.scales.ranges import (
    ANY_EXPONENT,
    Through,
    best_quantization,
    channel_factors,
    channel_quantization,
)
from hyq_hls.quant.scales.scale_classes import (
    choose_bases,
    query_bases,
    reads_fraction_bits,
    scale_classes,
)
from hyq_hls.quant.scales.statistics import TensorStatistics

#: Image bytes: value = byte / 255.
IMAGE = Quantization(8, False, (1 / 255,), (0,))
#: Operations that only move codes.
MOVES = (Unfold, Fold)
#: Exponents of the steps of scores, in octaves, that an exponential takes: of steps of more than an
#: octave nothing is left, and of too fine ones I-BERT's polynomial would leave 53 bits.
_OCTAVES = {"linear": (-MAX_BITS, 0), "linear_released": (-MAX_BITS, 0), "polynomial": (-10, 0)}
#: The same of the steps that a Swish takes; Shift-Swish reads fraction bits.
_SWISH = {"shift": (-MAX_BITS, 0), "i_bert": (-10, ANY_EXPONENT[1])}
#: Functions of single codes.
FUNCTIONS = (Elementwise,)


def assign(
    graph: FloatGraph, statistics: Mapping[str, TensorStatistics], config: QuantConfig
) -> dict[str, Quantization]:
    """Quantization of every node's output, by name."""
    bases = _bases(graph, statistics, config)
    found: dict[str, Quantization] = {}
    for node in graph:
        if isinstance(node.op, Input):
            found[node.name] = IMAGE
        elif isinstance(node.op, MOVES):
            found[node.name] = found[node.inputs[0]]
        else:
            own = config.for_node(node.name)
            found[node.name] = _choose(graph, node, statistics, own, bases[node.name])
    return found


def _bases(
    graph: FloatGraph, statistics: Mapping[str, TensorStatistics], config: QuantConfig
) -> dict[str, float | None]:
    """Base of every tensor's scale, ``base * 2**k``; None: any real scale."""
    fraction = reads_fraction_bits(graph, config.swish, config.exponential == "linear")
    if config.scale != "shift":
        free = {n.name: None if config.scale == "dyadic" else _own_base(graph, n) for n in graph}
        return free | dict.fromkeys(fraction, 1.0)

    def error(name: str, base: float) -> float:
        if isinstance(graph[name].op, MOVES):
            return 0.0  # the same codes again
        own = config.for_node(name)
        return _best(graph, graph[name], statistics[name], own, base)[1]

    bases = choose_bases(scale_classes(graph, fraction), error)
    bases.update(query_bases(graph, bases))
    return {node.name: bases.get(node.name) for node in graph}


def _own_base(graph: FloatGraph, node: FloatNode) -> float:
    """1, or what a mean divides by, where weights behind it take that up for nothing."""
    readers = real_readers(graph, node.name)
    if not isinstance(node.op, GlobalAveragePool) or not readers:
        return 1.0
    height, width, _ = graph.shape(node.inputs[0])
    return 1 / (height * width) if all(isinstance(r.op, Conv2d | Linear) for r in readers) else 1.0


def _best(
    graph: FloatGraph,
    node: FloatNode,
    data: TensorStatistics,
    config: QuantConfig,
    base: float | None,
) -> tuple[Quantization, float]:
    """The best per-tensor quantization on a lattice, and its relative error."""
    readers = real_readers(graph, node.name)
    through, exponents = _constraints(node, readers, config)
    return best_quantization(
        data,
        config,
        base=base,
        bits=_bits(graph, node, readers, config),
        through=through,
        exponents=exponents,
    )


def _bits(graph: FloatGraph, node: FloatNode, readers: list[FloatNode], config: QuantConfig) -> int:
    if node.name == graph.output:
        return config.output_bits
    only_functions = readers and all(isinstance(r.op, FUNCTIONS) for r in readers)
    if only_functions:
        return max(config.activation_bits, config.preactivation_bits)
    return config.activation_bits


def _choose(
    graph: FloatGraph,
    node: FloatNode,
    statistics: Mapping[str, TensorStatistics],
    config: QuantConfig,
    base: float | None,
) -> Quantization:
    if isinstance(node.op, Softmax):
        if config.softmax == "uniform":
            return Quantization(config.softmax_bits, False, (2.0**-config.softmax_bits,))
        return Quantization(config.softmax_bits, False, encoding="log2")
    readers = real_readers(graph, node.name)
    data = statistics[node.name]
    whole, _ = _best(graph, node, data, config, base)
    kinds = tuple(type(r.op) for r in readers)
    if config.layer_norm_factors and LayerNorm in kinds and _keeps_channels(node, readers):
        return channel_factors(data, whole, config.layer_norm_factors)
    if _per_channel(node, readers, config):
        return channel_quantization(data, config, whole, base=base)
    return whole


def real_readers(graph: FloatGraph, name: str) -> list[FloatNode]:
    """Nodes that compute with a tensor, seen through pure data movement."""
    found = []
    for reader in graph.consumers(name):
        node = graph[reader]
        found += real_readers(graph, reader) if isinstance(node.op, MOVES) else [node]
    return found


def _constraints(
    node: FloatNode, readers: list[FloatNode], config: QuantConfig
) -> tuple[Through | None, tuple[int, int]]:
    """Function to judge by, and the exponents allowed; some operations read fraction bits."""
    if isinstance(node.op, AttentionScores):
        return _octave_softmax, _OCTAVES.get(config.exponential, ANY_EXPONENT)
    swish = [isinstance(r.op, Silu) for r in readers]
    if not any(swish):
        return None, ANY_EXPONENT
    return _silu if all(swish) else None, _SWISH.get(config.swish, ANY_EXPONENT)


def _keeps_channels(node: FloatNode, readers: list[FloatNode]) -> bool:
    """Whether every reader takes power-of-two factors per channel, at no cost in hardware."""
    makes = isinstance(node.op, Conv2d | Linear | Add | AttentionValues | LayerNorm)
    return makes and all(
        isinstance(r.op, Conv2d | Linear | Add | LayerNorm | Concat | GlobalAveragePool)
        for r in readers
    )


def _per_channel(node: FloatNode, readers: list[FloatNode], config: QuantConfig) -> bool:
    if config.activation_granularity == "tensor" or not takes_channels(node, readers):
        return False
    if config.activation_granularity == "depthwise":
        return all(isinstance(r.op, Conv2d) and r.op.groups > 1 for r in readers)
    # SiLU per channel is arithmetic, or a table and a requantization: nothing that is there anyway.
    return config.activation_granularity == "channel" or not isinstance(node.op, Silu)


def takes_channels(node: FloatNode, readers: list[FloatNode]) -> bool:
    """Whether a tensor may have a scale per channel: its writer can apply and its readers undo it.

    Args:
        node: the writer.
        readers: from :func:`real_readers`.
    """
    writes = Conv2d | Linear | Add | Concat | LayerNorm | AttentionValues | Silu
    return (
        isinstance(node.op, writes)
        and bool(readers)
        and all(
            isinstance(r.op, Conv2d | Linear | Add | Concat | GlobalAveragePool)
            # Attention times values keeps the channels of the values apart.
            or (isinstance(r.op, AttentionValues) and r.inputs[1] == node.name)
            for r in readers
        )
    )


def _silu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / (1 + np.exp2(-np.clip(x, -60, 60) * 1.4426950408889634))


def _octave_softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp2(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
