"""Ranges per channel for the inputs of depthwise convolutions (HyQ, IJCAI 2024)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hyq_hls.capture.elementwise import Silu
from hyq_hls.capture.float_ops import Conv2d
from hyq_hls.quant.lowering.nonlinear import SILU_MINIMUM
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.assign import real_readers, takes_channels
from hyq_hls.quant.scales.ranges import channel_quantization


@dataclass(frozen=True)
class DepthwiseRanges(Method):
    """A range per channel where only depthwise convolutions read, as they keep channels apart.

    Behind a SiLU the lower end of every channel is the minimum of the function. That takes a
    requantization per channel in the SiLU: Shift-Swish ends in one, behind a table it is extra.

    Source: HyQ's released code, ``qact1_1x1`` with its preset observer minimum.
    """

    def apply(self, plan: Plan) -> Plan:
        """Quantizations per channel for every such tensor."""
        changed = {}
        for node in plan.graph:
            readers = real_readers(plan.graph, node.name)
            depthwise = all(isinstance(r.op, Conv2d) and r.op.groups > 1 for r in readers)
            config = plan.config.for_node(node.name)
            if not depthwise or not takes_channels(node, readers):
                continue
            data, before = plan.statistics[node.name], plan.tensors[node.name]
            base = None if config.scale == "dyadic" else before.scale[0]
            if isinstance(node.op, Silu):
                low = np.full_like(data.low, SILU_MINIMUM)
                data = replace(data, low=low, mean_low=low)
            changed[node.name] = channel_quantization(data, config, before, base=base)
        return plan.with_tensors(changed)
