"""The integer operations, one file each. An operation is added by its file and its line here."""

from __future__ import annotations

from hyq_hls.graph.operation import Operation
from hyq_hls.ops.add import Add
from hyq_hls.ops.attention_scores import AttentionScores
from hyq_hls.ops.attention_values import AttentionValues
from hyq_hls.ops.average_pool import AveragePool
from hyq_hls.ops.channel_affine import ChannelAffine
from hyq_hls.ops.concat import Concat
from hyq_hls.ops.concat_constant import ConcatConstant
from hyq_hls.ops.concat_positions import ConcatPositions
from hyq_hls.ops.constant import Constant
from hyq_hls.ops.conv2d import Conv2d
from hyq_hls.ops.dense import Dense
from hyq_hls.ops.depthwise_conv2d import DepthwiseConv2d
from hyq_hls.ops.fold import Fold
from hyq_hls.ops.global_average_pool import GlobalAveragePool
from hyq_hls.ops.group_norm import GroupNorm
from hyq_hls.ops.grouped_conv2d import GroupedConv2d
from hyq_hls.ops.layer_norm import LayerNorm
from hyq_hls.ops.linear_softmax import LinearSoftmax
from hyq_hls.ops.max_pool import MaxPool
from hyq_hls.ops.maximum import Maximum
from hyq_hls.ops.multiply import Multiply
from hyq_hls.ops.permute_positions import PermutePositions
from hyq_hls.ops.requantize import RequantizeTensor
from hyq_hls.ops.select_positions import SelectPositions
from hyq_hls.ops.separable_context import SeparableContext
from hyq_hls.ops.shift_swish import ShiftSwish
from hyq_hls.ops.table import Table
from hyq_hls.ops.table_softmax import TableSoftmax
from hyq_hls.ops.transpose import Transpose
from hyq_hls.ops.unfold import Unfold
from hyq_hls.ops.upsample import Upsample

#: Every operation by name; the file format and the back ends look operations up here.
OPERATIONS: dict[str, type[Operation]] = {
    cls.name: cls
    for cls in (
        Add,
        AttentionScores,
        AttentionValues,
        AveragePool,
        ChannelAffine,
        Concat,
        ConcatConstant,
        ConcatPositions,
        Constant,
        Conv2d,
        Dense,
        DepthwiseConv2d,
        Fold,
        GlobalAveragePool,
        GroupNorm,
        GroupedConv2d,
        LayerNorm,
        LinearSoftmax,
        Maximum,
        MaxPool,
        Multiply,
        PermutePositions,
        RequantizeTensor,
        SelectPositions,
        SeparableContext,
        ShiftSwish,
        Table,
        TableSoftmax,
        Transpose,
        Unfold,
        Upsample,
    )
}

__all__ = [
    "OPERATIONS",
    "Add",
    "AttentionScores",
    "AttentionValues",
    "AveragePool",
    "ChannelAffine",
    "Concat",
    "ConcatConstant",
    "ConcatPositions",
    "Constant",
    "Conv2d",
    "Dense",
    "DepthwiseConv2d",
    "Fold",
    "GlobalAveragePool",
    "GroupNorm",
    "GroupedConv2d",
    "LayerNorm",
    "LinearSoftmax",
    "MaxPool",
    "Maximum",
    "Multiply",
    "PermutePositions",
    "RequantizeTensor",
    "SelectPositions",
    "SeparableContext",
    "ShiftSwish",
    "Table",
    "TableSoftmax",
    "Transpose",
    "Unfold",
    "Upsample",
]
