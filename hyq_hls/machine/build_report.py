"""The report of a run of Vitis HLS: what it reports beside what was planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hyq_hls.machine.hls_plan import HlsPlan, PlannedFunction
from hyq_hls.support import Shown, aligned
from hyq_hls.tools.vitis.csynth import CsynthReport, CsynthRow, CsynthStage
from hyq_hls.tools.vitis.messages import LongPath, SlowLoop, long_paths, slow_loops
from hyq_hls.tools.vitis.run import LOG

_HEAD = (
    *("", "cycles plan", "cycles", "latency plan", "latency", "II"),
    *("DSP plan", "DSP", "BRAM18 plan", "BRAM18", "LUT plan", "LUT", "FF plan", "FF"),
)


@dataclass(frozen=True)
class BuildReport(Shown):
    """C synthesis of a design, beside the plan of its C++.

    Attributes:
        plan: the prediction.
        total: the top function.
        stages: every node that has a function of its own, by name.
        target_ns: target clock period.
        slow_loops: pipelined loops that start an iteration too rarely.
        long_paths: functions whose estimated clock period is too long.
        ip: folder of the packaged IP; None where it was not exported.
    """

    plan: HlsPlan
    total: CsynthRow
    stages: Mapping[str, CsynthStage]
    target_ns: float
    slow_loops: list[SlowLoop]
    long_paths: list[LongPath]
    ip: Path | None

    @classmethod
    def of(
        cls, plan: HlsPlan, report: CsynthReport, stages: Mapping[str, CsynthStage], folder: Path
    ) -> BuildReport:
        """Return the report of the last run in a project.

        Args:
            plan: the prediction.
            report: the figures of the run.
            stages: those of the nodes, by name.
            folder: folder of the project, with the log of the run.
        """
        log = folder / LOG
        text = log.read_text(errors="replace") if log.is_file() else ""
        packaged = [p.parent for p in folder.glob("*_prj/solution1/impl/ip/component.xml")]
        return cls(
            plan,
            report.total,
            stages,
            report.target_ns,
            slow_loops(text),
            long_paths(text),
            packaged[0] if packaged else None,
        )

    @property
    def ok(self) -> bool:
        """Whether every loop and every path is as fast as it was asked to be."""
        return not self.slow_loops and not self.long_paths

    def __repr__(self) -> str:
        verdict = "II and timing met" if self.ok else "II or timing VIOLATED"
        return f"BuildReport({_number(self.total.interval_max)} cycles per frame, {verdict})"

    def __str__(self) -> str:
        """Return a table with planned beside reported figures, then all violations."""
        plan = self.plan
        rows: list[tuple[str, ...]] = [_HEAD]
        for name, planned in plan.operations.items():
            rows.append((name, *_cells(planned, self.stages.get(name))))
        top = PlannedFunction(plan.cycles_per_frame, plan.latency, plan.total)
        rows.append(("total", *_cells(top, CsynthStage(self.total, None))))
        lines = aligned(rows)
        lines.append(
            f"clock: {self.total.delay_ns:g} ns estimated, {self.target_ns:g} ns wanted; cycles "
            "are those from frame to frame"
        )
        if self.ok:
            lines.append("every loop has the II that its directive asks for; timing is met")
        lines += [f"VIOLATED: {found}" for found in (*self.slow_loops, *self.long_paths)]
        if self.ip is not None:
            lines.append(f"IP for a catalog: {self.ip}")
        return "\n".join(lines)


def _cells(planned: PlannedFunction, stage: CsynthStage | None) -> tuple[str, ...]:
    """Return the cells of one row; what the tool does not say is a dash."""
    row = None if stage is None else stage.row
    interval, latency, dsp, bram18, lut, ff = (
        "-" if row is None else _number(getattr(row, name))
        for name in ("interval_max", "latency_max", "dsp", "bram18", "lut", "ff")
    )
    return (
        *(_number(planned.cycles), interval),
        *(_number(planned.latency), latency),
        "-" if stage is None else _number(stage.interval),
        *(_number(planned.used.dsp), dsp),
        *(_number(planned.used.bram18), bram18),
        *(_number(planned.used.lut), lut),
        *(_number(planned.used.ff), ff),
    )


def _number(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
