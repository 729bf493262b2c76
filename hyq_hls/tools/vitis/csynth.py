"""Reads what Vitis HLS says about every function after C synthesis."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
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
class CsynthReport:
    """C synthesis of a project.

    Attributes:
        total: the top function.
        modules: every function below it, by the name that the tool gave it.
        part: device of the synthesis.
        target_ns: target clock period.
    """

    total: CsynthRow
    modules: dict[str, CsynthRow]
    part: str
    target_ns: float

    def of_stage(self, name: str) -> CsynthRow | None:
        """Return the function of an operation; None when the tool made no function for it.

        The tool names an instance of a template after its arguments, here the configuration
        structure ``<name>_config``; loops that it splits off have longer names.

        Args:
            name: name of the stage, as in ``parameters.h``.
        """
        pattern = re.compile(rf"(?:^|_){re.escape(name)}_config(?:_|$)")
        names = [module for module in self.modules if pattern.search(module)]
        return self.modules[min(names, key=len)] if names else None


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
    modules = {
        path.name.removesuffix(_SUFFIX): _row(_parse(path), path)
        for path in sorted(reports.glob(f"*{_SUFFIX}"))
        if path != top
    }
    return CsynthReport(
        total=_row(root, top),
        modules=modules,
        part=_text(root, "UserAssignments/Part", top),
        target_ns=_number(root, "UserAssignments/TargetClockPeriod", top),
    )


def report_file(folder: Path, project: str) -> Path:
    """Return where Vitis HLS leaves the report of the top function."""
    return folder / f"{project}_prj" / _REPORT_DIR / f"{project}{_SUFFIX}"


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
