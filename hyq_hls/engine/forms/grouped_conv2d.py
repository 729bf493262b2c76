"""Grouped convolutions: 16 output channels see the input channels of their groups alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hyq_hls.engine.forms.output_stage import OutputStage, stored_zero
from hyq_hls.engine.forms.sums import (
    OUTPUTS,
    WEIGHT_HIGH,
    WEIGHT_LOW,
    Sliding,
    Sums,
    digits,
    planes_of,
)
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import GroupedConv2d


def grouped_conv2d(operation: GroupedConv2d, x: TensorType) -> tuple[Sums, ...]:
    """Return a dense sum for every 16 output channels.

    It reads from the first input channel of their first group to the last one of their last. The
    weights of other groups in between are zero.
    """
    q, outputs = x.quantization, operation.weight.shape[0]
    wide, high = operation.weight.shape[3], outputs // operation.groups
    bias = operation.bias + q.qmin * operation.weight.reshape(outputs, -1).sum(axis=1)
    stage = OutputStage.of(operation.requantize, bias)
    border = stored_zero(operation.pad_value, q, x.channels)
    found = []
    for start in range(0, outputs, OUTPUTS):
        chosen = np.arange(start, min(start + OUTPUTS, outputs))
        groups = chosen // high
        first, last = int(groups[0]) * wide, (int(groups[-1]) + 1) * wide
        weight = np.zeros((*operation.window, last - first, chosen.size), np.int64)
        for lane, (output, group) in enumerate(zip(chosen, groups, strict=True)):
            begin = group * wide - first
            weight[:, :, begin : begin + wide, lane] = operation.weight[output]
        found.append(
            Sums(
                weight=digits(weight[None], WEIGHT_LOW, WEIGHT_HIGH, planes_of(q)),
                depthwise=False,
                planes=planes_of(q),
                stage=replace(
                    stage,
                    bias=stage.bias[chosen],
                    multiplier=stage.multiplier[chosen],
                    shift=stage.shift[chosen],
                    zero=stage.zero[chosen],
                ),
                sliding=Sliding(
                    operation.window, operation.stride, operation.dilation, operation.padding
                ),
                border=border,
                source_channel=first,
                channel=start,
            )
        )
    return tuple(found)
