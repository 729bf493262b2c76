"""Check that a project for Bambu has nothing that Bambu 2024.10 refuses or gets wrong.

The rules are what was seen when the tool ran, and what its source says; ``docs/hls.md`` has the
table. libclang parses the project as Bambu would, with headers that stand in for Bambu's own:

- directive: DATAFLOW is the only one that is known and harmless.
- process: a process has streams as its arguments, and nothing else.
- word: a stream has our own words, whose type begins with an integer as wide as all lanes.

In the root of the repository, ``python -m verif.bambu_subset <project>`` runs it.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from clang.cindex import Cursor, CursorKind, Type

from verif.clang import BITINT
from verif.subset.constructs import Constructs
from verif.subset.finding import Finding, Findings
from verif.subset.pragmas import Pragmas
from verif.subset.unit import ParseError, Unit, place, walk

#: Folders of the headers that stand in for Bambu's ``hls_stream.h`` and ``ap_int.h``.
HEADERS = (Path(__file__).resolve().parent / "bambu", BITINT)
_PROLOGUE = '#define __BAMBU__ 1\n#include "ap_int.h"\n#include "hls_stream.h"\n'
_STREAM = re.compile(r"^ac_channel<(.*)> &$")
_INTEGER = r"bitint::integer<(\d+), (?:true|false)>"
_WORD = re.compile(rf"hyq::packed_word<{_INTEGER}, {_INTEGER}, (\d+)[uU]?>")


def check_project(folder: Path) -> list[Finding]:
    """Check a project that was written with ``hls="bambu"``.

    Raises:
        ParseError: no such project, or its C++ does not compile with Bambu's types.
    """
    firmware = folder / "firmware"
    sources = sorted(firmware.glob("*.cpp"))
    if len(sources) != 1:
        raise ParseError(f"one C++ file is wanted in {firmware}, found {len(sources)}")
    unit = Unit(sources, [*HEADERS, firmware], [firmware], HEADERS, _PROLOGUE)
    top = unit.function(sources[0].stem)
    if top is None:
        raise ParseError(f"{sources[0]} defines no function {sources[0].stem}")
    findings, pragmas = Findings(), Pragmas(unit, top, Findings())
    for line in pragmas.lines:
        if line.words != ("HLS", "DATAFLOW"):
            findings.add(
                (line.file, line.line), "directive", line.text, "no directive but DATAFLOW"
            )
    _check_streams(top, findings)
    reached = Constructs(unit, Findings()).check_reachable(top)
    regions = [f for f in reached if any(p.name == "DATAFLOW" for p in pragmas.within(f))]
    if top not in regions:
        findings.add(place(top), "directive", f"{top.spelling}() without DATAFLOW", "DATAFLOW")
    for function in regions:
        for cursor, _ in walk(function):
            callee = cursor.referenced if cursor.kind == CursorKind.CALL_EXPR else None
            if callee is not None and callee.kind == CursorKind.FUNCTION_DECL:
                _check_streams(callee, findings, cursor)
    return findings.sorted()


def _check_streams(process: Cursor, findings: Findings, call: Cursor | None = None) -> None:
    """Check the arguments of a process, and the words of its streams."""
    for argument in process.get_arguments():
        where = place(argument if call is None else call)
        found = f"argument {argument.spelling} of {process.spelling}(), {argument.type.spelling}"
        stream = _STREAM.match(_canonical(argument.type))
        if stream is None:
            findings.add(where, "process", found, "streams alone, and memories as globals")
            continue
        word = _WORD.fullmatch(stream[1])
        if word is None or int(word[1]) != int(word[2]) * int(word[3]):
            wanted = "hyq::packed_word of an integer as wide as all lanes"
            findings.add(where, "word", f"{found}, of {stream[1]}", wanted)


def _canonical(t: Type) -> str:
    return str(t.get_canonical().spelling)


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("project", type=Path, help="a folder from hyq-hls convert --hls bambu")
    options = parser.parse_args(arguments)
    try:
        findings = check_project(options.project)
    except ParseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    print(f"{options.project}: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
