"""Which quantization every tensor of the graph gets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

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
    Silu,
    Softmax,
    Unfold,
)
from hyq_hls.graph.types import MAX_BITS, Quantization
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.ranges import (
    ANY_EXPONENT,
    Through,
    channel_factors,
    channel_quantization,
    quantization,
)
from hyq_hls.quant.statistics import TensorStatistics

#: Image bytes: value = byte / 255.
IMAGE = Quantization(8, False, (1 / 255,), (0,))
_MOVES = (Unfold, Fold)


def assign(
    graph: FloatGraph, statistics: Mapping[str, TensorStatistics], config: QuantConfig
) -> dict[str, Quantization]:
    """Quantization of every node's output, by name."""
    found: dict[str, Quantization] = {}
    for node in graph:
        if isinstance(node.op, Input):
            found[node.name] = IMAGE
        elif isinstance(node.op, _MOVES):
            found[node.name] = found[node.inputs[0]]
        else:
            found[node.name] = _choose(graph, node, statistics, config.for_node(node.name))
    return found


def _choose(
    graph: FloatGraph,
    node: FloatNode,
    statistics: Mapping[str, TensorStatistics],
    config: QuantConfig,
) -> Quantization:
    if isinstance(node.op, Softmax):
        if config.softmax == "log2":
            return Quantization(config.softmax_bits, False, encoding="log2")
        return Quantization(config.softmax_bits, False, (2.0**-config.softmax_bits,))
    readers = _readers(graph, node.name)
    through, exponents = _constraints(node, readers)
    data = statistics[node.name]
    power_of_two = exponents != ANY_EXPONENT or config.scale == "power_of_two"
    base = quantization(
        data,
        config,
        power_of_two=power_of_two,
        bits=config.output_bits if node.name == graph.output else None,
        through=through,
        exponents=exponents,
    )
    kinds = tuple(type(r.op) for r in readers)
    if config.layer_norm_factors and LayerNorm in kinds and _keeps_channels(node, readers):
        return channel_factors(data, base, config.layer_norm_factors)
    if _per_channel(node, readers, config):
        return channel_quantization(data, config, base, power_of_two=power_of_two)
    return base


def _readers(graph: FloatGraph, name: str) -> list[FloatNode]:
    """Nodes that compute with a tensor, seen through pure data movement."""
    found = []
    for reader in graph.consumers(name):
        node = graph[reader]
        found += _readers(graph, reader) if isinstance(node.op, _MOVES) else [node]
    return found


def _constraints(
    node: FloatNode, readers: list[FloatNode]
) -> tuple[Through | None, tuple[int, int]]:
    """Function to judge by, and the exponents allowed; some operations read shifts only."""
    if isinstance(node.op, AttentionScores):
        return _octave_softmax, (-MAX_BITS, 0)
    swish = [isinstance(r.op, Silu) for r in readers]
    if not any(swish):
        return None, ANY_EXPONENT
    return _silu if all(swish) else None, (-MAX_BITS, 0)


def _keeps_channels(node: FloatNode, readers: list[FloatNode]) -> bool:
    """Whether every reader takes power-of-two factors per channel, at no cost in hardware."""
    makes = isinstance(node.op, Conv2d | Linear | Add | AttentionValues | LayerNorm)
    return makes and all(
        isinstance(r.op, Conv2d | Linear | Add | LayerNorm | Concat | GlobalAveragePool)
        for r in readers
    )


def _per_channel(node: FloatNode, readers: list[FloatNode], config: QuantConfig) -> bool:
    if config.activation_granularity == "tensor" or not readers:
        return False
    makes = isinstance(node.op, Conv2d | Linear | Add | Concat | LayerNorm | AttentionValues)
    # Shift-Swish may requantize per channel, in arithmetic; a table has one output scale.
    swish = isinstance(node.op, Silu) and config.swish == "shift"
    if not makes and not (swish and config.activation_granularity != "absorbed"):
        return False
    if config.activation_granularity == "depthwise":
        return all(isinstance(r.op, Conv2d) and r.op.groups > 1 for r in readers)
    return all(
        isinstance(r.op, Conv2d | Linear | Add | Concat | GlobalAveragePool)
        # Attention times values keeps the channels of the values apart.
        or (isinstance(r.op, AttentionValues) and r.inputs[1] == node.name)
        for r in readers
    )


def _silu(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / (1 + np.exp2(-np.clip(x, -60, 60) * 1.4426950408889634))


def _octave_softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp2(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
