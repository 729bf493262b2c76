"""Sites of a part that the units of an engine take: estimated from cost points, or synthesized."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from hyq_hls.engine.cost.points import cost_points, utilization_of
from hyq_hls.engine.cost.units import ROWS, Unit, units
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.rtl import module_sources
from hyq_hls.errors import CompilationError
from hyq_hls.machine import DesignUtilization
from hyq_hls.tools.yosys import Job, Utilization, synthesize_modules
from hyq_hls.tools.yosys.mapping import Progress


@lru_cache(maxsize=1 << 14)  # a search asks for the same engines for every part
def engine_utilization(sizes: Sizes) -> DesignUtilization:
    """Estimate without synthesis what the units of an engine take.

    Raises:
        ConversionError: no cost point covers a size.
    """
    points = cost_points()
    return _gathered((unit, utilization_of(unit, points)) for unit in units(sizes))


def synthesize_engine(
    sizes: Sizes, rtl_folder: Path, cache: Path, progress: Progress | None = None
) -> DesignUtilization:
    """Synthesize every unit of an engine by itself, several in a run of Yosys.

    Units are mapped out of context. What lies between them is mapped with hollow units.

    Args:
        sizes: the machine.
        rtl_folder: folder with its SystemVerilog, in whichever folders below it.
        cache: for results and logs; results that are there already are used.
        progress: gets the number of units, and one step after each.

    Raises:
        CompilationError: pyosys or a module is missing, or Yosys failed on some units, which are
            named; the results of the others stay.
    """
    todo = units(sizes)
    folders = sorted({path.parent for path in rtl_folder.rglob("*.sv")})
    jobs = [unit_job(unit, folders) for unit in todo]
    results = list(zip(todo, synthesize_modules(jobs, cache, progress), strict=True))
    failed = [(unit, r) for unit, r in results if isinstance(r, CompilationError)]
    if failed:
        names = ", ".join(f"{unit.row} ({unit.module})" for unit, _ in failed[:5])
        raise CompilationError(
            f"{len(failed)} of {len(todo)} units were not synthesized: {names}; the results of "
            f"the others stay in {cache}. The first error: {failed[0][1]}"
        )
    return _gathered((unit, r) for unit, r in results if isinstance(r, Utilization))


def unit_job(unit: Unit, folders: Iterable[Path]) -> Job:
    """Return the synthesis of a unit whose modules lie in some folders.

    Raises:
        CompilationError: a module is in none of them, or in several.
    """
    some = list(folders)
    try:
        sources = module_sources([unit.module], some)
    except ValueError as error:
        raise CompilationError(
            f"{unit.module}, or a module that it needs, is not in exactly one of "
            f"{', '.join(map(str, some)) or 'no folder'}; a folder that holds the engine's "
            "SystemVerilog once is wanted"
        ) from error
    return Job(sources, unit.module, dict(unit.parameters), apart=unit.apart)


def _gathered(parts: Iterable[tuple[Unit, Utilization]]) -> DesignUtilization:
    """Add up the units of each row; those that run instructions come first."""
    rows = {row: Utilization() for row in ROWS.values()}
    for unit, used in parts:
        rows[unit.row] = rows.get(unit.row, Utilization()) + used
    working = set(ROWS.values())
    return DesignUtilization(
        {row: used for row, used in rows.items() if row in working},
        {row: used for row, used in rows.items() if row not in working},
    )
