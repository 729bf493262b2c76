"""The cost of a choice of quantization: simulations, samples, sensitivities."""

from hyq_hls.quant.judge.bit_choice import BitChoice, WidthUsage, choose_bits, error_front
from hyq_hls.quant.judge.bottlenecks import Bottleneck, bottlenecks
from hyq_hls.quant.judge.channel_factors import LayerSample, bottleneck_inputs, with_factors
from hyq_hls.quant.judge.costs import CostModel, DesignCosts
from hyq_hls.quant.judge.second_order import Chain, Choice, sample_chains
from hyq_hls.quant.judge.sensitivity import (
    Sensitivity,
    SensitivityReport,
    sensitivity_curve,
    with_bits,
)
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.judge.width_usage import width_usage

__all__ = [
    "BitChoice",
    "Bottleneck",
    "Chain",
    "Choice",
    "CostModel",
    "DesignCosts",
    "LayerSample",
    "Sensitivity",
    "SensitivityReport",
    "Simulation",
    "WidthUsage",
    "bottleneck_inputs",
    "bottlenecks",
    "choose_bits",
    "error_front",
    "sample_chains",
    "sensitivity_curve",
    "width_usage",
    "with_bits",
    "with_factors",
]
