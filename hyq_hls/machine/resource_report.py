"""The report on the resources of a design, node by node, for people and for files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hyq_hls.machine.budget import binding, capacity, fits
from hyq_hls.machine.hls_plan import HlsPlan, PlannedFunction
from hyq_hls.parts import Part
from hyq_hls.plots import utilization
from hyq_hls.support import Shown, aligned, user_path, write_file
from hyq_hls.tools.yosys import Utilization

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Wires take about as long as logic before anything is placed: a rule of thumb, not a measurement.
WIRE_FACTOR = 2.0


@dataclass(frozen=True)
class DesignUtilization:
    """The sites of a part that a design takes.

    Attributes:
        operations: utilization of every node of a streaming design, or of every unit of an engine
            that runs instructions, by name.
        plumbing: utilization of the rest by kind, such as "FIFOs" or "feature memory".
    """

    operations: Mapping[str, Utilization]
    plumbing: Mapping[str, Utilization]

    @property
    def total(self) -> Utilization:
        """Sum of everything; the delay is the longest."""
        return sum([*self.operations.values(), *self.plumbing.values()], Utilization())


@dataclass(frozen=True)
class Labels:
    """The words for the rows of a report, which differ by architecture.

    Attributes:
        lanes: head of the column of lanes.
        bottleneck: name of the row that decides the speed.
        shares: whether the rows take turns, so that each has a share of a frame's cycles.
    """

    lanes: str = "folding"
    bottleneck: str = "slowest node"
    shares: bool = False


@dataclass(frozen=True)
class ResourceReport(Shown):
    """Resources and speed of a design.

    Its rows are the nodes of a streaming design, or the units of an engine.

    Attributes:
        part: the part it is for.
        clock_mhz: the clock at which frames are counted.
        method: "estimate", "synthesis" by Yosys, or "Vitis HLS".
        design: utilization of nodes and streams.
        cycles: cycles per frame in which every row works.
        foldings: lanes of every row, as text.
        cycles_per_frame: cycles from one frame to the next.
        multipliers: products per cycle that the design has circuits for.
        busy: share of their cycles in which they multiply, in steady state.
        bottleneck: the row with the most cycles.
        bottleneck_busy: the same share for the bottleneck's multipliers; 0 where it has none.
        macs_per_cycle_per_dsp: multiply-accumulates over cycles and DSP slices.
        plan: the HLS C++ of the same design, by its own model; None where nobody asked for it.
        labels: words for the rows, for people alone.
    """

    part: Part
    clock_mhz: float
    method: str
    design: DesignUtilization
    cycles: Mapping[str, int]
    foldings: Mapping[str, str]
    cycles_per_frame: int
    multipliers: int
    busy: float
    bottleneck: str
    bottleneck_busy: float
    macs_per_cycle_per_dsp: float
    plan: HlsPlan | None = None
    labels: Labels = Labels()

    @property
    def total(self) -> Utilization:
        """Sum over all rows."""
        return self.design.total

    @property
    def fits(self) -> bool:
        """Whether the part has room for the RTL, and for the C++ by its plan."""
        planned = self.plan is None or fits(self.plan.total, self.part)
        return planned and fits(self.total, self.part)

    @property
    def fps(self) -> float:
        """Frames per second at the clock."""
        return self.clock_mhz * 1e6 / self.cycles_per_frame

    @property
    def supported_clock_mhz(self) -> float:
        """Clock in MHz that the delay estimate supports: wires take as long as logic."""
        delay = self.total.delay_ns
        return 1000 / (WIRE_FACTOR * delay) if delay else self.part.max_clock_mhz

    def to_json(self) -> dict[str, Any]:
        """Return everything in the types of JSON."""
        data = asdict(self) | {
            "total": asdict(self.total),
            "fits": self.fits,
            "binding": binding(self.total, self.part)[0],
            "fps": self.fps,
            "supported_clock_mhz": self.supported_clock_mhz,
        }
        del data["labels"]
        return data

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything as JSON.

        Raises:
            FileFormatError: the file cannot be written.
        """
        target = user_path(path)
        write_file(target, json.dumps(self.to_json(), indent=1) + "\n")
        return target

    @property
    def hls_lines(self) -> list[str]:
        """The plan of the HLS C++ as a whole; nothing where there is no plan."""
        plan = self.plan
        if plan is None:
            return []
        cycles = plan.cycles_per_frame
        resource, share = binding(plan.total, self.part)
        verdict = "fits" if fits(plan.total, self.part) else "does NOT fit"
        return [
            f"HLS C++ by plan: {verdict} {self.part.name}, the fullest is {resource}, {share:.0%}; "
            f"{cycles:,} cycles per frame, {self.clock_mhz * 1e6 / cycles:,.0f} frames/s, latency "
            f"about {plan.latency:,} cycles",
        ]

    @property
    def verdict(self) -> list[str]:
        """Whether it fits, how fast it is, and how busy its multipliers are."""
        total, clock = self.total, self.supported_clock_mhz
        resource, share = binding(total, self.part)
        fit = "fits" if fits(total, self.part) else "does NOT fit"
        # The rates of an engine are small numbers.
        digits = 0 if self.fps >= 100 else 1
        supported = clock * 1e6 / self.cycles_per_frame
        return [
            f"{self.method}: {fit} {self.part.name}; binding: {resource}, {share:.0%}",
            *self.hls_lines,
            f"{self.fps:,.{digits}f} frames/s at {self.clock_mhz:g} MHz; longest logic path "
            f"{total.delay_ns:.2f} ns without wires, with as much for wires {clock:.0f} MHz and "
            f"{supported:,.{digits}f} frames/s (an estimate; nothing was placed)",
            f"{self.multipliers} multipliers, busy {self.busy:.0%} of the cycles; "
            f"{self._limit}; {self.macs_per_cycle_per_dsp:.2f} MAC per cycle and DSP",
        ]

    @property
    def _limit(self) -> str:
        """The row that decides the speed, and how busy its multipliers are, if it has any."""
        row = f"the {self.labels.bottleneck}, {self.bottleneck}"
        if self.bottleneck_busy:
            return f"{self.bottleneck_busy:.0%} in {row}"
        if not self.labels.shares:
            return f"{row}, has none"
        shares = ", ".join(
            f"{name} {cycles / self.cycles_per_frame:.0%}"
            for name, cycles in sorted(self.cycles.items(), key=lambda item: -item[1])
            if cycles
        )
        return f"{row}, limits the speed and has none; at work by prediction: {shares}"

    def plot(self, axes: Axes | None = None) -> Axes:
        """Plot how far the design fills the part; see :func:`hyq_hls.plots.utilization`.

        Raises:
            MissingPackageError: matplotlib is not installed.
        """
        return utilization(self, axes=axes)

    def __repr__(self) -> str:
        used, verdict = self.total, "fits" if self.fits else "does NOT fit"
        return (
            f"ResourceReport({self.method}: {used.lut:,} LUT, {used.ff:,} FF, {used.dsp} DSP, "
            f"{used.bram36:g} BRAM36 of {self.part.name}, {verdict})"
        )

    def __str__(self) -> str:
        """Return one line per row, and the sums beside the capacity of the part.

        The columns of the HLS C++ stand behind those of the RTL, where there is a plan of it.
        """
        has, total, plan = capacity(self.part), self.total, self.plan
        rows: list[tuple[str, ...]] = [
            ("", self.labels.lanes, "cycles", "LUT", "FF", "DSP", "BRAM36")
        ]
        for name, used in self.design.operations.items():
            rows.append((name, self.foldings[name], f"{self.cycles[name]:,}", *_cells(used)))
        rows += [(name, "", "", *_cells(used)) for name, used in self.design.plumbing.items()]
        rows.append(("total", "", f"{self.cycles_per_frame:,}", *_cells(total)))
        rows.append((self.part.name, "", "", *_cells(_sites(self.part))))
        shares = (f"{getattr(total, name) / has[name]:.0%}" for name in has)
        rows.append(("share", "", "", *shares))
        if plan is not None:
            beside = _planned_columns(plan, [row[0] for row in rows[:-3]], self.part)
            rows = [(*row, *cells) for row, cells in zip(rows, beside, strict=True)]
        return "\n".join([*aligned(rows), *self.verdict])


