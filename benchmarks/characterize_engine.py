"""Synthesis results of the engine's units, from which its size is estimated.

    python -m benchmarks.characterize_engine      writes hyq_hls/engine/cost/points.json

Every unit is mapped at the sizes with which it changes, one after the other: pixels, lanes, and the
ends of the range of its memory. Points of units whose sources are the same, comments aside, stay
as they are; ``--all`` maps these again too. Results of single units are kept in
build/benchmarks/characterize_engine, so that a run that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hyq_hls.engine.cost.points import POINTS_FILE, Point, module_hash, read_points
from hyq_hls.engine.cost.units import Unit, units
from hyq_hls.engine.cost.utilization import unit_job
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.rtl import rtl_folders
from hyq_hls.errors import CompilationError
from hyq_hls.support import write_file
from hyq_hls.tools.yosys import synthesize_modules, yosys_version

FOLDER = Path("build/benchmarks/characterize_engine")
#: Units in one run of Yosys: few, so that little is lost when it is interrupted.
BATCH = 4
#: Engines with the least and the most words of every memory.
SMALL = Sizes(
    pixels=2,
    feature_words=512,
    weight_words=256,
    parameter_groups=16,
    softmax_length=64,
    softmax_lanes=1,
    norm_channels=128,
    norm_lanes=1,
    multiplier=False,
)
LARGE = replace(
    SMALL,
    feature_words=65536,
    weight_words=16384,
    parameter_groups=256,
    softmax_length=1024,
    norm_channels=1024,
)
#: Other sizes, and modules at which a test checks there what the estimate says.
CHECKED = (
    (
        replace(SMALL, feature_words=8192, weight_words=2048),
        ("hyq_engine_feature", "hyq_engine_weights", "hyq_engine_sequencer"),
    ),
    (replace(SMALL, pixels=8, feature_words=8192), ("hyq_engine_feature",)),
    (
        replace(SMALL, pixels=8),
        ("hyq_engine_load", "hyq_engine_sequencer", "hyq_engine_writer", "hyq_engine_registers"),
    ),
)


def work() -> list[Unit]:
    """Return the different units of all sizes."""
    axes = (
        SMALL,
        replace(SMALL, softmax_lanes=2, norm_lanes=2, multiplier=True),
        replace(SMALL, softmax_lanes=4, norm_lanes=4),
        LARGE,
        replace(SMALL, pixels=4),
        replace(SMALL, pixels=8),
    )
    different: dict[tuple[str, str], Unit] = {}
    for unit in (unit for sizes in axes for unit in units(sizes)):
        values = {n: v for n, v in unit.parameters.items() if n not in unit.ignored}
        different.setdefault((unit.module, json.dumps(values)), unit)
    found = list(different.values())
    for sizes, modules in CHECKED:
        found += [unit for unit in units(sizes) if unit.module in modules and unit not in found]
    return found


def main() -> None:
    """Synthesize and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--output", type=Path, default=POINTS_FILE)
    parser.add_argument("--all", action="store_true", help="also map units that did not change")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = work()
    points = [] if options.all else unchanged(options.output, wanted)
    done = [(point.module, point.parameters) for point in points]
    todo = [unit for unit in wanted if (unit.module, unit.parameters) not in done]
    with tqdm(unit="unit") as bar:
        jobs = [unit_job(unit, rtl_folders()) for unit in todo]
        results = synthesize_modules(jobs, FOLDER / "synthesis", bar, batch=BATCH)
    for unit, result in zip(todo, results, strict=True):
        if isinstance(result, CompilationError):
            raise SystemExit(f"{unit.module} {dict(unit.parameters)}: {result}")
        points.append(Point(unit.module, unit.parameters, result))
    write_points(options.output, points)


def unchanged(table: Path, wanted: Sequence[Unit]) -> list[Point]:
    """Return the points of a table that are wanted, and whose sources and tool are the same."""
    if not table.is_file():
        return []
    data = json.loads(table.read_text(encoding="utf-8"))
    if data["tool"] != _tool():
        return []
    same = {module for module, known in data["sources"].items() if module_hash(module) == known}
    units_wanted = [(unit.module, unit.parameters) for unit in wanted]
    return [
        point
        for point in read_points(table)
        if point.module in same and (point.module, point.parameters) in units_wanted
    ]


def write_points(output: Path, points: list[Point]) -> None:
    """Write a table with one line for each unit, behind facts on how it was made."""
    ordered = sorted(points, key=lambda p: (p.module, sorted(p.parameters.items())))
    data: dict[str, Any] = {
        "tool": _tool(),
        "date": date.today().isoformat(),
        "sources": {module: module_hash(module) for module in sorted({p.module for p in points})},
        "script": "benchmarks/characterize_engine.py",
        "points": [asdict(point) for point in ordered],
    }
    text = json.dumps(data, separators=(",", ":")).replace('{"module"', '\n{"module"')
    write_file(output, f"{text}\n".encode())
    print(f"{len(points)} units in {output}")


def _tool() -> str:
    return f"pyosys {yosys_version()}, synth_xilinx -family xc7 -flatten, out of context"


if __name__ == "__main__":
    main()
