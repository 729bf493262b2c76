"""Integer-only CNN-Transformer hybrids, from PyTorch to bit-exact HLS C++.

>>> print(hyq_hls.inspect(model, 224))                            # what each node would become
>>> qmodel = hyq_hls.quantize(model, calibration_images)          # integers only
>>> qmodel.save("net.hyq")
>>> acc = hyq_hls.convert(qmodel, part="xc7z020", output_dir="build/net")
>>> acc.compile().codes(images)                                   # HLS C++, the same integers
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hyq_hls.version import __version__ as __version__

if TYPE_CHECKING:
    from hyq_hls.accelerator import Accelerator
    from hyq_hls.conversion import convert
    from hyq_hls.graph.archive import Limits
    from hyq_hls.inspection import inspect
    from hyq_hls.quant.config import NodeBits, QuantConfig
    from hyq_hls.quant.pipeline import quantize
    from hyq_hls.quantized_model import QuantizedModel
    from hyq_hls.report import write_report

    load = QuantizedModel.load

_HOMES = {
    "Accelerator": "hyq_hls.accelerator",
    "convert": "hyq_hls.conversion",
    "inspect": "hyq_hls.inspection",
    "Limits": "hyq_hls.graph.archive",
    "NodeBits": "hyq_hls.quant.config",
    "QuantConfig": "hyq_hls.quant.config",
    "quantize": "hyq_hls.quant.pipeline",
    "QuantizedModel": "hyq_hls.quantized_model",
    "write_report": "hyq_hls.report",
}

__all__ = [
    "Accelerator",
    "Limits",
    "NodeBits",
    "QuantConfig",
    "QuantizedModel",
    "convert",
    "inspect",
    "load",
    "quantize",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import on first use: a saved network needs numpy alone, quantizing needs no hls4ml."""
    from importlib import import_module  # noqa: PLC0415

    if name == "load":
        return import_module("hyq_hls.quantized_model").QuantizedModel.load
    if name in _HOMES:
        from hyq_hls.support.packages import explained  # noqa: PLC0415

        with explained():
            return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hyq_hls' has no attribute {name!r}")
