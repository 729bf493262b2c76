"""Average pooling: a depthwise sum for every number of positions that lie inside of the map."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np

from hyq_hls.engine.forms.output_stage import OutputStage, stored_zero
from hyq_hls.engine.forms.sums import (
    DEPTHWISE_HIGH,
    DEPTHWISE_LOW,
    Region,
    Sliding,
    Sums,
    digits,
    planes_of,
)
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import AveragePool


def average_pool(operation: AveragePool, x: TensorType) -> tuple[Sums, ...]:
    """Return the sums of a pooling, one for each part of the map with a factor of its own.

    The border has the code of zero, so that a window that leaves the map may sum all of its taps.
    """
    q, channels = x.quantization, x.channels
    zero, (ph, pw) = stored_zero(operation.pad_value, q, channels), operation.padding
    rows, columns = operation.inside(*x.shape[:2])
    found = []
    for (y0, y1, high), (x0, x1, wide) in product(_runs(rows), _runs(columns)):
        weight = np.full((1, *operation.kernel, channels), operation.factor[high * wide - 1])
        if operation.centre:
            weight[0, ph, pw] -= operation.centre
        bias = -zero * weight.sum(axis=(0, 1, 2))
        found.append(
            Sums(
                weight=digits(weight, DEPTHWISE_LOW, DEPTHWISE_HIGH, planes_of(q)),
                depthwise=True,
                planes=planes_of(q),
                stage=OutputStage.of(operation.requantize, bias),
                sliding=Sliding(operation.kernel, operation.stride, padding=operation.padding),
                border=zero,
                region=Region(y0, y1, x0, x1),
            )
        )
    return tuple(found)


def _runs(counts: Codes) -> Iterator[tuple[int, int, int]]:
    """Yield first index, index behind the last, and value of every run of equal numbers."""
    ends = [0, *(np.flatnonzero(np.diff(counts)) + 1).tolist(), len(counts)]
    for start, stop in pairwise(ends):
        yield start, stop, int(counts[start])
