"""Check that generated C++ stays inside what Vitis HLS synthesizes, without a vendor compiler.

libclang parses the top function of a project as Vitis HLS would (C++14, ``__SYNTHESIS__``), with
every template as it is instantiated. The rules are those of the Vitis HLS user guide (UG1399):
unsupported C++ constructs, loop bounds, pragmas and the canonical form of DATAFLOW. A clean result
means that none of these rules is broken; only Vitis HLS itself can say that a design synthesizes.
In the root of the repository, ``python -m verif.vitis_subset <project>`` runs it.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from clang.cindex import Cursor

from verif.subset.constructs import Constructs
from verif.subset.dataflow import Dataflow
from verif.subset.finding import Finding, Findings
from verif.subset.pragmas import Pragmas
from verif.subset.unit import FUNCTIONS, RECORDS, ParseError, Unit, is_templated

_EPILOG = """\
Rules: recursion, heap, virtual, exception, function pointer, library (C++ library calls and types),
float, state (mutable statics and globals), goto, loop form (while, do), loop bound, loop label,
pointer, array size, assembly, definition, pragma, interface, stream, dataflow.
Exit status: 0 nothing found, 1 findings, 2 the C++ does not parse or is not there."""


@dataclass(frozen=True)
class Result:
    """What a check found, and what it looked at.

    Args:
        findings: everything that is wrong, by file and line.
        functions: names of the functions of ours that were checked.
        files: our files that were read.
    """

    findings: list[Finding]
    functions: list[str]
    files: list[Path]


def check_project(folder: Path, top: str | None = None) -> Result:
    """Check a generated project.

    Args:
        folder: project with ``firmware/<project>.cpp`` and ``firmware/ap_types``.
        top: name of the top function; the name of the only ``firmware/*.cpp`` when None.

    Raises:
        ParseError: no such project, or its C++ does not compile.
    """
    firmware = folder / "firmware"
    sources = sorted(firmware.glob("*.cpp"))
    if len(sources) != 1:
        found = ", ".join(p.name for p in sources) or "none"
        raise ParseError(f"one C++ file is wanted in {firmware}, found {found}; convert a model")
    vendor = [firmware / "ap_types", firmware / "hyq" / "csim"]
    unit = Unit(sources, [firmware, firmware / "ap_types"], [firmware], vendor)
    name = top or sources[0].stem
    function = unit.function(name)
    if function is None:
        raise ParseError(f"{sources[0]} defines no function {name}; name it with --top")
    return _check(unit, function)


def check_headers(headers: list[Path]) -> Result:
    """Check header files on their own, templates as they are written.

    What depends on template parameters (calls, values of loop bounds) is only known in a project.

    Raises:
        ParseError: the C++ does not compile.
    """
    folders = sorted({p.resolve().parent for p in headers})
    csim = [folder / "csim" for folder in folders]
    ap_types = hls4ml_types()
    return _check(Unit(headers, [*csim, ap_types, *folders], folders, [*csim, ap_types]), None)


def hls4ml_types() -> Path:
    """Folder of the open ``ap_types`` that hls4ml brings."""
    spec = importlib.util.find_spec("hls4ml")
    if spec is None or spec.origin is None:
        raise ParseError("hls4ml is not installed; its ap_types are wanted: pip install hls4ml")
    return Path(spec.origin).parent / "templates" / "vivado" / "ap_types"


def _check(unit: Unit, top: Cursor | None) -> Result:
    findings = Findings()
    constructs = Constructs(unit, findings)
    functions = []
    for cursor, records in unit.declarations:
        if cursor.kind in RECORDS:
            constructs.check_record(cursor)
        elif cursor.kind in FUNCTIONS:
            functions.append(cursor)
            constructs.check_function(cursor, is_templated(cursor, records))
        else:
            constructs.check_variable(cursor)
    pragmas = Pragmas(unit, top, findings)
    pragmas.check()
    if top is not None:
        functions = constructs.check_reachable(top)
        Dataflow(pragmas, findings).check(top, functions)
    return Result(findings.sorted(), [f.spelling for f in functions], unit.files())


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "target", nargs="+", type=Path, help="a project folder, or one or more header files"
    )
    parser.add_argument("--top", help="top function (default: the name of firmware/*.cpp)")
    options = parser.parse_args(arguments)
    folders = [p for p in options.target if p.is_dir()]
    headers = [p for p in options.target if not p.is_dir()]
    try:
        results = [check_project(folder, options.top) for folder in folders]
        if headers:
            results.append(check_headers(headers))
    except ParseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    count = sum(len(r.findings) for r in results)
    for finding in (f for r in results for f in r.findings):
        print(finding)
    checked = sum(len(r.functions) for r in results)
    print(f"{checked} functions in {sum(len(r.files) for r in results)} files: {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
