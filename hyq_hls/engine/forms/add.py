"""Residual addition: a depthwise sum over two inputs, whose multipliers are weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hyq_hls.engine.forms.output_stage import OutputStage, stored_zero
from hyq_hls.engine.forms.sums import DEPTHWISE_HIGH, DEPTHWISE_LOW, Sums, digits, planes_of
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Add


def add(operation: Add, *inputs: TensorType) -> tuple[Sums, ...]:
    """Return the sum of two inputs; large multipliers take several digits."""
    channels = inputs[0].channels
    factors, requantize = _narrowed(operation, inputs)
    bias = np.zeros(channels, np.int64)
    for x, factor, zero in zip(inputs, factors, operation.zero_points, strict=True):
        bias = bias - factor * stored_zero(zero, x.quantization, channels)
    weight = factors[:, None, None]
    planes = max(planes_of(x.quantization) for x in inputs)
    return (
        Sums(
            weight=digits(weight, DEPTHWISE_LOW, DEPTHWISE_HIGH, planes),
            depthwise=True,
            planes=planes,
            stage=OutputStage.of(requantize, bias),
            inputs=(0, 1),
        ),
    )


def _narrowed(operation: Add, inputs: Sequence[TensorType]) -> tuple[Codes, Requantize]:
    """Return factors (2, C) and a requantization with the same codes, in fewer bits.

    A branch whose scale is far below that of the other one decides no more than how a tie is
    rounded. Let all its terms lie in ``[-2**m, 2**m)``, and let the other factor be a multiple of
    ``2**k``. Then k and the shift may both lose bits, as long as m is at most k and below the
    shift: beside a multiple of ``2**k`` only the sign of such a term counts, and behind a shift by
    k or less nothing of it.
    """
    requantize, channels = operation.requantize, inputs[0].channels
    low, high = (np.stack(ends) for ends in zip(*operation.term_bounds(*inputs), strict=True))
    lower, upper = (np.maximum(-low - 1, 0), high)
    width = np.vectorize(lambda a, b: max(a.bit_length(), b.bit_length()), otypes=[np.int64])
    factors = np.stack([np.broadcast_to(m, channels) for m in operation.multipliers])
    shift = np.broadcast_to(requantize.shift, channels)
    # The other one may be either.
    spare = np.minimum(_trailing_zeros(factors), shift - 1) - width(lower, upper)[::-1]
    spare = np.where(requantize.multiplier == 1, spare.clip(min=0), 0)
    if not spare.any():
        return factors, requantize
    return factors >> spare, replace(requantize, shift=shift - spare.max(axis=0))


def _trailing_zeros(values: Codes) -> Codes:
    """Return the exponent of the largest power of two that divides each of the positive values."""
    _, exponents = np.frexp(values & -values)
    found: Codes = exponents.astype(np.int64) - 1
    return found
