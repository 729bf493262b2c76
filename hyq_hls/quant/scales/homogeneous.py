"""Factors per channel that pass through a function, such as ReLU, and cost nothing.

A homogeneous function has ``f(s * x) = s * f(x)`` for every ``s > 0``. Where a channel's scale
before and behind it have the same factor, one table serves all channels. So outlier channels keep
codes of their own on both sides, as they do behind a layer (FQ-ViT's power-of-two factors, moved
through the function).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.graph.types import Quantization
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.scales.ranges import channel_quantization, covering_exponent
from hyq_hls.quant.scales.readers import origin, read_as, real_readers
from hyq_hls.quant.scales.statistics import TensorStatistics
from hyq_hls.quant.traits import PerChannel, traits_of

Array = NDArray[np.float64]

#: A channel is not finer than this share of the coarsest. One that was negative in calibration is
#: zero behind ReLU, and may become active later.
_FINEST = 2.0**-10


def passing_function(graph: FloatGraph, node: FloatNode) -> FloatNode | None:
    """Return the function through which factors of a tensor's channels pass, if there is one.

    Args:
        graph: prepared float graph.
        node: the function, or the writer of the tensor that it alone reads.
    """
    if not traits_of(node).homogeneous:
        readers = real_readers(graph, node.name)
        alone = len(readers) == 1 and traits_of(readers[0]).homogeneous
        return passing_function(graph, readers[0]) if alone else None
    source = graph[origin(graph, node.inputs[0])]
    if [r.name for r in real_readers(graph, source.name)] != [node.name]:
        return None
    behind = real_readers(graph, node.name)
    free = all(PerChannel.FACTORS in read_as(reader, node.name) for reader in behind)
    writes = PerChannel.FACTORS in traits_of(source).writes
    return node if behind and free and writes else None


def told_apart(function: FloatNode, before: TensorStatistics) -> TensorStatistics:
    """Return the statistics of a function's input without what the function does not tell apart.

    ReLU makes zero of all negative values, so codes for them would be wasted; and a channel whose
    positive values are small has large negative ones.
    """
    return before.above(0.0) if _is_flat(function) else before


def _is_flat(function: FloatNode) -> bool:
    """Return whether the function has one result for all negative values."""
    return not function.op.forward(torch.tensor([-1.0], dtype=torch.float64)).any()


def passing_factors(
    function: FloatNode,
    before: TensorStatistics,
    behind: TensorStatistics,
    config: QuantConfig,
    whole: Quantization,
) -> Array:
    """Return powers of two (C,) of at most 1, from the ranges of a function's result.

    Codes reach what the input's distribution makes likely, even where no calibration image did.
    They reach the negative inputs too, if the function tells them apart.

    Args:
        function: a function from :func:`passing_function`.
        before: statistics of its input.
        behind: statistics of its result.
        config: configuration of the function.
        whole: quantization of the result per tensor.
    """
    base, levels = whole.scale[0], (1 << whole.bits) - 1
    steps = np.asarray(channel_quantization(behind, config, whole, base=base).scale)
    likely = before.likely_high
    needed = np.where(behind.misses(likely), likely, steps * levels) / levels
    if not _is_flat(function):
        needed = np.maximum(needed, -before.low / levels)
    steps = np.maximum(steps, base * 2.0 ** covering_exponent(needed / base))
    found: Array = np.maximum(steps / steps.max(), _FINEST)
    return found


def factors_behind_functions(
    graph: FloatGraph, tensors: Mapping[str, Quantization]
) -> dict[str, Array]:
    """Return the factors (C,) of results that are those of the function's input, by name."""
    found: dict[str, Array] = {}
    for node in graph:
        if not traits_of(node).homogeneous:
            continue
        before, behind = (np.asarray(tensors[n].scale) for n in (*node.inputs, node.name))
        factors = behind / behind.max()
        if before.size > 1 and (before / before.max() == factors).all():
            found[node.name] = factors
    return found


def scaled(q: Quantization, factors: Array) -> Quantization:
    """Return a quantization with factors (C,) or (1,) on its scales."""
    return replace(q, scale=tuple(float(s) for s in np.asarray(q.scale) * factors))
