"""The circuits of the streaming machine, one file for every operation.

An operation gets its circuit by a file and by its line in :data:`CIRCUITS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hyq_hls import ops
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Operation, TensorType
from hyq_hls.stream.circuits.add import AddCircuit
from hyq_hls.stream.circuits.attention_scores import AttentionScoresCircuit
from hyq_hls.stream.circuits.attention_values import AttentionValuesCircuit
from hyq_hls.stream.circuits.average_pool import AveragePoolCircuit
from hyq_hls.stream.circuits.channel_affine import ChannelAffineCircuit
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.concat import ConcatCircuit
from hyq_hls.stream.circuits.concat_constant import ConcatConstantCircuit
from hyq_hls.stream.circuits.concat_positions import ConcatPositionsCircuit
from hyq_hls.stream.circuits.constant import ConstantCircuit
from hyq_hls.stream.circuits.conv2d import Conv2dCircuit
from hyq_hls.stream.circuits.dense import DenseCircuit
from hyq_hls.stream.circuits.depthwise_conv2d import DepthwiseConv2dCircuit
from hyq_hls.stream.circuits.fold import FoldCircuit
from hyq_hls.stream.circuits.global_average_pool import GlobalAveragePoolCircuit
from hyq_hls.stream.circuits.group_norm import GroupNormCircuit
from hyq_hls.stream.circuits.layer_norm import LayerNormCircuit
from hyq_hls.stream.circuits.linear_softmax import LinearSoftmaxCircuit
from hyq_hls.stream.circuits.max_pool import MaxPoolCircuit
from hyq_hls.stream.circuits.maximum import MaximumCircuit
from hyq_hls.stream.circuits.multiply import MultiplyCircuit
from hyq_hls.stream.circuits.permute_positions import PermutePositionsCircuit
from hyq_hls.stream.circuits.requantize import RequantizeCircuit
from hyq_hls.stream.circuits.select_positions import SelectPositionsCircuit
from hyq_hls.stream.circuits.separable_context import SeparableContextCircuit
from hyq_hls.stream.circuits.shift_swish import ShiftSwishCircuit
from hyq_hls.stream.circuits.table import BlockTableCircuit, TableCircuit
from hyq_hls.stream.circuits.table_softmax import TableSoftmaxCircuit
from hyq_hls.stream.circuits.transpose import TransposeCircuit
from hyq_hls.stream.circuits.unfold import UnfoldCircuit
from hyq_hls.stream.circuits.upsample import UpsampleCircuit

__all__ = ["CIRCUITS", "AnyCircuit", "Circuit", "circuit_of", "circuits_of", "node_circuits"]

AnyCircuit = Circuit[Any]

#: Circuits of every operation. The first circuit is built where nobody chooses.
CIRCUITS: dict[type[Operation], tuple[type[AnyCircuit], ...]] = {
    ops.Add: (AddCircuit,),
    ops.AttentionScores: (AttentionScoresCircuit,),
    ops.AttentionValues: (AttentionValuesCircuit,),
    ops.AveragePool: (AveragePoolCircuit,),
    ops.ChannelAffine: (ChannelAffineCircuit,),
    ops.Concat: (ConcatCircuit,),
    ops.ConcatConstant: (ConcatConstantCircuit,),
    ops.ConcatPositions: (ConcatPositionsCircuit,),
    ops.Constant: (ConstantCircuit,),
    ops.Conv2d: (Conv2dCircuit,),
    ops.Dense: (DenseCircuit,),
    ops.DepthwiseConv2d: (DepthwiseConv2dCircuit,),
    ops.Fold: (FoldCircuit,),
    ops.GlobalAveragePool: (GlobalAveragePoolCircuit,),
    ops.GroupNorm: (GroupNormCircuit,),
    ops.GroupedConv2d: (Conv2dCircuit,),
    ops.LayerNorm: (LayerNormCircuit,),
    ops.LinearSoftmax: (LinearSoftmaxCircuit,),
    ops.Maximum: (MaximumCircuit,),
    ops.MaxPool: (MaxPoolCircuit,),
    ops.Multiply: (MultiplyCircuit,),
    ops.PermutePositions: (PermutePositionsCircuit,),
    ops.RequantizeTensor: (RequantizeCircuit, TableCircuit, BlockTableCircuit),
    ops.SelectPositions: (SelectPositionsCircuit,),
    ops.SeparableContext: (SeparableContextCircuit,),
    ops.ShiftSwish: (ShiftSwishCircuit, TableCircuit, BlockTableCircuit),
    ops.Table: (TableCircuit, BlockTableCircuit),
    ops.TableSoftmax: (TableSoftmaxCircuit,),
    ops.Transpose: (TransposeCircuit,),
    ops.Unfold: (UnfoldCircuit,),
    ops.Upsample: (UpsampleCircuit,),
}


def circuits_of(operation: Operation, *inputs: TensorType) -> dict[str, AnyCircuit]:
    """Return all circuits that compute ``operation`` on inputs of these types, by name.

    They give the same integers.

    Raises:
        ConversionError: the operation has no circuit.
    """
    if type(operation) not in CIRCUITS:
        raise ConversionError(
            f"{operation.name} has no circuit in the streaming machine; add one in "
            f"hyq_hls/stream/circuits/{operation.name}.py, and its line to CIRCUITS in "
            "hyq_hls/stream/circuits/__init__.py"
        )
    found = (circuit(operation, inputs) for circuit in CIRCUITS[type(operation)])
    return {circuit.name: circuit for circuit in found if circuit.possible}


def circuit_of(operation: Operation, *inputs: TensorType, name: str | None = None) -> AnyCircuit:
    """Return the circuit of ``operation`` with that name; None means the usual one.

    Raises:
        ConversionError: the operation has no circuit, or no circuit of that name.
    """
    found = circuits_of(operation, *inputs)
    if name is None:
        return next(iter(found.values()))
    if name not in found:
        raise ConversionError(
            f"circuit {name!r} is wanted, this {operation.name} has {', '.join(found)}"
        )
    return found[name]


def node_circuits(graph: Graph, names: Mapping[str, str] | None = None) -> dict[str, AnyCircuit]:
    """Return a circuit for every node, by name of the node.

    Args:
        graph: the graph whose nodes are computed.
        names: names of the circuits of some nodes; the others get the usual one.

    Raises:
        ConversionError: a node has no circuit, or no circuit of that name; or there is no such
            node.
    """
    wanted = names or {}
    unknown = sorted(set(wanted) - set(graph.nodes))
    if unknown:
        raise ConversionError(
            f"circuits of unknown nodes {unknown[:5]}; nodes have the model's names"
        )
    found = {}
    for node in graph.nodes.values():
        try:
            types = graph.input_types(node)
            found[node.name] = circuit_of(node.operation, *types, name=wanted.get(node.name))
        except ConversionError as error:
            raise ConversionError(f"{node.name}: {error}") from error
    return found
