"""The exporters, one function per operation. An exporter is added by its line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hyq_hls.onnx_export.exporters import (
    attention,
    elementwise,
    movement,
    normalization,
    softmax,
    sums,
)
from hyq_hls.onnx_export.node import NodeExport
from hyq_hls.onnx_export.writer import Value

#: Turns a node with its operation into ONNX and returns its codes.
Exporter = Callable[[NodeExport, Any], Value]

#: Every exporter by the name of its operation.
EXPORTERS: dict[str, Exporter] = {
    "add": elementwise.add,
    "attention_scores": attention.attention_scores,
    "attention_values": attention.attention_values,
    "average_pool": sums.average_pool,
    "channel_affine": elementwise.channel_affine,
    "concat": elementwise.concat,
    "concat_constant": elementwise.concat_constant,
    "concat_positions": elementwise.concat_positions,
    "constant": movement.constant,
    "conv2d": sums.conv2d,
    "dense": sums.dense,
    "depthwise_conv2d": sums.depthwise_conv2d,
    "fold": movement.fold,
    "global_average_pool": elementwise.global_average_pool,
    "group_norm": normalization.group_norm,
    "grouped_conv2d": sums.grouped_conv2d,
    "layer_norm": normalization.layer_norm,
    "linear_softmax": softmax.linear_softmax,
    "max_pool": sums.max_pool,
    "maximum": elementwise.maximum,
    "multiply": elementwise.multiply,
    "permute_positions": movement.permute_positions,
    "requantize": elementwise.requantize,
    "select_positions": movement.select_positions,
    "separable_context": attention.separable_context,
    "shift_swish": elementwise.shift_swish,
    "table": movement.table,
    "table_softmax": softmax.table_softmax,
    "transpose": movement.transpose,
    "unfold": movement.unfold,
    "upsample": movement.upsample,
}
