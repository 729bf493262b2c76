"""One file for a graph: a zip of ``graph.json`` and one ``.npy`` per array. No pickle, no torch."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
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

FORMAT = "hyq"
VERSION = 1
#: A fixed time stamp, so that the same graph gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(graph: Graph, path: str | os.PathLike[str]) -> Path:
    """Write ``graph`` to ``path`` atomically: the old file stays until the new one is complete.

    Raises:
        FileFormatError: the folder is missing, not writable, or full.
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
    contents = {f"{key}.npy": _npy(value) for key, value in arrays.items()}
    document["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as handle:
            try:
                with zipfile.ZipFile(handle, "w", zipfile.ZIP_DEFLATED) as archive:
                    _store(archive, "graph.json", json.dumps(document, indent=1).encode())
                    for name, data in contents.items():
                        _store(archive, name, data)
                handle.close()
                os.replace(handle.name, path)
            except BaseException:
                os.unlink(handle.name)
                raise
    except OSError as error:
        raise FileFormatError(
            f"cannot write {path}: {error.strerror or error}; check that the folder exists, is "
            "writable and has room"
        ) from error
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
                raise FileFormatError(f"{path} is not a {FORMAT} file")
            if document.get("version") != VERSION:
                raise FileFormatError(
                    f"{path} has format version {document.get('version')}; this program reads "
                    f"version {VERSION}: quantize the model again"
                )
            arrays = _read_arrays(archive, document["sha256"])
        return _build(document, arrays, operations)
    except FileNotFoundError as error:
        raise FileFormatError(f"{path}: no such file") from error
    except FileFormatError:
        raise
    except (HyqError, OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise FileFormatError(
            f"{path} is damaged or not a {FORMAT} file ({type(error).__name__}: {error}); "
            "quantize and save the model again"
        ) from error
    except Exception as error:  # zlib.error and struct.error come bare from a corrupted stream
        raise FileFormatError(f"{path} is damaged ({error}); save the model again") from error


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
    known = {f.name for f in fields(cls)}
    if set(entry) != known:
        raise FileFormatError(
            f"{cls.__name__}: fields {sorted(known)} are wanted, found {sorted(entry)}"
        )
    return cls(**{name: _value(name, item, arrays) for name, item in entry.items()})


def _value(name: str, item: Any, arrays: Mapping[str, Any]) -> Any:
    if isinstance(item, dict):
        if "array" in item:
            return arrays[item["array"]]
        return _decode(Quantization if name == "quantization" else Requantize, item, arrays)
    if isinstance(item, list):
        return tuple(_value(name, i, arrays) for i in item)
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
