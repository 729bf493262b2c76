"""ONNX of a quantized network, which onnxruntime runs with the same integers."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph


def export_onnx(graph: Graph, path: str | os.PathLike[str]) -> Path:
    """Write a graph as an ONNX file; see :meth:`hyq_hls.QuantizedModel.export_onnx`.

    Raises:
        ConversionError: the package ``onnx`` is missing, or an operation has no exporter.
        FileFormatError: the file cannot be written.
    """
    if find_spec("onnx") is None:
        raise ConversionError(
            "the package onnx is not installed, which writes ONNX files; install the extra: "
            'pip install "hyq_hls[onnx]"'
        )
    from hyq_hls.onnx_export.export import write_onnx  # noqa: PLC0415  (it imports onnx)

    return write_onnx(graph, path)


__all__ = ["export_onnx"]
