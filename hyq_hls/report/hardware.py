"""The design of a machine for its part, as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hyq_hls.engine.cost.units import ROWS
from hyq_hls.engine.machine import EngineMachine
from hyq_hls.graph import Graph
from hyq_hls.machine import HlsPlan, Machine, ResourceReport
from hyq_hls.machine.budget import RESOURCES, capacity
from hyq_hls.report.content import Fill, Hardware, Path, Row, Unmeasured

#: Longest paths that are listed.
_PATHS = 5
#: Bins of the frame in the picture of an engine's units.
_BINS = 160


def hardware(graph: Graph, machine: Machine, vendor: str | Unmeasured) -> Hardware:
    """Estimate a design and arrange the figures.

    Args:
        graph: what it computes.
        machine: the design.
        vendor: what Vitis HLS reported, as text.

    Raises:
        ConversionError: a module has no cost model.
    """
    report = machine.estimate()
    has, plan = capacity(report.part), report.plan
    hls_total = None if plan is None else plan.total
    fill = [
        Fill(
            label,
            has[name],
            getattr(report.total, name),
            None if hls_total is None else getattr(hls_total, name),
        )
        for name, label in RESOURCES.items()
    ]
    rows = _rows(report, plan)
    cycles: Mapping[str, int] = report.cycles
    units: dict[str, list[float]] = {}
    bin_cycles = 0.0
    if isinstance(machine, EngineMachine):
        cycles = machine.prediction.by_node
        units, bin_cycles = _units_over_a_frame(machine)
    slow = sorted(report.design.operations.items(), key=lambda item: -item[1].delay_ns)
    return Hardware(
        architecture=machine.architecture,
        part=report.part.name,
        device=report.part.device,
        clock_mhz=report.clock_mhz,
        supported_mhz=report.supported_clock_mhz,
        delays_known=report.part.family == "zynq-7000",
        fits=report.fits,
        method=report.method,
        rows=rows,
        rows_are_nodes=all(name in graph.nodes for name in report.design.operations),
        labels=(report.labels.lanes, report.labels.bottleneck),
        node_cycles={name: count for name, count in cycles.items() if name in graph.nodes},
        cycles_per_frame=report.cycles_per_frame,
        hls_cycles_per_frame=None if plan is None else plan.cycles_per_frame,
        fps=report.fps,
        total=report.total,
        hls_total=hls_total,
        fill=fill,
        paths=[Path(name, used.delay_ns) for name, used in slow[:_PATHS] if used.delay_ns],
        bottleneck=report.bottleneck,
        verdict=report.verdict,
        vendor=vendor,
        units=units,
        unit_bin_cycles=bin_cycles,
    )


def _rows(report: ResourceReport, plan: HlsPlan | None) -> list[Row]:
    """Return the circuits: those of nodes or units first, then what lies between them."""
    planned = {} if plan is None else {**plan.operations, **plan.plumbing}
    rows = []
    for name, used in {**report.design.operations, **report.design.plumbing}.items():
        function = planned.get(name)
        rows.append(
            Row(
                name,
                report.foldings.get(name, ""),
                report.cycles.get(name),
                used,
                function.cycles or None if function else None,
                function.used if function else None,
            )
        )
    return rows


def _units_over_a_frame(machine: EngineMachine) -> tuple[dict[str, list[float]], float]:
    """Return the share of every bin in which each unit works, and the cycles of a bin.

    Instructions run one after the other. What the prediction adds for fetching is spread over them
    evenly.
    """
    prediction = machine.prediction
    alone = prediction.instructions.astype(float)
    scale = prediction.cycles / alone.sum()
    ends = np.cumsum(alone) * scale
    edges = np.linspace(0, prediction.cycles, _BINS + 1)
    width = prediction.cycles / _BINS
    names = [ROWS[i.queue_name] for i in machine.program.instructions]
    found = {}
    for unit in ROWS.values():
        mine = np.array([name == unit for name in names])
        # Cycles of the unit up to every end of an instruction; between two ends they grow evenly.
        worked = np.concatenate([[0.0], np.cumsum(np.where(mine, alone, 0.0))])
        at_edges = np.interp(edges, np.concatenate([[0.0], ends]), worked)
        found[unit] = (np.diff(at_edges) / width).tolist()
    return found, width
