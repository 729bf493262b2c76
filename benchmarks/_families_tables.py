"""Writes the records of the matrix of levels as Markdown, a table for each family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from benchmarks._families_levels import LEVELS, blank
from benchmarks._families_networks import FAMILIES
from benchmarks.reduced import REDUCED

Record = Mapping[str, Any]

_RESULTS = ("captured", "emulation_equal", "csim_equal", "rtl_equal")
_NUMBERS = ("sqnr_db", "seconds", "peak_gb")
_HEADER = ("network", "image", "captured", "emulation", "C++", "RTL", "SQNR, dB", "CPU s", "GB")
_WORDS = {True: "yes", False: "**no**", None: "-"}
#: Longest reason, in characters, that a list shows.
_LONGEST = 300


def best(records: Sequence[Record]) -> dict[tuple[str, int], Record]:
    """Return one record for each network and size, that of the most levels.

    What its last run did not reach, because it was stopped, comes from runs of fewer levels.
    """
    found: dict[tuple[str, int], Record] = {}
    for record in sorted(records, key=lambda r: LEVELS.index(r["levels"])):
        key = record["model"], record["size"]
        fewer = found.get(key, record)
        found[key] = {
            name: fewer.get(name) if value in (None, []) else value
            for name, value in record.items()
        }
    return found


def matrix(records: Sequence[Record]) -> str:
    """Return the tables of all families, and what stops the networks that stop."""
    found = best(records)
    parts, stopped = [], []
    for family, networks in FAMILIES.items():
        rows = [found.get(key, blank(*key, LEVELS[:1])) for key in networks]
        parts += [f"## {family}", "", *_table(rows), "", *_coverage(rows)]
        stopped += [row for row in rows if row["problem"]]
    if stopped:
        parts += ["## What stops a network", "", *map(_reason, stopped), ""]
    return "\n".join(parts).rstrip()


def _coverage(rows: Sequence[Record]) -> list[str]:
    """Say whether the reduced members have the kinds of operations of the others."""
    reduced, public = (
        [
            row["operations"]
            for row in rows
            if (row["model"] in REDUCED) is here and row["operations"]
        ]
        for here in (True, False)
    )
    if not reduced or not public:
        return []
    missing = sorted(set(chain(*public)) - set(chain(*reduced)))
    if missing:
        return [f"The reduced member lacks {', '.join(missing)}.", ""]
    count = f"The reduced member has all {len(set(chain(*public)))} kinds of integer operations"
    return [f"{count} that the networks above have, as far as those were quantized.", ""]


def _table(rows: Sequence[Record]) -> Iterator[str]:
    yield f"| {' | '.join(_HEADER)} |"
    yield "|---" * len(_HEADER) + "|"
    for row in rows:
        cells = [row["model"], str(row["size"]), *(_WORDS[row[name]] for name in _RESULTS)]
        cells += ["-" if row[name] is None else str(row[name]) for name in _NUMBERS]
        yield f"| {' | '.join(cells)} |"


def _reason(row: Record) -> str:
    line = " ".join(row["problem"].split())
    line = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
    return f"- `{row['model']}`: {line}"
