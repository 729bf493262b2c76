"""Check the initiation interval of every loop of generated C++, without a vendor compiler.

clang compiles the project to LLVM IR, as Vitis HLS does in its first step. For every loop with
``HYQ_PIPELINE`` the check finds the longest cycle of dependences between iterations, by a table of
delays, and counts the words that an iteration moves per memory and per stream. A loop that moves
words without ``PIPELINE`` is a miss too. docs/schedule.md says what that proves and what it cannot.
In the root of the repository, ``python -m verif.schedule <project>`` runs it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from verif.clang import ClangError
from verif.intervals.check import LoopReport, check_module
from verif.intervals.ir import parse
from verif.intervals.source import project_ir

_EPILOG = """\
Exit status: 0 every loop reaches its interval, 1 a loop misses, 2 no clang or no such project."""


@dataclass(frozen=True)
class TemplateReport:
    """The worst loop of a template.

    Attributes:
        template: header of the template, without ``.h``.
        loops: how many loops of it were checked, in all their configurations.
        worst_ii: the largest interval; 0 where a loop has no PIPELINE.
        worst_ns: the longest cycle of dependences per iteration, in nanoseconds.
        path: that cycle in terms of the C++.
        reasons: why its loops miss their intervals.
    """

    template: str
    loops: int
    worst_ii: int
    worst_ns: float
    path: str
    reasons: list[str]


def check_project(folder: Path, mhz: float = 150.0) -> list[LoopReport]:
    """Check all loops of a generated project.

    Args:
        folder: project with ``firmware/<project>.cpp``.
        mhz: the clock.

    Raises:
        ClangError: there is no clang or no such project, or the C++ does not compile.
    """
    firmware = folder / "firmware"
    sources = sorted(firmware.glob("*.cpp"))
    if len(sources) != 1:
        found = ", ".join(p.name for p in sources) or "none"
        raise ClangError(f"one C++ file is wanted in {firmware}, found {found}; convert a model")
    return check_module(parse(project_ir(firmware, sources[0].name)), mhz)


def by_template(reports: Iterable[LoopReport]) -> list[TemplateReport]:
    """Summarize loops by the header that has them."""
    groups: dict[str, list[LoopReport]] = {}
    for report in reports:
        groups.setdefault(report.template, []).append(report)
    result = []
    for template, loops in sorted(groups.items()):
        slowest = max(loops, key=lambda r: r.nanoseconds)
        missing = any(r.wanted is None for r in loops)
        result.append(
            TemplateReport(
                template,
                len(loops),
                0 if missing else max(r.interval for r in loops),
                round(slowest.nanoseconds, 3),
                slowest.path,
                sorted({reason for r in loops for reason in r.reasons}),
            )
        )
    return result


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("project", type=Path, help="folder of a generated project")
    parser.add_argument("--mhz", type=float, default=150.0, help="clock (default: 150)")
    parser.add_argument("--json", type=Path, help="also write a record per template to this file")
    options = parser.parse_args(arguments)
    try:
        reports = check_project(options.project, options.mhz)
    except ClangError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for r in reports:
        print(f"{r.place}: {r.function}: II {r.interval or '-'}, {r.nanoseconds:.2f} ns: {r.path}")
        for reason in r.reasons:
            print(f"    {reason}")
    if options.json:
        records = [asdict(t) for t in by_template(reports)]
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    missed = sum(bool(r.reasons) for r in reports)
    print(f"{len(reports)} loops at {options.mhz:g} MHz: {missed} miss their interval")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
