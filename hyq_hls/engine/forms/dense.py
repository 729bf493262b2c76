"""Dense layers: bytes of codes times bytes of weights, three channels at a time."""

from __future__ import annotations

from hyq_hls.engine.forms.output_stage import OutputStage
from hyq_hls.engine.forms.sums import WEIGHT_HIGH, WEIGHT_LOW, Sums, digits, planes_of
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Dense


def dense(operation: Dense, x: TensorType) -> tuple[Sums, ...]:
    """Return the sums of a dense layer; the bias takes in that stored codes begin at zero."""
    weight, q = operation.weight, x.quantization
    bias = operation.bias + q.qmin * weight.sum(axis=1)
    return (
        Sums(
            weight=digits(weight.T[None, None, None], WEIGHT_LOW, WEIGHT_HIGH, planes_of(q)),
            depthwise=False,
            planes=planes_of(q),
            stage=OutputStage.of(operation.requantize, bias),
        ),
    )
