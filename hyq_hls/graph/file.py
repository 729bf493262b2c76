"""One file for a graph: a zip of ``graph.json`` and one ``.npy`` per array. No pickle, no torch."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hyq_hls.errors import FileFormatError, GraphError, HyqError
from hyq_hls.graph.archive import Archive, Limits, open_archive, write_archive
from hyq_hls.graph.graph import Graph
from hyq_hls.graph.operation import Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import Quantization, TensorType
from hyq_hls.support import replaced_file, user_path

FORMAT = "hyq"
VERSION = 3
#: Version 2 named a circuit in these operations, which is the business of a machine.
_CIRCUIT_IN_VERSION_2 = ("shift_swish", "table")
#: Fields that are younger than the oldest files of this version, with their values before.
_YOUNGER_FIELDS: dict[str, dict[str, Any]] = {
    "attention_values": {"signed": False, "probability_zero_point": 0},
    "conv2d": {"dilation": [1, 1]},
    "depthwise_conv2d": {"dilation": [1, 1]},
    "grouped_conv2d": {"dilation": [1, 1]},
}


def save(graph: Graph, path: str | os.PathLike[str]) -> Path:
    """Write ``graph`` to ``path`` atomically: the old file stays until the new one is complete.

    Raises:
        FileFormatError: the folder is missing, not writable, or full.
        GraphError: a parameter or the metadata cannot be saved.
    """
    path = user_path(path)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    document = {
        "format": FORMAT,
        "version": VERSION,
        "metadata": graph.metadata,
        "input": {"name": graph.input_name, **_encode(graph.input_type, "input", arrays)},
        "nodes": [
            {
                "name": node.name,
                "operation": node.operation.name,
                "inputs": list(node.inputs),
                "parameters": _encode(node.operation, node.name, arrays),
            }
            for node in graph.nodes.values()
        ],
    }
    if graph.output_index is not None:
        document["output_index"] = _encode(graph.output_index, "output_index", arrays)
    try:
        with replaced_file(path) as draft:
            write_archive(draft, document, arrays)
    except (TypeError, ValueError) as error:
        raise GraphError(f"metadata must be plain JSON values, to be saved: {error}") from error
    return path


def load(
    path: str | os.PathLike[str],
    operations: Mapping[str, type[Operation]],
    limits: Limits | None = None,
) -> Graph:
    """Read a graph; every operation is rebuilt by its constructor, which checks it again.

    Args:
        path: a file written by :func:`save`.
        operations: operation classes by name.
        limits: what the file may ask for, by default :class:`Limits`.

    Raises:
        FileFormatError: no such file, not a ``.hyq`` file, damaged, of an unknown version, or
            larger than the limits.
    """
    path = user_path(path)
    limits = limits or Limits()
    try:
        with open_archive(path, limits) as archive:
            _upgrade(archive.document)
            graph = _build(archive, operations, limits)
            archive.check_all_used()
        return graph
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: no such file") from error
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error
    except (HyqError, OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise FileFormatError(
            f"{path} is damaged or not a {FORMAT} file ({type(error).__name__}: {error}); "
            "quantize and save the model again"
        ) from error
    except Exception as error:  # zlib.error and struct.error come bare from a corrupted stream
        raise FileFormatError(f"{path} is damaged ({error}); save the model again") from error


def _upgrade(document: dict[str, Any]) -> None:
    """Check the format of a document, and turn version 2 into this version."""
    if document.get("format") != FORMAT:
        raise FileFormatError(f"not a {FORMAT} file")
    version = document.get("version")
    if version == 2:
        for node in document["nodes"]:
            if node["operation"] in _CIRCUIT_IN_VERSION_2:
                del node["parameters"]["circuit"]
    elif version != VERSION:
        raise FileFormatError(
            f"format version {version}, but this program reads versions 2 and {VERSION}: quantize "
            "the model again"
        )


def _build(archive: Archive, operations: Mapping[str, type[Operation]], limits: Limits) -> Graph:
    document = archive.document
    entry, metadata = document["input"], document["metadata"]
    if not isinstance(metadata, dict):
        raise FileFormatError(f"metadata is damaged: an object is wanted, found {metadata!r:.40}")
    input_type = TensorType(
        tuple(entry["shape"]), _decode(Quantization, entry["quantization"], archive)
    )
    graph = Graph(_text(entry["name"]), input_type, metadata)
    limits.check("tensor_codes", input_type.size, f"the size of the input {input_type.shape}")
    for node in document["nodes"]:
        if node["operation"] not in operations:
            raise FileFormatError(
                f"{node['name']}: unknown operation {node['operation']!r}; the file was written by "
                "a newer program"
            )
        parameters = {**_YOUNGER_FIELDS.get(node["operation"], {}), **node["parameters"]}
        operation = _decode(operations[node["operation"]], parameters, archive)
        added = graph.add(_text(node["name"]), operation, *map(_text, node["inputs"]))
        what = f"{added.name}: the size of the output {added.type.shape}"
        limits.check("tensor_codes", added.type.size, what)
    if "output_index" in document:
        graph.output_index = archive.array(document["output_index"]["array"])
        limits.check("tensor_codes", graph.output_index.size, "the size of the model's output")
    graph.check()
    return graph


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise FileFormatError(f"damaged: the name of a tensor is wanted, found {name!r:.40}")
    return name


def _encode(value: Any, key: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if is_dataclass(value):
        return {
            f.name: _encode(getattr(value, f.name), f"{key}/{f.name}", arrays)
            for f in fields(value)
        }
    if isinstance(value, np.ndarray):
        arrays[key] = value
        return {"array": key}
    if isinstance(value, tuple | list):
        return [_encode(v, f"{key}/{i}", arrays) for i, v in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise GraphError(f"{key}: a {type(value).__name__} cannot be saved")


def _decode(cls: type[Any], entry: dict[str, Any], archive: Archive) -> Any:
    known = {f.name: str(f.type) for f in fields(cls)}
    if set(entry) != set(known):
        raise FileFormatError(
            f"{cls.__name__}: fields {sorted(known)} are wanted, found {sorted(entry)}"
        )
    return cls(**{name: _value(name, known[name], item, archive) for name, item in entry.items()})


def _value(name: str, annotation: str, item: Any, archive: Archive) -> Any:
    """Return the value of field ``name``, whose type is annotated as ``annotation``."""
    if isinstance(item, dict):
        if "array" in item:
            return archive.array(item["array"])
        return _decode(Quantization if name == "quantization" else Requantize, item, archive)
    # Other kinds fail where they are used; these would pass for integers.
    for kind, word in ((float, "float"), (bool, "bool"), (type(None), "None"), (list, "tuple")):
        if isinstance(item, kind) and word not in annotation:
            raise FileFormatError(f"{name}: {annotation} is wanted, found {item!r}")
    if isinstance(item, list):
        return tuple(_value(name, annotation, i, archive) for i in item)
    return item
