"""A factor per channel and a summand: a depthwise sum, to which constants may be added."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.output_stage import BYTE, OutputStage, check_sum
from hyq_hls.engine.forms.sums import DEPTHWISE_HIGH, DEPTHWISE_LOW, Sums, digits, planes_of
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import ChannelAffine


def channel_affine(operation: ChannelAffine, x: TensorType) -> tuple[Sums, ...]:
    """Return the sums of a factor and a summand per channel.

    What is the same at all positions is a bias. The rest are bytes that the array adds.

    Raises:
        ConversionError: summands of positions meet codes or factors of several bytes.
    """
    q, planes = x.quantization, planes_of(x.quantization)
    factors = np.broadcast_to(operation.weight, x.channels)
    weight = digits(factors[None, None, None], DEPTHWISE_LOW, DEPTHWISE_HIGH, planes)
    bias = operation.bias + q.qmin * factors
    least = bias.min(axis=0)
    stage = OutputStage.of(operation.requantize, least)
    if len(bias) == 1:
        return (Sums(weight=weight, depthwise=True, planes=planes, stage=stage),)
    if planes > 1 or len(weight) > 1:
        raise ConversionError(
            f"codes of {q.bits} bits and factors from {factors.min()} to {factors.max()} meet a "
            f"summand for every position; the engine takes codes of {BYTE} bits and factors from "
            f"{DEPTHWISE_LOW} to {DEPTHWISE_HIGH} there; quantize this input and this constant to "
            f"{BYTE} bits"
        )
    summand = bias - least
    largest = int(summand.max())
    check_sum(Bounds(0, largest), "summands")
    passes = max(1, -(-largest.bit_length() // BYTE))
    together = np.zeros((passes, 2, 1, 1, x.channels), np.int64)
    together[-1, 0], together[:, 1] = weight[0, 0], 1
    return (
        Sums(
            weight=together,
            depthwise=True,
            planes=1,
            stage=stage,
            highest=largest >> BYTE * (passes - 1),
            summand=summand,
        ),
    )
