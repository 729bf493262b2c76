"""Requantization: a depthwise sum with weight one, whose zero point is in the bias."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.output_stage import OutputStage, stored_zero
from hyq_hls.engine.forms.sums import Sums, planes_of
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import RequantizeTensor


def requantized(
    requantize: Requantize, zero: tuple[int, ...], x: TensorType, which: int = 0, channel: int = 0
) -> Sums:
    """Return ``requantize(x - zero)`` of input ``which``, from output ``channel`` on."""
    channels = x.channels
    return Sums(
        weight=np.ones((1, 1, 1, 1, channels), np.int64),
        depthwise=True,
        planes=planes_of(x.quantization),
        stage=OutputStage.of(requantize, -stored_zero(zero, x.quantization, channels)),
        inputs=(which,),
        channel=channel,
    )


def requantize(operation: RequantizeTensor, x: TensorType) -> tuple[Sums, ...]:
    """Return the sums of a requantization."""
    return (requantized(operation.requantize, operation.zero_point, x),)
