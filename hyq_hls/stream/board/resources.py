"""Give the vendor's figures in the form of estimates and synthesis results."""

from __future__ import annotations

from hyq_hls.machine import DesignUtilization
from hyq_hls.stream.flow import Dataflow
from hyq_hls.tools.vitis.csynth import CsynthReport, CsynthRow, CsynthStage
from hyq_hls.tools.yosys import Utilization


def csynth_stages(flow: Dataflow, report: CsynthReport) -> dict[str, CsynthStage]:
    """Return what Vitis HLS says of every node that has a function of its own, by its name."""
    nodes = {stage.name: stage.node.name for stage in flow.operations}
    found = report.of_stages({stage.name: stage.circuit.module for stage in flow.operations})
    return {nodes[name]: stage for name, stage in found.items()}


def csynth_cycles(flow: Dataflow, report: CsynthReport) -> dict[str, int]:
    """Return the longest interval of every node that has one, by its name."""
    found = csynth_stages(flow, report)
    return {
        name: stage.row.interval_max
        for name, stage in found.items()
        if stage.row.interval_max is not None
    }


def csynth_utilization(flow: Dataflow, report: CsynthReport) -> DesignUtilization:
    """Return what Vitis HLS says of every node.

    What got no function of its own is one row.
    """
    stages = csynth_stages(flow, report)
    operations = {name: _utilization(stage.row) for name, stage in stages.items()}
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
