"""Ranges per channel for the inputs of depthwise convolutions (HyQ, IJCAI 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyq_hls.capture.float_ops import Conv2d, Silu
from hyq_hls.graph import Quantization
from hyq_hls.quant.assign import real_readers, takes_channels
from hyq_hls.quant.nonlinear import SILU_MINIMUM
from hyq_hls.quant.plan import Method, Plan
from hyq_hls.quant.ranges import quantization


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
            parts = []
            for index in range(data.low.size):
                channel = data.channel(index)
                if isinstance(node.op, Silu):
                    channel.low = np.full(1, SILU_MINIMUM)
                    channel.mean_low = channel.low
                parts.append(quantization(channel, config, base=base, bits=before.bits))
            changed[node.name] = Quantization(
                before.bits,
                before.signed,
                tuple(p.scale[0] for p in parts),
                tuple(p.zero_point[0] for p in parts),
            )
        return plan.with_tensors(changed)
