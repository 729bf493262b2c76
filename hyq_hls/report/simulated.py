"""The last co-simulation of a project, and whether its figures are still those of the design."""

from __future__ import annotations

from pathlib import Path

from hyq_hls.machine import CosimReport, Machine
from hyq_hls.report.content import Fifo, Simulated, Unmeasured
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.support import is_file

#: Where ``hyq-hls cosim`` leaves its report in the folder of a project.
COSIM_FILE = "cosim.json"


def simulated(
    machine: Machine, folder: Path | None, given: CosimReport | None
) -> Simulated | Unmeasured:
    """Return the figures of a co-simulation.

    Args:
        machine: the design.
        folder: its project, or None; the report that lies there counts where none is given.
        given: the report of a co-simulation.

    Raises:
        FileFormatError: the file of the report is damaged.
    """
    if given is not None:
        return _figures(given, machine, "cosimulate()")
    if folder is None:
        return Unmeasured(
            "there is no project on disk",
            "write it with hyq-hls convert, and simulate it with hyq-hls cosim",
        )
    file = folder / COSIM_FILE
    if not is_file(file):
        return Unmeasured(
            f"the project has no {COSIM_FILE}",
            f"run hyq-hls cosim {folder}, or give cosim=acc.cosimulate(images)",
        )
    return _figures(CosimReport.load(file), machine, COSIM_FILE)


def _figures(report: CosimReport, machine: Machine, origin: str) -> Simulated:
    cycles = max(report.cycles, 1)
    fifos = [
        Fifo(
            s.name,
            s.depth,
            s.word_bits,
            s.max_occupancy,
            s.stalled / cycles,
            s.starved / cycles,
        )
        for s in report.streams
    ]
    return Simulated(
        origin,
        report.images,
        report.rtl_equal_images,
        report.csim_equal_images,
        report.ok,
        report.latency_cycles,
        report.latency_us,
        report.cycles_per_frame,
        report.predicted_cycles,
        report.idle,
        report.backpressure,
        fifos,
        _drawn(report, machine),
        report.activity_cycles,
        report.details,
        _outdated(report, machine),
    )


def _drawn(report: CosimReport, machine: Machine) -> dict[str, list[int]]:
    """Return the activity of the ports and of the output of every node, in order, by name."""
    if not isinstance(machine, StreamMachine) or not report.activity:
        return {}
    flow = machine.flow
    streams = {"input port": "s_axis"}
    streams |= {stage.node.name: stage.outputs[0] for stage in flow.operations}
    streams["output port"] = "m_axis"
    return {
        name: report.activity[stream]
        for name, stream in streams.items()
        if stream in report.activity
    }


def _outdated(report: CosimReport, machine: Machine) -> str:
    """Return why a report is not of the design as it is; an empty text where it is."""
    if isinstance(machine, StreamMachine):
        if report.streams and {s.name: s.depth for s in report.streams} != machine.flow.depths:
            return "the FIFOs had other depths"
        # A machine without streams counts a DRAM of its own into its prediction.
        if report.predicted_cycles != machine.cycles_per_frame:
            return "the design took another number of cycles per frame"
    if report.clock_mhz != machine.clock_mhz:
        return f"the clock was {report.clock_mhz:g} MHz"
    return ""
