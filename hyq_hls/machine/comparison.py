"""Put reports of one design by several methods side by side."""

from __future__ import annotations

from collections.abc import Sequence

from hyq_hls.machine.resource_report import ResourceReport
from hyq_hls.support import aligned
from hyq_hls.tools.yosys import Utilization

_COLUMNS = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram36": "BRAM36"}


def compared(reports: Sequence[ResourceReport]) -> str:
    """Return a table: a line per node, a group of columns per report, and the sums.

    Args:
        reports: reports of one design; the first one gives the lines.
    """
    head = ["", *(f"{r.method} {label}" for label in _COLUMNS.values() for r in reports)]
    rows = [head]
    for name in [*reports[0].design.operations, *reports[0].design.plumbing]:
        found = [{**r.design.operations, **r.design.plumbing}.get(name) for r in reports]
        rows.append([name, *_cells(found)])
    rows.append(["total", *_cells([r.total for r in reports])])
    return "\n".join(aligned(rows))


def _cells(found: Sequence[Utilization | None]) -> list[str]:
    return [
        "-" if used is None else f"{getattr(used, column):,g}"
        for column in _COLUMNS
        for used in found
    ]
