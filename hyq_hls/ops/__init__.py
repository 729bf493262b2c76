"""The integer operations, one file each. An operation is added by its file and its line here."""

from __future__ import annotations

from hyq_hls.graph.operation import Operation
from hyq_hls.ops.attention_scores import AttentionScores
from hyq_hls.ops.conv2d import Conv2d
from hyq_hls.ops.dense import Dense
from hyq_hls.ops.depthwise_conv2d import DepthwiseConv2d
from hyq_hls.ops.requantize import RequantizeTensor

#: Every operation by name; the file format and the back ends look operations up here.
OPERATIONS: dict[str, type[Operation]] = {
    cls.name: cls
    for cls in (
        AttentionScores,
        Conv2d,
        Dense,
        DepthwiseConv2d,
        RequantizeTensor,
    )
}

__all__ = ["OPERATIONS", "AttentionScores", "Conv2d", "Dense", "DepthwiseConv2d", "RequantizeTensor"]
