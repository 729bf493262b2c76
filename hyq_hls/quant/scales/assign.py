"""The choice of a quantization for every tensor of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial

import torch

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.graph.types import Quantization
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.hidden import FINEST_EXPONENT, hides
from hyq_hls.quant.image_codes import image_quantization
from hyq_hls.quant.scales.homogeneous import (
    passing_factors,
    passing_function,
    scaled,
    told_apart,
)
from hyq_hls.quant.scales.ranges import (
    Array,
    Through,
    best_quantization,
    channel_factors,
    channel_quantization,
)
from hyq_hls.quant.scales.readers import (
    origin,
    per_channel,
    read_as,
    reads_fraction_bits,
    real_readers,
    step_exponents,
    takes_channels,
)
from hyq_hls.quant.scales.scale_classes import choose_bases, product_bases, scale_classes
from hyq_hls.quant.scales.statistics import TensorStatistics
from hyq_hls.quant.traits import (
    Codes,
    PerChannel,
    has_weights,
    is_depthwise,
    traits_of,
)


def assign(
    graph: FloatGraph, statistics: Mapping[str, TensorStatistics], config: QuantConfig
) -> dict[str, Quantization]:
    """Return the quantization of every node's output, by name."""
    bases = _bases(graph, statistics, config)
    # Both sides of a function ask for its factors.
    passing = cache(partial(_passing, graph, statistics, config, bases))
    found: dict[str, Quantization] = {}
    for node in graph:
        match traits_of(node).codes:
            case Codes.IMAGE:
                found[node.name] = image_quantization(node.op)
            case Codes.MOVED | Codes.BETWEEN:
                found[node.name] = found[node.inputs[0]]
            case Codes.PROBABILITIES:
                found[node.name] = probability_codes(graph, node, config.for_node(node.name))
            case Codes.CHOSEN:
                found[node.name] = _choose(graph, node, statistics, config, bases, passing)
    return found


def _bases(
    graph: FloatGraph, statistics: Mapping[str, TensorStatistics], config: QuantConfig
) -> dict[str, float | None]:
    """Return the base of every tensor's scale, ``base * 2**k``; None allows any real scale."""
    fraction = reads_fraction_bits(graph, config)
    if config.scale != "shift":
        free = {n.name: None if config.scale == "dyadic" else _own_base(graph, n) for n in graph}
        return free | dict.fromkeys(fraction, 1.0)

    def error(name: str, base: float) -> float:
        if traits_of(graph[name]).keeps_scale:
            return 0.0  # The codes are the same again, or lie between them.
        own = config.for_node(name)
        return _best(graph, graph[name], statistics[name], own, base)[1]

    mixed = [origin(graph, n.inputs[0]) for n in graph if traits_of(n).reads_probabilities]
    bases = choose_bases(scale_classes(graph, [*fraction, *mixed]), error)
    bases.update(product_bases(graph, bases))
    return {node.name: bases.get(node.name) for node in graph}


def _own_base(graph: FloatGraph, node: FloatNode) -> float:
    """Return the divisor of a mean where weights behind it absorb it for nothing, else 1."""
    ratios = traits_of(node).ratios(graph, node)
    readers = real_readers(graph, node.name)
    if not ratios or not readers or not all(has_weights(r) for r in readers):
        return 1.0
    return next(iter(ratios.values()))


def _best(
    graph: FloatGraph,
    node: FloatNode,
    data: TensorStatistics,
    config: QuantConfig,
    base: float | None,
) -> tuple[Quantization, float]:
    """Return the best per-tensor quantization on a lattice, and its relative error."""
    readers = real_readers(graph, node.name)
    through, exponents = _constraints(readers, config)
    if hides(node.op) and config.exponential == "linear":
        exponents = max(exponents[0], FINEST_EXPONENT), exponents[1]
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
    only_functions = all(traits_of(r).function for r in readers)
    if readers and (only_functions or all(_sums_for_pole(graph, r) for r in readers)):
        return config.function_input_bits
    return config.activation_bits


