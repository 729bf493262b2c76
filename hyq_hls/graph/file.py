"""One file for a graph: a zip of ``graph.json`` and one ``.npy`` per array. No pickle, no torch."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hyq_hls.errors import FileFormatError, GraphError, HyqError
from hyq_hls.graph.graph import Graph
from hyq_hls.graph.operation import Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import Quantization, TensorType
from hyq_hls.support import replaced_file

FORMAT = "hyq"
VERSION = 3
#: Version 2 named a circuit in these operations, which is the business of a machine.
_CIRCUIT_IN_VERSION_2 = ("shift_swish", "table")
#: A fixed time stamp, so that the same graph gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(graph: Graph, path: str | os.PathLike[str]) -> Path:
    """Write ``graph`` to ``path`` atomically: the old file stays until the new one is complete.

    Raises:
        FileFormatError: the folder is missing, not writable, or full.
        GraphError: a parameter or the metadata cannot be saved.
    """
    path = Path(path)
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
    contents = {f"{key}.npy": _npy(value) for key, value in arrays.items()}
    document["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    try:
        text = json.dumps(document, indent=1).encode()
    except (TypeError, ValueError) as error:
        raise GraphError(f"metadata must be plain JSON values, to be saved: {error}") from error
    with (
        replaced_file(path) as draft,
        draft.open("xb") as handle,
        zipfile.ZipFile(handle, "w") as archive,
    ):
        _store(archive, "graph.json", text)
        for name, data in contents.items():
            _store(archive, name, data)
    return path


def load(path: str | os.PathLike[str], operations: Mapping[str, type[Operation]]) -> Graph:
    """Read a graph; every operation is rebuilt by its constructor, which checks it again.

    Args:
        path: a file written by :func:`save`.
        operations: operation classes by name.

    Raises:
        FileFormatError: no such file, not a ``.hyq`` file, damaged, or of an unknown version.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            document = json.loads(archive.read("graph.json"))
            if document.get("format") != FORMAT:
                raise FileFormatError(f"not a {FORMAT} file")
            _upgrade(document)
            arrays = _read_arrays(archive, document["sha256"])
        return _build(document, arrays, operations)
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
    """Turn a document of version 2 into one of this version."""
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


def _build(
    document: dict[str, Any],
    arrays: Mapping[str, np.ndarray[Any, Any]],
    operations: Mapping[str, type[Operation]],
) -> Graph:
    entry = document["input"]
    input_type = TensorType(
        tuple(entry["shape"]), _decode(Quantization, entry["quantization"], arrays)
    )
    graph = Graph(entry["name"], input_type, document["metadata"])
    for node in document["nodes"]:
        if node["operation"] not in operations:
            raise FileFormatError(
                f"{node['name']}: unknown operation {node['operation']!r}; the file was written by "
                "a newer program"
            )
        operation = _decode(operations[node["operation"]], node["parameters"], arrays)
        graph.add(node["name"], operation, *node["inputs"])
    if "output_index" in document:
        graph.output_index = arrays[document["output_index"]["array"]]
    graph.check()
    return graph


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


def _decode(cls: type[Any], entry: dict[str, Any], arrays: Mapping[str, Any]) -> Any:
    known = {f.name: str(f.type) for f in fields(cls)}
    if set(entry) != set(known):
        raise FileFormatError(
            f"{cls.__name__}: fields {sorted(known)} are wanted, found {sorted(entry)}"
        )
    return cls(**{name: _value(name, known[name], item, arrays) for name, item in entry.items()})


def _value(name: str, annotation: str, item: Any, arrays: Mapping[str, Any]) -> Any:
    """Return the value of field ``name``, whose type is annotated as ``annotation``."""
    if isinstance(item, dict):
        if "array" in item:
            return arrays[item["array"]]
        return _decode(Quantization if name == "quantization" else Requantize, item, arrays)
    # Other kinds fail where they are used; these would pass for integers.
    for kind, word in ((float, "float"), (bool, "bool"), (type(None), "None"), (list, "tuple")):
        if isinstance(item, kind) and word not in annotation:
            raise FileFormatError(f"{name}: {annotation} is wanted, found {item!r}")
    if isinstance(item, list):
        return tuple(_value(name, annotation, i, arrays) for i in item)
    return item


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _store(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)


def _read_arrays(archive: zipfile.ZipFile, digests: dict[str, str]) -> dict[str, Any]:
    arrays = {}
    for name, digest in digests.items():
        data = archive.read(name)
        if hashlib.sha256(data).hexdigest() != digest:
            raise FileFormatError(f"array {name} does not match its checksum")
        arrays[name.removesuffix(".npy")] = np.load(io.BytesIO(data), allow_pickle=False)
    return arrays
