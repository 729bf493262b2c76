"""The integer context vector of separable attention."""

from __future__ import annotations

from math import ceil, log2

import numpy as np

from hyq_hls.graph import Quantization
from hyq_hls.ops import SeparableContext
from hyq_hls.quant.factors import requantize

#: Width of an exponential. A row whose largest score lies 8 below the largest code still has
#: exponentials of 6 bits.
_EXPONENTIAL_BITS = 18
#: Fraction bits of a mean beyond the step of the output: its rounding adds nothing worth naming.
_FINER_BITS = 3


def separable_context(
    scores: Quantization, keys: Quantization, output: Quantization
) -> SeparableContext:
    """Make the table of exponentials, and choose the fraction bits of the mean.

    Args:
        scores: quantization of the scores, per tensor.
        keys: quantization of the keys.
        output: quantization of the context vector.
    """
    distance = (scores.codes() - scores.qmax) * scores.scale[0]
    largest = (1 << _EXPONENTIAL_BITS) - 1
    table = np.maximum(1, np.rint(largest * np.exp(distance))).astype(np.int64)
    steps = max(1.0, max(keys.scale) / min(output.scale))
    fraction = ceil(log2(steps)) + _FINER_BITS
    out = requantize(np.asarray(keys.scale) * 2.0**-fraction, output)
    return SeparableContext(table, scores.qmin, fraction, keys.zero_point, out)
