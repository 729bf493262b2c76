"""The codes that the move unit can turn into weights."""

from __future__ import annotations

from hyq_hls.engine.forms.output_stage import BYTE
from hyq_hls.errors import ConversionError
from hyq_hls.graph.types import TensorType


def check_moved(x: TensorType, what: str) -> None:
    """Raise ``ConversionError`` unless the codes of ``x`` fit a byte."""
    if x.quantization.bits > BYTE:
        raise ConversionError(
            f"{what} of {x.quantization.bits} bits; the engine moves codes of {BYTE}; quantize "
            f"this tensor to {BYTE} bits"
        )
