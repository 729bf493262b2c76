"""The larger of two elements: what one exceeds the other by is added to the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyq_hls.engine.forms.output_stage import BYTE, OutputStage, stored_zero
from hyq_hls.engine.forms.sums import DEPTHWISE_HIGH, DEPTHWISE_LOW, Sums, digits, planes_of
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Maximum


@dataclass(frozen=True, eq=False)
class Larger:
    """``out = second + max(first - second, 0)`` of two codes on the grid of the output.

    A requantization never turns two values round, so that it may come before the comparison. The
    output stage makes zero of what is negative.

    Attributes:
        first: from the first input to codes of the output.
        second: from the second input to codes of the output.
        excess: what the first exceeds the second by.
        both: the sum of this and the second.
    """

    first: Sums
    second: Sums
    excess: Sums
    both: Sums

    def execute(self, *inputs: Codes) -> Codes:
        """Return the stored output codes of the stored inputs."""
        a, b = self.first.execute(inputs[0]), self.second.execute(inputs[1])
        return self.both.execute(self.excess.execute(a, b), b)


def maximum(operation: Maximum, *inputs: TensorType) -> Larger:
    """Return the sums of a comparison.

    Raises:
        ConversionError: the output has more than a byte.
    """
    channels, bits = inputs[0].channels, operation.requantize.quantization.bits
    if bits > BYTE:
        raise ConversionError(
            f"a maximum of {bits} bits; the engine compares {BYTE} bits; quantize its output to "
            f"{BYTE} bits"
        )
    first, second = (
        _aligned(operation, *parts)
        for parts in zip(inputs, operation.multipliers, operation.zero_points, strict=True)
    )
    return Larger(first, second, _pair(channels, bits, -1), _pair(channels, bits, 1))


def _aligned(operation: Maximum, x: TensorType, factor: Codes, zero: tuple[int, ...]) -> Sums:
    """Return the sum that brings an input to codes of the output."""
    weight, planes = np.broadcast_to(factor, x.channels), planes_of(x.quantization)
    bias = -weight * stored_zero(zero, x.quantization, x.channels)
    return Sums(
        weight=digits(weight[None, None, None], DEPTHWISE_LOW, DEPTHWISE_HIGH, planes),
        depthwise=True,
        planes=planes,
        stage=OutputStage.of(operation.requantize, bias),
    )


def _pair(channels: int, bits: int, factor: int) -> Sums:
    """Return the first of two codes, and ``factor`` times the second, from 0 on."""
    zeros = np.zeros(channels, np.int64)
    factors = np.array([1, factor]).reshape(1, 2, 1, 1, 1).repeat(channels, axis=-1)
    stage = OutputStage(zeros, zeros + 1, zeros, zeros, bits)
    return Sums(weight=factors, depthwise=True, planes=1, stage=stage, inputs=(0, 1))
