"""Convolutions: a dense sum for every tap of the window."""

from __future__ import annotations

from hyq_hls.engine.forms.convolution import convolution_sums
from hyq_hls.engine.forms.sums import WEIGHT_HIGH, WEIGHT_LOW, Sums
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Conv2d


def conv2d(operation: Conv2d, x: TensorType) -> tuple[Sums, ...]:
    """Return the sums of a convolution."""
    weight = operation.weight.transpose(1, 2, 3, 0)
    return (convolution_sums(operation, x, weight, WEIGHT_LOW, WEIGHT_HIGH, depthwise=False),)
