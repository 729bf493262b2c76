"""Reads the reports of ``vivado_rtl.tcl``: resources of every instance, and the slowest path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hyq_hls.errors import CompilationError

#: Columns of a hierarchical utilization report, by their names in any version of Vivado.
_COLUMNS = {
    "lut": ("Total LUTs",),
    "ff": ("FFs",),
    "dsp": ("DSP Blocks", "DSP48 Blocks", "DSP Slices"),
    "ramb36": ("RAMB36",),
    "ramb18": ("RAMB18",),
}


@dataclass(frozen=True)
class VivadoRow:
    """The sites that an instance takes, those inside it included.

    Attributes:
        lut: look-up tables, LUT-RAM and shift registers among them.
        ff: flip-flops.
        dsp: DSP slices.
        bram18: block RAMs of 18 Kb; one of 36 Kb counts twice.
    """

    lut: int
    ff: int
    dsp: int
    bram18: int


@dataclass(frozen=True)
class VivadoReport:
    """Synthesis or routing of the core alone.

    Attributes:
        total: the core, without its connection to a DMA.
        modules: every instance in it by its path, such as ``u_stem_conv/u_window``.
        delay_ns: delay of the slowest path.
        slack_ns: what is left of the clock period there; negative where timing is not met.
    """

    total: VivadoRow
    modules: dict[str, VivadoRow]
    delay_ns: float
    slack_ns: float


def read_vivado(reports: Path, step: str = "synthesis") -> VivadoReport:
    """Read what ``vivado_rtl.tcl`` wrote into its folder ``reports_rtl`` or ``reports_hls``.

    Args:
        reports: that folder.
        step: ``synthesis`` or ``route``.

    Raises:
        CompilationError: a report is missing or has another form.
    """
    path = reports / f"{step}_utilization.rpt"
    rows = _instances(_read(path), path)
    core = next((name for name in rows if name.endswith("/u_core")), None)
    if core is None:
        raise CompilationError(f"{path} has no instance u_core; run vivado_rtl.tcl again")
    inside = {
        name.removeprefix(f"{core}/"): row
        for name, row in rows.items()
        if name.startswith(f"{core}/")
    }
    timing = reports / f"{step}_path.txt"
    try:
        values = dict(line.split() for line in _read(timing).splitlines())
        delay, slack = float(values["delay_ns"]), float(values["slack_ns"])
    except (ValueError, KeyError) as error:
        raise CompilationError(
            f"{timing}: {type(error).__name__} {error}; two lines with slack_ns and delay_ns in "
            "nanoseconds are wanted. Run vivado_rtl.tcl again"
        ) from error
    return VivadoReport(rows[core], inside, delay, slack)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CompilationError(
            f"{path}: {error.strerror or error}; run vivado_rtl.tcl first, which needs Vivado"
        ) from error


def _instances(text: str, path: Path) -> dict[str, VivadoRow]:
    """Return the rows of the table by the path of their instance.

    The report shows the path by indentation.
    """
    lines = [line[1:].rstrip().removesuffix("|") for line in text.splitlines() if line[:1] == "|"]
    table = [line.split("|") for line in lines]
    start = next((i for i, cells in enumerate(table) if cells[0].strip() == "Instance"), None)
    if start is None:
        raise CompilationError(
            f"{path} has no table of instances; `report_utilization -hierarchical` writes one"
        )
    index = _columns([cell.strip() for cell in table[start]], path)
    rows: dict[str, VivadoRow] = {}
    parents: list[tuple[int, str]] = []  # indentation and path of the instances around a row
    for cells in table[start + 1 :]:
        name = cells[0].strip()
        if name.startswith("("):  # what an instance has beside the instances in it
            continue
        indentation = len(cells[0]) - len(cells[0].lstrip())
        while parents and parents[-1][0] >= indentation:
            parents.pop()
        full = f"{parents[-1][1]}/{name}" if parents else name
        parents.append((indentation, full))
        try:
            count = {key: int(cells[column]) for key, column in index.items()}
        except (ValueError, IndexError) as error:
            raise CompilationError(f"{path}: {full}: {error}; whole numbers are wanted") from error
        bram18 = 2 * count["ramb36"] + count["ramb18"]
        rows[full] = VivadoRow(count["lut"], count["ff"], count["dsp"], bram18)
    return rows


def _columns(header: list[str], path: Path) -> dict[str, int]:
    index = {}
    for key, names in _COLUMNS.items():
        found = [header.index(name) for name in names if name in header]
        if not found:
            raise CompilationError(
                f"{path} has no column {names[0]}; found are {', '.join(header)}"
            )
        index[key] = found[0]
    return index
