"""Pictures of quantized networks and designs, one documented function for each.

>>> from hyq_hls import plots
>>> plots.sqnr_by_node(verify(qmodel, images))      # or verify(qmodel, images).plot()
>>> plots.utilization(acc.estimate()).figure.savefig("fill.svg")

Every function returns the axes, or the figure, that it drew into. It takes axes, or a figure, to
draw into; without them it makes a figure of pyplot, which a notebook shows by itself. Colours are
those of :mod:`hyq_hls.plots.palette`. matplotlib is imported when something is drawn; it belongs to
the extra ``plots``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hyq_hls.plots import palette
    from hyq_hls.plots.cycles import cycles_by_node, engine_cycles, work_by_node
    from hyq_hls.plots.functions import approximation, probabilities
    from hyq_hls.plots.integers import accumulator_widths, requantization, throughput
    from hyq_hls.plots.look import style
    from hyq_hls.plots.noise import bits_front, sensitivity, sensitivity_by_bits, sqnr_by_node
    from hyq_hls.plots.pictures import feature_maps, images
    from hyq_hls.plots.quantization import bits_in_use, channel_ranges, code_coverage, code_usage
    from hyq_hls.plots.recipes import accuracy, accuracy_and_noise, confusion, margins
    from hyq_hls.plots.resources import (
        design_front,
        estimate_and_synthesis,
        grouped_bars,
        utilization,
    )
    from hyq_hls.plots.streams import activity, fifo_depths, fifo_occupancy
    from hyq_hls.plots.waves import TimingDiagram, timing_diagram, waveform


_HOMES = {
    "TimingDiagram": "waves",
    "accumulator_widths": "integers",
    "accuracy": "recipes",
    "accuracy_and_noise": "recipes",
    "activity": "streams",
    "approximation": "functions",
    "bits_front": "noise",
    "bits_in_use": "quantization",
    "channel_ranges": "quantization",
    "code_coverage": "quantization",
    "code_usage": "quantization",
    "confusion": "recipes",
    "cycles_by_node": "cycles",
    "design_front": "resources",
    "engine_cycles": "cycles",
    "estimate_and_synthesis": "resources",
    "feature_maps": "pictures",
    "fifo_depths": "streams",
    "fifo_occupancy": "streams",
    "grouped_bars": "resources",
    "images": "pictures",
    "margins": "recipes",
    "probabilities": "functions",
    "requantization": "integers",
    "sensitivity": "noise",
    "sensitivity_by_bits": "noise",
    "sqnr_by_node": "noise",
    "style": "look",
    "throughput": "integers",
    "timing_diagram": "waves",
    "utilization": "resources",
    "waveform": "waves",
    "work_by_node": "cycles",
}

__all__ = [
    "TimingDiagram",
    "accumulator_widths",
    "accuracy",
    "accuracy_and_noise",
    "activity",
    "approximation",
    "bits_front",
    "bits_in_use",
    "channel_ranges",
    "code_coverage",
    "code_usage",
    "confusion",
    "cycles_by_node",
    "design_front",
    "engine_cycles",
    "estimate_and_synthesis",
    "feature_maps",
    "fifo_depths",
    "fifo_occupancy",
    "grouped_bars",
    "images",
    "margins",
    "palette",
    "probabilities",
    "requantization",
    "sensitivity",
    "sensitivity_by_bits",
    "sqnr_by_node",
    "style",
    "throughput",
    "timing_diagram",
    "utilization",
    "waveform",
    "work_by_node",
]


def __getattr__(name: str) -> Any:
    """Import a name at its first use, so that a report that is never drawn costs no import."""
    from importlib import import_module  # noqa: PLC0415

    if name == "palette":
        return import_module("hyq_hls.plots.palette")
    if name in _HOMES:
        return getattr(import_module(f"hyq_hls.plots.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'hyq_hls.plots' has no attribute {name!r}")
