"""Residual addition: a depthwise sum over two inputs, whose multipliers are weights."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.output_stage import OutputStage, stored_zero
from hyq_hls.engine.forms.sums import DEPTHWISE_HIGH, DEPTHWISE_LOW, Sums, digits, planes_of
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Add


def add(operation: Add, *inputs: TensorType) -> tuple[Sums, ...]:
    """Return the sum of two inputs; large multipliers take several digits."""
    channels = inputs[0].channels
    factors = [np.broadcast_to(m, channels) for m in operation.multipliers]
    bias = np.zeros(channels, np.int64)
    for x, factor, zero in zip(inputs, factors, operation.zero_points, strict=True):
        bias = bias - factor * stored_zero(zero, x.quantization, channels)
    weight = np.stack(factors)[:, None, None]
    planes = max(planes_of(x.quantization) for x in inputs)
    return (
        Sums(
            weight=digits(weight, DEPTHWISE_LOW, DEPTHWISE_HIGH, planes),
            depthwise=True,
            planes=planes,
            stage=OutputStage.of(operation.requantize, bias),
            inputs=(0, 1),
        ),
    )
