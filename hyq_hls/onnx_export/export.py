"""From an integer graph to an ONNX model: inputs, nodes, outputs, and what people want to read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import (
    ModelProto,
    StringStringEntryProto,
    ValueInfoProto,
    checker,
    helper,
)

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Node, Quantization, TensorType
from hyq_hls.graph.graph import CLASS_NAMES
from hyq_hls.normalization import METADATA_KEY, Normalization
from hyq_hls.onnx_export.arithmetic import code_type
from hyq_hls.onnx_export.exporters import EXPORTERS
from hyq_hls.onnx_export.node import NodeExport
from hyq_hls.onnx_export.writer import FLOAT64, INT64, GraphWriter, Value
from hyq_hls.support import user_path, write_file
from hyq_hls.version import __version__

#: The oldest versions that have all operators and the metadata of nodes; onnxruntime 1.18 reads
#: both.
OPSET, IR_VERSION = 18, 10
#: Names of the outputs, and of the first axis of everything.
CODES, VALUES, BATCH = "codes", "values", "batch"


def write_onnx(graph: Graph, path: str | os.PathLike[str]) -> Path:
    """Write a graph as an ONNX file, whose form is checked before.

    Raises:
        ConversionError: an operation has no exporter.
        FileFormatError: the file cannot be written; an old one stays.
    """
    file = user_path(path)
    write_file(file, onnx_model(graph).SerializeToString())
    return file


def onnx_model(graph: Graph) -> ModelProto:
    """Return the ONNX model of a graph.

    Its input are the codes of the images. Its outputs are the codes and the real values of the
    network, in the model's shape and order.

    Raises:
        ConversionError: an operation has no exporter.
    """
    missing = [n for n in graph.nodes.values() if n.operation.name not in EXPORTERS]
    if missing:
        named = ", ".join(f"{n.name} ({n.operation.name})" for n in missing)
        raise ConversionError(
            f"no ONNX exporter for {named}; give a network without these operations, or write "
            "their exporters (hyq_hls/onnx_export/exporters)"
        )
    writer = GraphWriter([graph.input_name, *graph.nodes])
    infos = []
    for node in graph.nodes.values():
        add_node(writer, node, graph.input_types(node), node.inputs, graph.input_name)
        infos.append(_info(node.name, node.type, _described(node)))
    outputs = _outputs(writer, graph)
    made = helper.make_graph(
        writer.nodes,
        str(graph.metadata.get("model", "network")),
        [_info(graph.input_name, graph.input_type, _meaning(graph.input_type.quantization))],
        outputs,
        writer.constants,
        value_info=infos,
    )
    model = helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="hyq_hls",
        producer_version=__version__,
        doc_string="An integer-only network: every tensor but the last holds integers.",
    )
    model.metadata_props.extend(_entries(dict(_facts(graph))))
    checker.check_model(model, full_check=True)
    return model


def add_node(
    writer: GraphWriter,
    node: Node,
    types: list[TensorType],
    names: tuple[str, ...],
    images: str,
) -> None:
    """Add an integer node; its codes get its name.

    Args:
        writer: the ONNX graph under construction.
        node: the node, whose name is reserved.
        types: types of its inputs.
        names: ONNX tensors of its inputs.
        images: ONNX tensor with one entry per image.
    """
    start = len(writer.nodes)
    export = NodeExport(writer, node, tuple(types), names, images)
    value = EXPORTERS[node.operation.name](export, node.operation)
    if not writer.rename(value.name, node.name, start):  # it is its input, as it is
        writer.rename(value.apply("Identity").name, node.name, start)
    facts = {f"hyq.{key}": text for key, text in _described(node).items()}
    for made in writer.nodes[start:]:
        made.metadata_props.extend(_entries({"hyq.node": node.name}))
    writer.nodes[-1].metadata_props.extend(_entries(facts))


def _outputs(writer: GraphWriter, graph: Graph) -> list[ValueInfoProto]:
    """Add codes and real values in the shape and order of the model, and return their types."""
    last, q = graph.output_type, graph.output_type.quantization
    shape: list[str | int | None] = [BATCH, *graph.output_shape]
    scale, zero = (np.broadcast_to(np.asarray(v), last.shape) for v in (q.scale, q.zero_point))
    codes = Value(writer, "output", graph.output_name, code_type(q))
    if graph.output_index is not None:
        codes = codes.reshape(last.size).take(graph.output_index, 1)
        scale, zero = (v.reshape(-1)[graph.output_index] for v in (scale, zero))
    if q.encoding == "log2":
        real = codes.look_up(np.arange(q.qmax + 1), INT64)
        table = writer.constant(q.dequantize(q.codes()), "output/powers")
        real = Value(writer, "output", table, FLOAT64).apply("Gather", real, axis=0)
    else:
        real = (codes.cast(FLOAT64) - _one_of(zero)) * _one_of(scale)
    infos = []
    for name, value, number, text in (
        (CODES, codes, np.dtype(np.int32), _meaning(q)),
        (VALUES, real, np.dtype(np.float32), {"meaning": "what the codes stand for"}),
    ):
        start = len(writer.nodes)
        unique = writer.unique(name)
        result = value.cast(number)
        assert writer.rename(result.name, unique, start)
        kind = helper.np_dtype_to_tensor_dtype(number)
        info = helper.make_tensor_value_info(unique, kind, shape, _text(text))
        infos.append(info)
    return infos


def _one_of(values: NDArray[Any]) -> NDArray[Any]:
    """Return the value that all of these have, or else these."""
    same = values.ravel()[0]
    return np.asarray(same) if (values == same).all() else values


def _info(name: str, tensor: TensorType, facts: Mapping[str, str]) -> ValueInfoProto:
    """Return the type of a tensor of codes, with its facts as documentation."""
    kind = helper.np_dtype_to_tensor_dtype(code_type(tensor.quantization))
    info = helper.make_tensor_value_info(name, kind, [BATCH, *tensor.shape], _text(facts))
    info.metadata_props.extend(_entries({f"hyq.{key}": text for key, text in facts.items()}))
    return info


def _described(node: Node) -> dict[str, str]:
    """Return what people want to know of a node."""
    facts = {"operation": node.operation.name, **_meaning(node.type.quantization)}
    return facts | {"accumulator_bits": str(node.accumulator.bits)}


def _meaning(q: Quantization) -> dict[str, str]:
    """Return what the codes of a tensor stand for."""
    code = f"{'signed' if q.signed else 'unsigned'} {q.bits} bits"
    if q.encoding == "log2":
        return {"code": code, "meaning": f"2**-code, and 0 for code {q.qmax}"}
    return {
        "code": code,
        "meaning": "scale * (code - zero_point)",
        "scale": json.dumps(q.scale[0] if len(q.scale) == 1 else q.scale),
        "zero_point": json.dumps(q.zero_point[0] if len(q.zero_point) == 1 else q.zero_point),
    }


def _facts(graph: Graph) -> Iterator[tuple[str, str]]:
    """Yield name and text of what people want to know of the whole network."""
    yield "hyq.version", __version__
    for name in ("model", "source"):
        if name in graph.metadata:
            yield f"hyq.{name}", str(graph.metadata[name])
    yield "hyq.normalization", str(Normalization.from_json(graph.metadata.get(METADATA_KEY)))
    for key, text in _meaning(graph.output_type.quantization).items():
        yield f"hyq.output.{key}", text
    for key in (CLASS_NAMES, "config", "configuration"):
        if key in graph.metadata:
            yield f"hyq.{key}", json.dumps(graph.metadata[key])


def _text(facts: Mapping[str, str]) -> str:
    return "; ".join(f"{key}: {text}" for key, text in facts.items())


def _entries(facts: Mapping[str, str]) -> list[StringStringEntryProto]:
    return [StringStringEntryProto(key=key, value=value) for key, value in facts.items()]
