"""Factors per channel at a layer's input, and the error that they leave at its output.

Both HyQ's distribution scaling (``qads``) and outlier scaling by powers of two
(``outlier_scaling``) divide every channel of an input by a factor before one quantizer, and
multiply the weights that meet it: ``conv(x, w) ~ conv(AQ(x / f), WQ(w * f))``. In integers the
factor is the channel's scale, ``f * S``, which the producer's requantization applies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.graph import Quantization
from hyq_hls.quant.config import QuantConfig
from hyq_hls.quant.judge.bottlenecks import bottlenecks
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.ranges import quantization
from hyq_hls.quant.scales.readers import real_readers, takes_channels
from hyq_hls.quant.traits import traits_of, weighted

Array = NDArray[np.float64]
#: Factors never leave this range: a channel that was dead in calibration may become active later.
SMALLEST, LARGEST = 2.0**-12, 2.0**12
#: Smallest step of inputs and of weights (for weights it is that of the released code).
_TINY = 1e-5


@dataclass(frozen=True, eq=False)
class LayerSample:
    """A 1x1 layer and a sample of its input.

    Attributes:
        x: input (n, C) of the float network, float32.
        weight: weights (O, C), float32.
        config: configuration of the layer; activations are asymmetric, weights symmetric per output
            channel.
    """

    x: torch.Tensor
    weight: torch.Tensor
    config: QuantConfig

    def error(
        self,
        factors: torch.Tensor,
        round_: Callable[[torch.Tensor], torch.Tensor] = torch.round,
    ) -> torch.Tensor:
        """Return the mean squared error () of the layer's sums with both operands quantized.

        It is differentiable. The scales are real and come from the ranges (HyQ, ``quant_loss`` of
        the released code).

        Args:
            factors: factors (C,).
            round_: rounding, straight through or with its zero gradient.
        """
        levels = (1 << self.config.activation_bits) - 1
        scaled = self.x / factors
        low, high = scaled.amin().clamp(max=0.0), scaled.amax().clamp(min=0.0)
        step = ((high - low) / levels).clamp(min=_TINY)
        zero = torch.clamp(-torch.round(low / step), 0, levels).detach()
        codes = torch.clamp(round_(scaled / step) + zero, 0, levels)
        x = (codes - zero) * step
        limit = (1 << (self.config.weight_bits - 1)) - 1
        weight = self.weight * factors
        steps = weight.abs().amax(dim=1, keepdim=True).clamp(min=_TINY) / limit
        weight = round_(weight / steps).clamp(-limit, limit) * steps
        return ((x @ weight.T - self.x @ self.weight.T) ** 2).mean()


def straight_through(x: torch.Tensor) -> torch.Tensor:
    """Round with a gradient of one (Bengio et al. 2013)."""
    return x + (torch.round(x) - x).detach()


def bottleneck_inputs(plan: Plan, rows: int) -> dict[str, LayerSample]:
    """Return samples of the inputs of expanding and projecting layers that take factors."""
    found: dict[str, LayerSample] = {}
    for block in bottlenecks(plan.graph):
        for name in (block.expand, block.project):
            if name is None:
                continue
            node = plan.graph[name]
            tensor = node.inputs[0]
            if not _takes_factors(plan, tensor):
                continue
            sample = plan.statistics[tensor].rows
            step = max(1, len(sample) // rows)
            found[tensor] = LayerSample(
                torch.tensor(sample[::step][:rows], dtype=torch.float32),
                torch.tensor(weighted(node).matrix, dtype=torch.float32),
                plan.config.for_node(name),
            )
    return found


def with_factors(plan: Plan, factors: Mapping[str, Array]) -> Plan:
    """Return the plan with channel scales of factor times one step, with one zero point.

    The other tensors of a residual stream get the factors too: an addition keeps channels apart,
    and an outlier channel of a sum is one of its operands. The step comes from the tensor's range
    after division, by the configured observer, on the lattice of the scale that it had.

    Args:
        plan: the plan whose tensors change.
        factors: positive (C,) per tensor name; powers of two unless ``config.scale`` is
            ``dyadic``.
    """
    shared = {name: np.clip(f, SMALLEST, LARGEST) for name, f in factors.items()}
    for stream in _streams(plan.graph):
        known = next((shared[name] for name in stream if name in factors), None)
        if known is None:
            continue
        for name in stream:
            if name not in shared and _takes_factors(plan, name):
                shared[name] = known
    return plan.with_tensors({name: _divided(plan, name, f) for name, f in shared.items()})


def _streams(graph: FloatGraph) -> list[list[str]]:
    """Return the tensors that additions join channel by channel, in topological order."""
    of: dict[str, list[str]] = {}
    for node in graph:
        of[node.name] = [node.name]
        traits = traits_of(node)
        if traits.adds or traits.keeps_channels:
            parts = {id(of[name]): of[name] for name in node.inputs}
            joined = [name for part in parts.values() for name in part] + [node.name]
            of.update(dict.fromkeys(joined, joined))
    return list({id(stream): stream for stream in of.values()}.values())


def _takes_factors(plan: Plan, name: str) -> bool:
    return takes_channels(plan.graph[name], real_readers(plan.graph, name))


def _divided(plan: Plan, name: str, factors: Array) -> Quantization:
    config, before = plan.config.for_node(name), plan.tensors[name]
    base = None if config.scale == "dyadic" else before.scale[0]
    data = plan.statistics[name].divided(factors)
    whole = quantization(data, config, base=base, bits=before.bits)
    scale = tuple(float(whole.scale[0] * f) for f in factors)
    return Quantization(whole.bits, whole.signed, scale, whole.zero_point)
