"""Ranges per channel for the inputs of depthwise convolutions (HyQ, IJCAI 2024)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite

import numpy as np

from hyq_hls.quant.lowering.table import minimum
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.ranges import channel_quantization
from hyq_hls.quant.scales.readers import real_readers, takes_channels
from hyq_hls.quant.traits import is_depthwise, traits_of


@dataclass(frozen=True)
class DepthwiseRanges(Method):
    """A range per channel where only depthwise convolutions read, as they keep channels apart.

    Behind a function of elements, such as SiLU, the lower end of every channel is the minimum of
    the function, if it has one. That needs a requantization per channel: Shift-Swish ends in one,
    and behind a table it is additional.

    Source: HyQ's released code, ``qact1_1x1`` with its preset observer minimum.
    """

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
            changed[node.name] = channel_quantization(data, config, before, base=base)
        return plan.with_tensors(changed)
