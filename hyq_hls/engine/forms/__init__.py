"""The forms in which the engine computes every operation, one file each.

A form is made of an operation and the types of its inputs. It can be executed in numpy, on stored
codes, and the compiler turns it into instructions. An operation gets its form by a file and by its
line in :data:`FORMS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hyq_hls import ops
from hyq_hls.engine.forms.add import add
from hyq_hls.engine.forms.attended import AttendedSums, Operand
from hyq_hls.engine.forms.attention_scores import attention_scores
from hyq_hls.engine.forms.attention_values import attention_values
from hyq_hls.engine.forms.average_pool import average_pool
from hyq_hls.engine.forms.channel_affine import channel_affine
from hyq_hls.engine.forms.concat import concat
from hyq_hls.engine.forms.concat_constant import concat_constant
from hyq_hls.engine.forms.concat_positions import concat_positions
from hyq_hls.engine.forms.constant import ConstantCodes, constant
from hyq_hls.engine.forms.conv2d import conv2d
from hyq_hls.engine.forms.dense import dense
from hyq_hls.engine.forms.depthwise_conv2d import depthwise_conv2d
from hyq_hls.engine.forms.global_average_pool import global_average_pool
from hyq_hls.engine.forms.grouped_conv2d import grouped_conv2d
from hyq_hls.engine.forms.layer_norm import NormRows, layer_norm
from hyq_hls.engine.forms.max_pool import max_pool
from hyq_hls.engine.forms.maximum import Largest, maximum
from hyq_hls.engine.forms.moves import Move, Moves
from hyq_hls.engine.forms.multiply import Products, multiply
from hyq_hls.engine.forms.output_stage import OutputStage, table_of
from hyq_hls.engine.forms.patches import Patches, fold, unfold
from hyq_hls.engine.forms.permute_positions import permute_positions
from hyq_hls.engine.forms.pooled import PooledSums
from hyq_hls.engine.forms.requantize import requantize
from hyq_hls.engine.forms.select_positions import select_positions
from hyq_hls.engine.forms.softmax import KINDS, SoftmaxRows, softmax
from hyq_hls.engine.forms.staged import StagedSums
from hyq_hls.engine.forms.sums import Region, Sliding, Sums, executed
from hyq_hls.engine.forms.table import shift_swish, table
from hyq_hls.engine.forms.transpose import Turned, transpose
from hyq_hls.engine.forms.upsample import upsample
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Node, Operation
from hyq_hls.graph.operation import Codes

__all__ = [
    "FORMS",
    "KINDS",
    "AttendedSums",
    "ConstantCodes",
    "Form",
    "Largest",
    "Move",
    "Moves",
    "NormRows",
    "Operand",
    "OutputStage",
    "Patches",
    "PooledSums",
    "Products",
    "Region",
    "Sliding",
    "SoftmaxRows",
    "StagedSums",
    "Sums",
    "Turned",
    "execute",
    "form_of",
    "forms_of",
    "stages_of",
    "table_of",
]

#: A node is one of these; several sums write channels, or regions, of their own each.
Form = (
    tuple[Sums, ...]
    | StagedSums
    | PooledSums
    | AttendedSums
    | SoftmaxRows
    | NormRows
    | Patches
    | Moves
    | Products
    | Largest
    | Turned
    | ConstantCodes
)

#: Forms of the operations; the others do not run on the engine.
FORMS: dict[type[Operation], Callable[..., Form]] = {
    ops.Add: add,
    ops.AttentionScores: attention_scores,
    ops.AttentionValues: attention_values,
    ops.AveragePool: average_pool,
    ops.ChannelAffine: channel_affine,
    ops.Concat: concat,
    ops.ConcatConstant: concat_constant,
    ops.ConcatPositions: concat_positions,
    ops.Constant: constant,
    ops.Conv2d: conv2d,
    ops.Dense: dense,
    ops.DepthwiseConv2d: depthwise_conv2d,
    ops.Fold: fold,
    ops.GlobalAveragePool: global_average_pool,
    ops.GroupedConv2d: grouped_conv2d,
    ops.LayerNorm: layer_norm,
    ops.LinearSoftmax: softmax,
    ops.MaxPool: max_pool,
    ops.Maximum: maximum,
    ops.Multiply: multiply,
    ops.PermutePositions: permute_positions,
    ops.RequantizeTensor: requantize,
    ops.SelectPositions: select_positions,
    ops.ShiftSwish: shift_swish,
    ops.Table: table,
    ops.TableSoftmax: softmax,
    ops.Transpose: transpose,
    ops.Unfold: unfold,
    ops.Upsample: upsample,
}

#: What a model may have in the place of an operation without form.
_INSTEAD: dict[type[Operation], str] = {
    ops.GroupNorm: "batch normalization, or a LayerNorm over the channels, in its place",
    ops.SeparableContext: "attention of queries and keys in its place",
}


def form_of(graph: Graph, node: Node) -> Form:
    """Return the form of a node.

    Raises:
        ConversionError: the engine cannot compute it. The message names the node.
    """
    operation: Any = node.operation
    found = FORMS.get(type(operation))
    if found is None:
        known = ", ".join(sorted({kind.name for kind in FORMS}))
        model = f"a model with {_INSTEAD[type(operation)]}"
        raise ConversionError(
            f"{node.name}: {operation.name} has no form for the engine, which computes {known}; "
            f"choose the streaming architecture, or {model}"
        )
    try:
        return found(operation, *graph.input_types(node))
    except ConversionError as error:
        raise ConversionError(f"{node.name}: {error}") from error


def forms_of(graph: Graph) -> dict[str, Form]:
    """Return the forms of all nodes by name.

    Raises:
        ConversionError: a node has none.
    """
    return {node.name: form_of(graph, node) for node in graph.nodes.values()}


def stages_of(form: Form) -> list[OutputStage]:
    """Return the output stages of a form."""
    found: list[OutputStage] = []
    match form:
        case StagedSums():
            found = [form.first.stage, form.second.stage]
        case PooledSums():
            found = [form.whole.stage]
        case Largest():
            found = [candidate.sums.stage for candidate in form.candidates]
        case AttendedSums() | Products():
            found = [form.stage]
        case Moves():
            found = [part.sums.stage for part in form.parts if part.sums is not None]
        case tuple():
            found = [sums.stage for sums in form]
    return found


def execute(graph: Graph, node: Node, form: Form, *codes: Codes) -> Codes:
    """Compute a node by its form, from codes to codes, as its ``reference`` does.

    Args:
        graph: the graph of the node.
        node: the node.
        form: its form.
        codes: input codes (B, *shape), int64.

    Raises:
        ConversionError: a sum leaves its range, which the form's bounds should have excluded.
    """
    types = graph.input_types(node)
    stored = [x - t.quantization.qmin for x, t in zip(codes, types, strict=True)]
    out = executed(form, *stored) if isinstance(form, tuple) else form.execute(*stored)
    return out.reshape(-1, *node.type.shape) + node.type.quantization.qmin
