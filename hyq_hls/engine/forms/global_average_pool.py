"""Global average pooling: a depthwise sum with weight one over a window of the whole map."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.output_stage import OutputStage, stored_zero
from hyq_hls.engine.forms.sums import Sliding, Sums, planes_of
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import GlobalAveragePool


def global_average_pool(operation: GlobalAveragePool, x: TensorType) -> tuple[Sums, ...]:
    """Return the sums of a pooling; the division is part of the requantization."""
    height, width, channels = x.shape
    bias = -height * width * stored_zero(operation.zero_point, x.quantization, channels)
    return (
        Sums(
            weight=np.ones((1, 1, height, width, channels), np.int64),
            depthwise=True,
            planes=planes_of(x.quantization),
            stage=OutputStage.of(operation.requantize, bias),
            sliding=Sliding(kernel=(height, width)),
        ),
    )
