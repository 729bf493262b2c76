"""ONNX of a quantized network, which onnxruntime runs with the same integers."""

from __future__ import annotations

import os
from pathlib import Path

from hyq_hls.graph import Graph
from hyq_hls.support import needs


def export_onnx(graph: Graph, path: str | os.PathLike[str]) -> Path:
    """Write a graph as an ONNX file; see :meth:`hyq_hls.QuantizedModel.export_onnx`.

    Raises:
        ConversionError: an operation has no exporter.
        MissingPackageError: the package ``onnx`` is not installed.
        FileFormatError: the file cannot be written.
    """
    needs("onnx")
    from hyq_hls.onnx_export.export import write_onnx  # noqa: PLC0415  (it imports onnx)

    return write_onnx(graph, path)


__all__ = ["export_onnx"]
