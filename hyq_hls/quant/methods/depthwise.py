"""Ranges per channel for the inputs of depthwise convolutions (HyQ, IJCAI 2024)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite

import numpy as np
import torch

from hyq_hls.capture.float_graph import FloatNode
from hyq_hls.graph import Quantization
from hyq_hls.quant.lowering.table import minimum
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.ranges import channel_quantization
from hyq_hls.quant.scales.readers import origin, real_readers, takes_channels
from hyq_hls.quant.scales.statistics import TensorStatistics
from hyq_hls.quant.traits import is_depthwise, traits_of, weighted

#: Channels of a smaller share of the largest variance are dead.
_DEAD = 1e-6


@dataclass(frozen=True)
class DepthwiseRanges(Method):
    """A range per channel where only depthwise convolutions read, as they keep channels apart.

    Behind a function of elements, such as SiLU, the lower end of every channel is the minimum of
    the function, if it has one. That needs a requantization per channel: Shift-Swish ends in one,
    and behind a table it is additional.

    Source: HyQ's released code, ``qact1_1x1`` with its preset observer minimum.

    Attributes:
        least_gain: least factor by which the ranges must lower the error of the convolutions. The
            error is that of a channel over its variance, in the mean of all channels. Where a
            convolution amplifies small channels, it is large. Codes behind a function then reach
            what the distribution of its input makes likely, too, because a channel that is small
            in a few images may be large in the next. None is the published method: any gain will
            do, and nothing is reserved.
    """

    least_gain: float | None = None

    def apply(self, plan: Plan) -> Plan:
        """Return the plan with quantizations per channel for every such tensor."""
        changed = {}
        for node in plan.graph:
            readers = real_readers(plan.graph, node.name)
            depthwise = all(is_depthwise(reader) for reader in readers)
            config = plan.config.for_node(node.name)
            if not depthwise or not takes_channels(node, readers):
                continue
            data, before = plan.statistics[node.name], plan.tensors[node.name]
            base = None if config.scale == "dyadic" else before.scale[0]
            least = minimum(node.op) if traits_of(node).function else -inf
            if isfinite(least):
                low = np.full_like(data.low, least)
                data = replace(data, low=low, mean_low=low)
            found = channel_quantization(data, config, before, base=base)
            if self.least_gain is not None:
                if traits_of(node).function:
                    found = _with_reserve(plan, node, data, found, base)
                errors = [_error(plan, node, readers, codes) for codes in (before, found)]
                if errors[0] <= self.least_gain * errors[1]:
                    continue
            changed[node.name] = found
        return plan.with_tensors(changed)


def _with_reserve(
    plan: Plan,
    node: FloatNode,
    data: TensorStatistics,
    found: Quantization,
    base: float | None,
) -> Quantization:
    """Return the quantization with wider ranges of channels whose codes end too early.

    Args:
        plan: the plan with statistics of the function's input.
        node: the function.
        data: statistics of its result.
        found: quantization of the result per channel.
        base: steps are ``base * 2**k``; None allows any.
    """
    before = plan.statistics[origin(plan.graph, node.inputs[0])]
    likely = node.op.forward(torch.from_numpy(before.likely_high)).numpy()
    config = replace(plan.config.for_node(node.name), observer="minmax")
    wider = channel_quantization(replace(data, high=likely), config, found, base=base)
    ends = (found.qmax - np.asarray(found.zero_point)) * np.asarray(found.scale)
    early = data.misses(likely) & (ends < likely)
    scale = np.where(early, wider.scale, found.scale)
    zero = np.where(early, wider.zero_point, found.zero_point)
    return replace(found, scale=tuple(scale.tolist()), zero_point=tuple(zero.tolist()))


def _error(
    plan: Plan, node: FloatNode, readers: list[FloatNode], quantization: Quantization
) -> float:
    """Return the error that rounding a tensor makes in its readers, relative to their variance.

    It is zero where no channel of theirs varies.
    """
    rows = plan.statistics[node.name].rows
    rounding = ((quantization.dequantize(quantization.quantize(rows)) - rows) ** 2).mean(axis=0)
    found = []
    for reader in readers:
        layer, variance = weighted(reader), plan.statistics[reader.name].rows.var(axis=0)
        error = (np.square(layer.matrix) * rounding[layer.columns()]).sum(axis=1)
        alive = variance > _DEAD * variance.max()
        found.append(error[alive] / variance[alive])
    errors = np.concatenate(found)
    return float(errors.mean()) if errors.size else 0.0
