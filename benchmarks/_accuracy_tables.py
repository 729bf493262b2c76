"""Write records of accuracy as tables: means over networks, and who wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._ablations import ABLATIONS
from hyq_hls.errors import InputError
from hyq_hls.evaluate import KEYS, Records
from hyq_hls.quant.presets import PRESETS

Record = Mapping[str, Any]

VARIANTS = ("plain", "outliers 64", "natural")
SETTINGS = ("W8A8", "W6A6", "W4A8", "avg7.9", "avg6")
OURS = "best"
#: Tools, and what they leave in float.
TOOLS = {
    "torchao-minmax": "no: float between grids",
    "torchao-histogram": "no: float between grids",
    "brevitas-layerwise": "no: functions in float",
}
#: It records why brevitas' graph modes fail: no accuracy.
_NO_ACCURACY = ("brevitas-graph",)


def load(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Read the records of several files.

    Raises:
        FileFormatError: a file holds something else.
        InputError: no records; the same measurement twice; other numbers of test images; a preset
            that is none of this package nor of benchmarks/tools.
    """
    found: list[dict[str, Any]] = []
    origin: dict[tuple[Any, ...], Path] = {}
    for path in paths:
        for record in Records(path).all:
            key = tuple(record[name] for name in KEYS)
            if key in origin:
                raise InputError(
                    f"{origin[key]} and {path} both have a record of {', '.join(map(str, key))}; "
                    "remove one of them"
                )
            origin[key] = path
            if record["preset"] not in (*PRESETS, *ABLATIONS, *TOOLS, *_NO_ACCURACY):
                raise InputError(
                    f"{path} has records of {record['preset']!r}, which is no preset and no tool "
                    "of benchmarks/tools; move it away, or measure it again"
                )
            if record["preset"] not in _NO_ACCURACY:
                found.append(record)
    images = {record.get("images") for record in found if "error" not in record}
    if not found or len(images) > 1:
        raise InputError(
            f"records over {sorted(map(str, images))} test images; the same number for all is "
            "wanted: run python -m benchmarks.accuracy"
        )
    return found


@dataclass(frozen=True)
class Cell:
    """One measure of one preset at one setting.

    Attributes:
        values: mean over the seeds, by network.
        networks: how many there should be.
        errors: message by network.
    """

    values: Mapping[str, float]
    networks: int
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """Mean over the networks that were measured; nan where there is none."""
        return float(np.mean([*self.values.values()])) if self.values else float("nan")

    @property
    def complete(self) -> bool:
        """Whether every network was measured; means of others are not comparable."""
        return len(self.values) == self.networks and not self.errors

    def text(self, digits: int) -> str:
        """Return the mean, and of how many networks it is where some are missing."""
        if not self.values:
            return "error" if self.errors else "-"
        number = f"{self.mean:.{digits}f}"
        few = f" ({len(self.values)} of {self.networks})"
        return number if len(self.values) == self.networks else number + few


def names_of(records: Iterable[Record], key: str, known: Sequence[str]) -> list[str]:
    """Return the values of a field: the known ones in their order, then the others sorted."""
    found = {record[key] for record in records}
    return [name for name in known if name in found] + sorted(found - set(known))


def presets_of(records: Iterable[Record]) -> list[str]:
    """Return the presets that have records: those of the package, then tools; no ablations."""
    public = (record for record in records if record["preset"] not in ABLATIONS)
    return names_of(public, "preset", [*PRESETS, *TOOLS])


def cell(records: Sequence[Record], preset: str, setting: str, variant: str, measure: str) -> Cell:
    """Return a measure (``drop``, ``sqnr_db``, ``seconds``) by network.

    Equal logits have an infinite SQNR.
    """
    networks = names_of(records, "model", ())
    values: dict[str, list[float]] = {}
    errors: dict[str, str] = {}
    wanted = {"preset": preset, "setting": setting, "variant": variant}
    for record in records:
        if any(record[name] != value for name, value in wanted.items()):
            continue
        if "error" in record:
            errors[record["model"]] = record["error"]
            continue
        value = record[measure]
        values.setdefault(record["model"], []).append(inf if value is None else value)
    means = {name: float(np.mean(mine)) for name, mine in values.items()}
    return Cell(means, len(networks), errors)


