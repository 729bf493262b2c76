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
    from hyq_hls.plots.look import style
    from hyq_hls.plots.noise import bits_front, sensitivity, sensitivity_by_bits, sqnr_by_node
    from hyq_hls.plots.resources import (
        design_front,
        estimate_and_synthesis,
        grouped_bars,
        utilization,
    )
    from hyq_hls.plots.streams import activity, fifo_depths, fifo_occupancy

_HOMES = {
    "activity": "streams",
    "bits_front": "noise",
    "design_front": "resources",
    "estimate_and_synthesis": "resources",
    "fifo_depths": "streams",
    "fifo_occupancy": "streams",
    "grouped_bars": "resources",
    "sensitivity": "noise",
    "sensitivity_by_bits": "noise",
    "sqnr_by_node": "noise",
    "style": "look",
    "utilization": "resources",
}

__all__ = [
    "activity",
    "bits_front",
    "design_front",
    "estimate_and_synthesis",
    "fifo_depths",
    "fifo_occupancy",
    "grouped_bars",
    "palette",
    "sensitivity",
    "sensitivity_by_bits",
    "sqnr_by_node",
    "style",
    "utilization",
]


def __getattr__(name: str) -> Any:
    """Import a name at its first use, so that a report that is never drawn costs no import."""
    from importlib import import_module  # noqa: PLC0415

    if name == "palette":
        return import_module("hyq_hls.plots.palette")
    if name in _HOMES:
        return getattr(import_module(f"hyq_hls.plots.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'hyq_hls.plots' has no attribute {name!r}")
