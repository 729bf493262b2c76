"""The geometry, border and bias that all convolutions have."""

from __future__ import annotations

from hyq_hls.engine.forms.output_stage import OutputStage, stored_zero
from hyq_hls.engine.forms.sums import Sliding, Sums, digits, planes_of
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.convolution import Convolution


def convolution_sums(
    operation: Convolution, x: TensorType, weight: Codes, low: int, high: int, depthwise: bool
) -> Sums:
    """Return the sums of a convolution.

    Args:
        operation: the convolution.
        x: type of its input.
        weight: its weights in the order of :class:`Sums`, without passes and inputs.
        low: the smallest weight of one pass.
        high: the largest weight of one pass.
        depthwise: whether every channel has weights of its own.
    """
    q = x.quantization
    rows = operation.weight.reshape(operation.weight.shape[0], -1)
    return Sums(
        weight=digits(weight[None], low, high, planes_of(q)),
        depthwise=depthwise,
        planes=planes_of(q),
        stage=OutputStage.of(operation.requantize, operation.bias + q.qmin * rows.sum(axis=1)),
        sliding=Sliding(operation.window, operation.stride, operation.dilation, operation.padding),
        border=stored_zero(operation.pad_value, q, x.channels),
    )