def traits(preset: str) -> tuple[str, str]:
    """Return whether a preset ends in integers only, and whether it requantizes by shifts only."""
    if preset in TOOLS:
        return TOOLS[preset], "no"
    return "yes", "no" if PRESETS[preset]().scale == "dyadic" else "yes"


def setting_table(records: Sequence[Record], setting: str) -> list[str]:
    """Return Markdown: drop of top-1 and SQNR by variant, the best complete mean in bold."""
    mine = [record for record in records if record["setting"] == setting]
    variants, presets = names_of(mine, "variant", VARIANTS), presets_of(mine)
    columns = [(measure, v) for measure in ("drop", "sqnr_db") for v in variants]
    cells = {
        (preset, column): cell(records, preset, setting, column[1], column[0])
        for preset in presets
        for column in columns
    }
    winners = {column: _winner(cells, presets, column) for column in columns}
    notes: list[str] = []
    rows = []
    for preset in presets:
        row = [f"`{preset}`", *traits(preset)]
        for column in columns:
            found = cells[preset, column]
            text = found.text(2 if column[0] == "drop" else 1)
            if found.complete and text == winners[column]:
                text = f"**{text}**"
            if found.errors:
                text += f" <sup>{_note(notes, preset, found.errors)}</sup>"
            row.append(text)
        seconds = [r["seconds"] for r in mine if r["preset"] == preset and "seconds" in r]
        rows.append([*row, f"{np.mean(seconds):.0f}" if seconds else "-"])
    names = {"drop": "points lost", "sqnr_db": "SQNR [dB]"}
    heads = [f"{names[measure]}, {variant}" for measure, variant in columns]
    lines = markdown([["preset", "integers only", "shifts only", *heads, "s"], *rows])
    return lines + [
        line for i, note in enumerate(notes, 1) for line in ("", f"<sup>{i}</sup> {note}")
    ]


#: Columns for a reader in a hurry: measure, setting, variant, and the title of the column.
_SUMMARY = (
    ("drop", "W8A8", "plain", "W8A8 plain"),
    ("drop", "W8A8", "outliers 64", "W8A8 outliers 64"),
    ("drop", "W6A6", "plain", "W6A6 plain"),
    ("drop", "W6A6", "outliers 64", "W6A6 outliers 64"),
    ("drop", "W6A6", "natural", "W6A6 natural"),
    ("sqnr_db", "W6A6", "plain", "SQNR, W6A6 plain"),
)


def summary_table(records: Sequence[Record]) -> list[str]:
    """Return Markdown: the columns that tell most, a row per preset that has any of them."""
    rows = [["recipe", "integers only", "shifts only", *(name for *_, name in _SUMMARY)]]
    for preset in presets_of(records):
        cells = [cell(records, preset, s, v, measure) for measure, s, v, _ in _SUMMARY]
        if any(found.values for found in cells):
            digits = [2 if measure == "drop" else 1 for measure, *_ in _SUMMARY]
            texts = [found.text(d) for found, d in zip(cells, digits, strict=True)]
            rows.append([f"`{preset}`", *traits(preset), *texts])
    return markdown(rows)


def _winner(
    cells: Mapping[tuple[str, tuple[str, str]], Cell],
    presets: Iterable[str],
    column: tuple[str, str],
) -> str:
    """Return the text of the best mean of a column; equal texts win together."""
    complete = [cells[p, column] for p in presets if cells[p, column].complete]
    lowest = column[0] == "drop"
    best = (min if lowest else max)(complete, key=lambda found: found.mean, default=None)
    return best.text(2 if lowest else 1) if best else ""


def _note(notes: list[str], preset: str, errors: Mapping[str, str]) -> int:
    """Number of the note that says what went wrong."""
    text = "; ".join(f"`{preset}` on {network}: {error}" for network, error in errors.items())
    if text not in notes:
        notes.append(text)
    return notes.index(text) + 1


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table whose first row is its head, as lines."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]
