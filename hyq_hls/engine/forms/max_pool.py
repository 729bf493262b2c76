"""Max pooling: the largest of the codes that the taps of a window meet."""

from __future__ import annotations

from itertools import product

import numpy as np

from hyq_hls.engine.forms.maximum import Candidate, Largest, check_compared, comparison
from hyq_hls.engine.forms.output_stage import OutputStage
from hyq_hls.engine.forms.sums import Sliding, Sums
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import MaxPool


def max_pool(operation: MaxPool, x: TensorType) -> Largest:
    """Return the comparisons of all taps; the border has the smallest code, which never wins.

    Raises:
        ConversionError: codes have more than a byte.
    """
    channels, bits = x.channels, x.quantization.bits
    check_compared(bits, "max pooling", "its input")
    zeros = np.zeros(channels, np.int64)
    same = Sums(
        weight=np.ones((1, 1, 1, 1, channels), np.int64),
        depthwise=True,
        planes=1,
        stage=OutputStage(zeros, zeros + 1, zeros, zeros, bits),
        sliding=Sliding(stride=operation.stride),
    )
    (high, wide), (down, right) = operation.kernel, operation.dilation
    taps = product(range(0, high * down, down), range(0, wide * right, right))
    return Largest(
        tuple(Candidate(0, same, tap) for tap in taps),
        *comparison(channels, bits),
        Sliding(operation.kernel, operation.stride, operation.dilation, operation.padding),
    )
