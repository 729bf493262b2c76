"""Reads what Vitis HLS says about every function after C synthesis."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hyq_hls.errors import CompilationError

_REPORT_DIR = "solution1/syn/report"
_SUFFIX = "_csynth.xml"


@dataclass(frozen=True)
class CsynthRow:
    """Vitis HLS' estimate of one function, the functions that it calls included.

    Attributes:
        lut, ff, dsp, bram18, uram: resources that it takes.
        latency_min, latency_max: cycles from start to end; None where the tool does not know.
        interval_min, interval_max: cycles from one start to the next; None where unknown.
        delay_ns: longest path between registers, as the tool estimates it.
    """

    lut: int
    ff: int
    dsp: int
    bram18: int
    uram: int
    latency_min: int | None
    latency_max: int | None
    interval_min: int | None
    interval_max: int | None
    delay_ns: float


@dataclass(frozen=True)
class CsynthLoop:
    """A pipelined loop of a function.

    Attributes:
        name: its label; labels of loops that the tool made one are joined by ``_``.
        trips: iterations; None where the tool does not know.
        interval: cycles from one iteration to the next, the II.
        depth: cycles of one iteration.
        source: file and line of the C++; empty where the report does not say.
    """

    name: str
    trips: int | None
    interval: int
    depth: int
    source: str


@dataclass(frozen=True)
class CsynthStage:
    """The part of a report that belongs to one operation.

    Attributes:
        row: its whole function.
        interval: the largest II of its loops; None where the report has no pipelined loop.
    """

    row: CsynthRow
    interval: int | None


@dataclass(frozen=True)
class CsynthReport:
    """C synthesis of a project.

    Attributes:
        total: the top function.
        modules: every function below it, by the name that the tool gave it.
        loops: the pipelined loops of every function, by the same name.
        part: device of the synthesis.
        target_ns: target clock period.
    """

    total: CsynthRow
    modules: dict[str, CsynthRow]
    loops: dict[str, list[CsynthLoop]]
    part: str
    target_ns: float

    def of_stages(self, templates: Mapping[str, str]) -> dict[str, CsynthStage]:
        """Return what the report says about operations, by the names of their stages.

        The tool names an instance of a template after its arguments, here the configuration
        structure ``<stage>_config``. Functions that it splits off have longer names. A stage for
        which it made no function is left out.

        Args:
            templates: C++ function of every stage, by name of the stage as in ``parameters.h``.
        """
        functions: dict[str, list[str]] = {stage: [] for stage in templates}
        for module in self.modules:
            fitting = [stage for stage in templates if f"_{stage}_config_" in f"_{module}_"]
            if fitting:  # The name of one stage may be the end of another's.
                functions[max(fitting, key=len)].append(module)
        found = {}
        for stage, names in functions.items():
            start = f"_{templates[stage]}_{stage}_config_"
            whole = [name for name in names if start in f"_{name}_"]
            if whole:
                loops = [loop.interval for name in names for loop in self.loops[name]]
                row = self.modules[min(whole, key=len)]
                found[stage] = CsynthStage(row, max(loops, default=None))
        return found


def read_csynth(folder: Path, project: str) -> CsynthReport:
    """Read the reports of a project that :meth:`hyq_hls.Accelerator.build` synthesized.

    Args:
        folder: folder of the project.
        project: name of its top function.

    Raises:
        CompilationError: there is no report, or it is damaged.
    """
    top = report_file(folder, project)
    reports = top.parent
    if not top.is_file():
        raise CompilationError(
            f"no synthesis report {top}; run Accelerator.build() first, which needs Vitis HLS"
        )
    root = _parse(top)
    others = {path: _parse(path) for path in sorted(reports.glob(f"*{_SUFFIX}")) if path != top}
    return CsynthReport(
        total=_row(root, top),
        modules={_function(path): _row(other, path) for path, other in others.items()},
        loops={_function(path): _loops(other) for path, other in others.items()},
        part=_text(root, "UserAssignments/Part", top),
        target_ns=_number(root, "UserAssignments/TargetClockPeriod", top),
    )


def report_file(folder: Path, project: str) -> Path:
    """Return where Vitis HLS leaves the report of the top function."""
    return folder / f"{project}_prj" / _REPORT_DIR / f"{project}{_SUFFIX}"


def _function(path: Path) -> str:
    return path.name.removesuffix(_SUFFIX)


def _parse(path: Path) -> ET.Element:
    try:
        return ET.parse(path).getroot()
    except (ET.ParseError, OSError) as error:
        raise CompilationError(
            f"{path} is no report of Vitis HLS ({error}); run Accelerator.build() again"
        ) from error


def _row(root: ET.Element, path: Path) -> CsynthRow:
    area, speed = "AreaEstimates/Resources", "PerformanceEstimates/SummaryOfOverallLatency"
    clock = "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"
    # A report leaves out resources that a function does not use, but never these two.
    lut, ff = (_number(root, f"{area}/{name}", path) for name in ("LUT", "FF"))
    return CsynthRow(
        lut=int(lut),
        ff=int(ff),
        dsp=_count(root, path, f"{area}/DSP", f"{area}/DSP48E"),
        bram18=_count(root, path, f"{area}/BRAM_18K"),
        uram=_count(root, path, f"{area}/URAM"),
        latency_min=_cycles(root, f"{speed}/Best-caseLatency"),
        latency_max=_cycles(root, f"{speed}/Worst-caseLatency"),
        interval_min=_cycles(root, f"{speed}/Interval-min"),
        interval_max=_cycles(root, f"{speed}/Interval-max"),
        delay_ns=_number(root, clock, path),
    )


def _loops(root: ET.Element) -> list[CsynthLoop]:
    """Return the pipelined loops of a function; those inside a loop that is none are included."""
    estimates = root.find("PerformanceEstimates")
    if estimates is None:
        return []
    places = {
        _plain(entry, "Name") or entry.tag: _plain(entry, "SourceLocation")
        for entry in estimates.iterfind("SummaryOfViolations/SummaryOfLoopViolations/*")
    }
    found = []
    for entry in estimates.iterfind("SummaryOfLoopLatency//*[PipelineII]"):
        interval, depth = _cycles(entry, "PipelineII"), _cycles(entry, "PipelineDepth")
        name = _plain(entry, "Name") or entry.tag
        if interval is not None and depth is not None:
            trips = _cycles(entry, "TripCount")
            found.append(CsynthLoop(name, trips, interval, depth, places.get(name, "")))
    return found


def _plain(root: ET.Element, tag: str) -> str:
    """Return a text of the report; the tool writes ``-`` where it has nothing to say."""
    text = (root.findtext(tag) or "").strip()
    return "" if text == "-" else text


def _text(root: ET.Element, tag: str, path: Path) -> str:
    text = root.findtext(tag)
    if text is None:
        raise CompilationError(
            f"{path} has no {tag}; this version of Vitis HLS writes another report than 2020 to "
            "2024 did"
        )
    return text.strip()


def _number(root: ET.Element, tag: str, path: Path) -> float:
    text = _text(root, tag, path)
    try:
        return float(text)
    except ValueError as error:
        raise CompilationError(
            f"{path}: {tag} is {text!r}; a number is wanted. Run Accelerator.build() again"
        ) from error


def _count(root: ET.Element, path: Path, *tags: str) -> int:
    """Return a resource, whose name differs between versions of the tool; it may be left out."""
    found = [tag for tag in tags if root.find(tag) is not None]
    return int(_number(root, found[0], path)) if found else 0


def _cycles(root: ET.Element, tag: str) -> int | None:
    """Return cycles; the tool writes ``undef`` or ``?`` when a bound depends on data."""
    text = (root.findtext(tag) or "").strip()
    return int(text) if text.isdigit() else None
