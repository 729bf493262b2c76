"""Give the vendor's figures in the form of estimates and synthesis results."""

from __future__ import annotations

from hyq_hls.machine import DesignUtilization
from hyq_hls.stream.flow import Dataflow
from hyq_hls.tools.vitis.csynth import CsynthReport, CsynthRow
from hyq_hls.tools.yosys import Utilization


def csynth_utilization(flow: Dataflow, report: CsynthReport) -> DesignUtilization:
    """Return what Vitis HLS says of every node.

    What got no function of its own is one row.
    """
    found = {stage.node.name: report.of_stage(stage.name) for stage in flow.operations}
    operations = {name: _utilization(row) for name, row in found.items() if row is not None}
    named = sum(operations.values(), Utilization())
    total = _utilization(report.total)
    rest = Utilization(
        total.lut - named.lut,
        total.ff - named.ff,
        total.dsp - named.dsp,
        total.bram18 - named.bram18,
        delay_ns=total.delay_ns,
    )
    return DesignUtilization(operations, {"FIFOs and all without a function": rest})


def _utilization(row: CsynthRow) -> Utilization:
    return Utilization(row.lut, row.ff, row.dsp, row.bram18, delay_ns=row.delay_ns)
