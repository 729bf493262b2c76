"""The largest of several codes: what one exceeds another by is added to the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hyq_hls.engine.forms.output_stage import BYTE, OutputStage, stored_zero
from hyq_hls.engine.forms.sums import (
    DEPTHWISE_HIGH,
    DEPTHWISE_LOW,
    Sliding,
    Sums,
    as_map,
    digits,
    planes_of,
)
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Maximum


@dataclass(frozen=True, eq=False)
class Candidate:
    """Codes of which the largest may be one.

    Attributes:
        which: the input of the node.
        sums: from its codes to codes of the output.
        tap: row and column of the input, before the first of which lies the border, that belong
            to the first position of the output.
    """

    which: int
    sums: Sums
    tap: tuple[int, int] = (0, 0)


@dataclass(frozen=True, eq=False)
class Largest:
    """``larger(a, b) = b + max(a - b, 0)``, of all candidates one after the other.

    Candidates are on the grid of the output: a requantization never turns two values round, so
    that it may come before the comparison. The output stage makes zero of what is negative.

    Attributes:
        candidates: what is compared.
        excess: what a code exceeds another one by.
        both: the sum of this and the other one.
        sliding: the window, whose border has the smallest code.
    """

    candidates: tuple[Candidate, ...]
    excess: Sums
    both: Sums
    sliding: Sliding = field(default_factory=Sliding)

    def execute(self, *inputs: Codes) -> Codes:
        """Return the stored output codes of the stored inputs."""
        first, *others = (self._codes(candidate, *inputs) for candidate in self.candidates)
        for other in others:
            first = self.both.execute(self.excess.execute(first, other), other)
        return first

    def _codes(self, candidate: Candidate, *inputs: Codes) -> Codes:
        x, (down, right) = as_map(inputs[candidate.which]), self.sliding.stride
        rows, pixels = self.sliding.output(*x.shape[1:3])
        (above, left), (y, z) = self.sliding.padding, candidate.tap
        padded = np.pad(x, ((0, 0), (above, above), (left, left), (0, 0)))
        taken = padded[:, y : y + (rows - 1) * down + 1, z : z + (pixels - 1) * right + 1]
        return candidate.sums.execute(taken)


def maximum(operation: Maximum, *inputs: TensorType) -> Largest:
    """Return the sums of a comparison.

    Raises:
        ConversionError: the output has more than a byte.
    """
    channels, bits = inputs[0].channels, operation.requantize.quantization.bits
    check_compared(bits, "a maximum", "its output")
    candidates = (
        Candidate(which, _aligned(operation, *parts))
        for which, parts in enumerate(
            zip(inputs, operation.multipliers, operation.zero_points, strict=True)
        )
    )
    return Largest(tuple(candidates), *comparison(channels, bits))


def check_compared(bits: int, what: str, where: str) -> None:
    """Raise ``ConversionError`` unless codes that are compared fit a byte."""
    if bits > BYTE:
        raise ConversionError(
            f"{what} of {bits} bits; the engine compares {BYTE} bits; quantize {where} to "
            f"{BYTE} bits"
        )


def comparison(channels: int, bits: int) -> tuple[Sums, Sums]:
    """Return what a code exceeds another one by, and the sum of two codes, from 0 on."""
    zeros = np.zeros(channels, np.int64)
    stage = OutputStage(zeros, zeros + 1, zeros, zeros, bits)
    excess, both = (
        Sums(
            weight=np.array([1, factor]).reshape(1, 2, 1, 1, 1).repeat(channels, axis=-1),
            depthwise=True,
            planes=1,
            stage=stage,
            inputs=(0, 1),
        )
        for factor in (-1, 1)
    )
    return excess, both


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