def _sums_for_pole(graph: FloatGraph, node: FloatNode) -> bool:
    """Return whether a node makes the input of functions with a pole, such as a mean of squares.

    These functions magnify what rounding takes from small elements.
    """
    readers = real_readers(graph, node.name)
    return traits_of(node).linear and bool(readers) and all(traits_of(r).pole for r in readers)


def _choose(
    graph: FloatGraph,
    node: FloatNode,
    statistics: Mapping[str, TensorStatistics],
    config: QuantConfig,
    bases: Mapping[str, float | None],
    passing: Callable[[str], Array],
) -> Quantization:
    own, base, data = config.for_node(node.name), bases[node.name], statistics[node.name]
    function = passing_function(graph, node)
    if function and own.activation_granularity in ("absorbed", "channel"):
        factors = passing(function.name)
        if node is not function:
            data = told_apart(function, data)
        return scaled(_best(graph, node, data.divided(factors), own, base)[0], factors)
    readers = real_readers(graph, node.name)
    whole, _ = _best(graph, node, data, own, base)
    if own.layer_norm_factors and _wants_factors(node, readers):
        return channel_factors(data, whole, own.layer_norm_factors)
    if _per_channel(node, readers, own):
        return channel_quantization(data, own, whole, base=base)
    return whole


def _passing(
    graph: FloatGraph,
    statistics: Mapping[str, TensorStatistics],
    config: QuantConfig,
    bases: Mapping[str, float | None],
    name: str,
) -> Array:
    """Return the factors (C,) that pass through the function ``name``."""
    function, behind, own = graph[name], statistics[name], config.for_node(name)
    whole, _ = _best(graph, function, behind, own, bases[name])
    before = statistics[origin(graph, function.inputs[0])]
    return passing_factors(function, before, behind, own, whole)


def _constraints(
    readers: list[FloatNode], config: QuantConfig
) -> tuple[Through | None, tuple[int, int]]:
    """Return the function to judge by, and the exponents that are allowed.

    There is a function only where all readers compute the same one.
    """
    exponents = step_exponents(readers, config)
    functions = {repr(reader.op): reader for reader in readers}  # their parameters are numbers
    if len(functions) == 1 and all(_is_function(reader) for reader in readers):
        return partial(_apply, readers[0].op), exponents
    return None, exponents


def _is_function(node: FloatNode) -> bool:
    """Return whether a node is a function of elements or rows, without parameters in arrays."""
    traits = traits_of(node)
    return traits.function or traits.codes is Codes.PROBABILITIES


def _apply(op: FloatOp, rows: Array) -> Array:
    found: Array = op.forward(torch.from_numpy(rows)).numpy()
    return found


def probability_codes(graph: FloatGraph, node: FloatNode, config: QuantConfig) -> Quantization:
    """Return codes of probabilities: powers of two only for what weighs values with them."""
    readers = real_readers(graph, node.name)
    if config.softmax != "uniform" and not all(traits_of(r).reads_probabilities for r in readers):
        config = replace(config, softmax="uniform", softmax_bits=None)
    bits = config.probability_bits(graph.shape(node.name)[-1])
    if config.softmax == "uniform":
        return Quantization(bits, False, (2.0**-bits,))
    return Quantization(bits, False, encoding="log2")


def _wants_factors(node: FloatNode, readers: list[FloatNode]) -> bool:
    """Return whether factors cost nothing and a reader allows no other difference of channels."""
    only = any(read_as(reader, node.name) == PerChannel.FACTORS for reader in readers)
    return only and PerChannel.FACTORS in per_channel(node, readers)


def _per_channel(node: FloatNode, readers: list[FloatNode], config: QuantConfig) -> bool:
    if config.activation_granularity == "tensor" or not takes_channels(node, readers):
        return False
    if config.activation_granularity == "depthwise":
        return all(is_depthwise(reader) for reader in readers)
    # A function per channel is arithmetic, or a table and a requantization that would not be there
    # otherwise.
    return config.activation_granularity == "channel" or not traits_of(node).function
