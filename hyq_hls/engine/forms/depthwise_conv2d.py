"""Depthwise convolutions: one tap of 16 channels at a time."""

from __future__ import annotations

from hyq_hls.engine.forms.convolution import convolution_sums
from hyq_hls.engine.forms.sums import DEPTHWISE_HIGH, DEPTHWISE_LOW, Sums
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import DepthwiseConv2d


def depthwise_conv2d(operation: DepthwiseConv2d, x: TensorType) -> tuple[Sums, ...]:
    """Return the sums of a depthwise convolution."""
    weight = operation.weight.transpose(1, 2, 0)
    return (convolution_sums(operation, x, weight, DEPTHWISE_LOW, DEPTHWISE_HIGH, depthwise=True),)