def _planned_columns(plan: HlsPlan, names: Sequence[str], part: Part) -> list[tuple[str, ...]]:
    """Return the cells of the C++ for the head, the rows ``names`` below it, and the three sums."""
    functions, total, has = {**plan.operations, **plan.plumbing}, plan.total, capacity(part)
    return [
        ("C++ cycles", "C++ LUT", "C++ FF", "C++ DSP", "C++ BRAM36"),
        *(_planned_cells(functions.get(name)) for name in names[1:]),
        (f"{plan.cycles_per_frame:,}", *_cells(total)),
        ("", *_cells(_sites(part))),
        ("", *(f"{getattr(total, name) / has[name]:.0%}" for name in has)),
    ]


def _planned_cells(planned: PlannedFunction | None) -> tuple[str, ...]:
    if planned is None:
        return ("-",) * 5
    return f"{planned.cycles:,}" if planned.cycles else "", *_cells(planned.used)


def _sites(part: Part) -> Utilization:
    """Return all sites of a part."""
    return Utilization(part.luts, part.ffs, part.dsps, 2 * part.bram36)


def _cells(used: Utilization) -> tuple[str, str, str, str]:
    return f"{used.lut:,}", f"{used.ff:,}", f"{used.dsp:,}", f"{used.bram36:g}"
