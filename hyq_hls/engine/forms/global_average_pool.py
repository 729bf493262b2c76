"""Global average pooling: a depthwise sum with weight one over a window of the whole map."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.output_stage import BYTE, OutputStage, stored_zero
from hyq_hls.engine.forms.pooled import PooledSums
from hyq_hls.engine.forms.sums import MAX_KERNEL, Sliding, Sums, planes_of
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import GlobalAveragePool

#: Most positions, and bytes, of a map that is summed at once; of a larger one, lines are summed
#: before.
_AT_ONCE, _BYTES_AT_ONCE = 1024, 1 << 16
#: Steps of a window between two of its positions.
_MAX_STRIDE = 15
#: Bits of a sum of a line.
_LINE_BITS = 2 * BYTE


def global_average_pool(
    operation: GlobalAveragePool, x: TensorType
) -> tuple[Sums, ...] | PooledSums:
    """Return the sums of a pooling; the division is part of the requantization."""
    height, width, channels = x.shape
    bias = -height * width * stored_zero(operation.zero_point, x.quantization, channels)
    stage = OutputStage.of(operation.requantize, bias)
    line = _line(x)
    if line is None:
        return (_pool(height, width, stage, planes_of(x.quantization)),)
    zeros = np.zeros(channels, np.int64)
    exact = OutputStage(zeros, zeros + 1, zeros, zeros, _LINE_BITS)
    return PooledSums(
        _pool(1, line, exact, planes_of(x.quantization), stride=line if line < width else 1),
        _pool(height, width // line, stage, planes=2),
    )


def _line(x: TensorType) -> int | None:
    """Return how many positions of a row are summed before, or None where none need that."""
    height, width, channels = x.shape
    bytes_ = height * width * channels * planes_of(x.quantization)
    small = height * width <= _AT_ONCE and bytes_ <= _BYTES_AT_ONCE
    if small and max(height, width) <= MAX_KERNEL:
        return None
    most = min(MAX_KERNEL, ((1 << _LINE_BITS) - 1) // ((1 << x.quantization.bits) - 1))
    if 1 < width <= most:
        return width
    parts = (n for n in range(min(_MAX_STRIDE, most), 1, -1) if width % n == 0)
    return next((n for n in parts if width // n <= MAX_KERNEL), None)


def _pool(height: int, width: int, stage: OutputStage, planes: int, stride: int = 1) -> Sums:
    """Return the sum of all positions of a window."""
    return Sums(
        weight=np.ones((1, 1, height, width, stage.channels), np.int64),
        depthwise=True,
        planes=planes,
        stage=stage,
        sliding=Sliding(kernel=(height, width), stride=(1, stride)),
    )
