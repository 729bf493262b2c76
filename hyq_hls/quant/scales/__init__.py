"""Ranges, scales and integer weights: the real value of every code."""

from hyq_hls.quant.scales.assign import assign
from hyq_hls.quant.scales.ranges import best_quantization, channel_quantization, quantization
from hyq_hls.quant.scales.readers import origin, reads_fraction_bits, real_readers, takes_channels
from hyq_hls.quant.scales.scale_classes import ScaleClass, scale_classes
from hyq_hls.quant.scales.statistics import TensorStatistics
from hyq_hls.quant.scales.weights import Weights, quantize_weights

__all__ = [
    "ScaleClass",
    "TensorStatistics",
    "Weights",
    "assign",
    "best_quantization",
    "channel_quantization",
    "origin",
    "quantization",
    "quantize_weights",
    "reads_fraction_bits",
    "real_readers",
    "scale_classes",
    "takes_channels",
]
