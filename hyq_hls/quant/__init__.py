"""Quantization of a float graph to integers: statistics, ranges, scales, lowering.

The rooms ``scales``, ``lowering``, ``judge`` and ``methods`` have interfaces of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hyq_hls.support import needs

if TYPE_CHECKING:
    from hyq_hls.quant.calibrate import batches, to_float
    from hyq_hls.quant.config import NodeBits, QuantConfig
    from hyq_hls.quant.judge.sensitivity import SensitivityReport, sensitivity_curve
    from hyq_hls.quant.pipeline import float_graph_of, quantize
    from hyq_hls.quant.plan import Plan
    from hyq_hls.quant.presets import PRESETS, preset

_HOMES = {
    "NodeBits": "config",
    "PRESETS": "presets",
    "Plan": "plan",
    "QuantConfig": "config",
    "SensitivityReport": "judge.sensitivity",
    "batches": "calibrate",
    "float_graph_of": "pipeline",
    "preset": "presets",
    "quantize": "pipeline",
    "sensitivity_curve": "judge.sensitivity",
    "to_float": "calibrate",
}

__all__ = [
    "PRESETS",
    "NodeBits",
    "Plan",
    "QuantConfig",
    "SensitivityReport",
    "batches",
    "float_graph_of",
    "preset",
    "quantize",
    "sensitivity_curve",
    "to_float",
]


def __getattr__(name: str) -> Any:
    """Import a name at its first use, so that a configuration is read without torch."""
    from importlib import import_module  # noqa: PLC0415

    if name in _HOMES:
        if _HOMES[name] != "config":
            needs("torch", "PIL")
        return getattr(import_module(f"hyq_hls.quant.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'hyq_hls.quant' has no attribute {name!r}")
