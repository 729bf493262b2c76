"""Area of hardware-friendly functions and of their rivals, as whole units.

    python -m benchmarks.area                    writes build/benchmarks/area.json
    python -m benchmarks.area --kind softmax --n 64

Yosys maps every unit for the 7 series, out of context; cycles and errors are those of its integer
reference, to which the tests in tests/benchmarks hold its RTL. Results of synthesis are kept in
build/benchmarks/synthesis, four units at a time, so that a run that was interrupted goes on where
it was. docs/area.md says what is compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.circuits import attention_v, requant, softmax, unary
from benchmarks.circuits.point import Point
from hyq_hls.errors import HyqError
from hyq_hls.support import aligned
from hyq_hls.tools.yosys import Job, Utilization, synthesize_modules

KINDS = {
    "softmax": softmax.points,
    "unary": unary.points,
    "requant": requant.points,
    "attention_v": attention_v.points,
}
#: Units in one run of Yosys. Small ones share its start; when it is interrupted, these are lost.
BATCH = 4
COLUMNS = ("circuit", "regime", "n", "lut", "ff", "dsp", "bram18", "cycles")


def measure(points: Sequence[Point], folder: Path) -> list[dict[str, Any]]:
    """Measure all points that can be synthesized; those that cannot are named at the end."""
    jobs = [Job(p.sources, p.top, p.parameters, p.dsp) for p in points]
    with tqdm(unit="module", disable=None) as progress:
        results = synthesize_modules(jobs, folder, progress, batch=BATCH)
    records = []
    for point, result in zip(points, results, strict=True):
        if isinstance(result, HyqError):
            print(f"{point.name}: {result}", file=sys.stderr)
        else:
            records.append(record(point, result))
    return records


def record(point: Point, utilization: Utilization) -> dict[str, Any]:
    """Return the row of the comparison: names, sites, cycles, errors."""
    max_error, mean_error = point.errors()
    return {
        "kind": point.kind,
        "circuit": point.circuit,
        "regime": point.regime,
        "n": point.n,
        "lut": utilization.lut,
        "ff": utilization.ff,
        "dsp": utilization.dsp,
        "bram18": utilization.bram18,
        "carry": utilization.carry,
        "delay_ns": utilization.delay_ns,
        "cycles": point.cycles,
        "max_error": max_error,
        "mean_error": mean_error,
    }


def table(records: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines of a table of records of one kind."""
    rows: list[tuple[str, ...]] = [(*COLUMNS, "max error", "mean error")]
    for row in sorted(records, key=lambda r: (r["regime"], r["n"], r["circuit"])):
        errors = (f"{row['max_error']:.4g}", f"{row['mean_error']:.3g}")
        rows.append((*(str(row[column]) for column in COLUMNS), *errors))
    return aligned(rows)


def ratios(records: Sequence[dict[str, Any]]) -> list[str]:
    """Return the lines of a table: what every softmax takes relative to the linear one."""
    rows = [("circuit", "regime", "n", "lut / linear", "ff / linear")]
    linear = {(r["regime"], r["n"]): r for r in records if r["circuit"] == "linear"}
    for row in sorted(records, key=lambda r: (r["regime"], r["circuit"], r["n"])):
        base = linear.get((row["regime"], row["n"]))
        if base is not None and row is not base:
            shown = (f"{row[site] / base[site]:.2f}" for site in ("lut", "ff"))
            rows.append((row["circuit"], row["regime"], str(row["n"]), *shown))
    return aligned(rows)


def main() -> None:
    """Measure, print, write the records."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--n", nargs="+", type=int, help="sizes; all that there are by default")
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    arguments = parser.parse_args()

    points = [point for kind in arguments.kind for point in KINDS[kind]()]
    sizes = sorted({point.n for point in points})
    wanted = arguments.n or sizes
    if unknown := sorted(set(wanted) - set(sizes)):
        parser.error(f"no circuit has --n {unknown}; there are {sizes}")
    points = [point for point in points if point.n in wanted]
    records = measure(points, arguments.output / "synthesis")

    for kind in arguments.kind:
        rows = [row for row in records if row["kind"] == kind]
        if rows:
            print(f"\n{kind}", *table(rows), sep="\n")
    if compared := [row for row in records if row["kind"] == "softmax"]:
        print("\nsoftmax, relative to the linear one", *ratios(compared), sep="\n")
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "area.json"
    path.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    print(f"\n{path}")
    if len(records) < len(points):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
