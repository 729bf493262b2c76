"""Results differ between seeds: other calibration images, other channels with outliers."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from statistics import mean, stdev

from benchmarks._accuracy_tables import (
    SETTINGS,
    VARIANTS,
    Record,
    markdown,
    names_of,
    presets_of,
)

#: Measure, what a table of it is called, digits.
MEASURES = (("drop", "Points of top-1 lost", 2), ("sqnr_db", "SQNR [dB]", 1))


def spread_tables(records: Sequence[Record]) -> list[str]:
    """Return Markdown: mean and standard deviation over seeds, by network and measure.

    What has one seed only is left out; nothing is written where all has.
    """
    lines: list[str] = []
    for network in names_of(records, "model", ()):
        mine = [r for r in records if r["model"] == network and "error" not in r]
        for measure, title, digits in MEASURES:
            table = _table(mine, measure, digits)
            if table:
                lines += ["", f"{title}, `{network}`:", "", *table]
    return lines


def _table(records: Sequence[Record], measure: str, digits: int) -> list[str]:
    groups: dict[tuple[str, str, str], list[float]] = {}
    for record in records:
        value = record[measure]
        groups.setdefault(_key(record), []).append(inf if value is None else value)
    groups = {key: values for key, values in groups.items() if len(values) > 1}
    many = [record for record in records if _key(record) in groups]
    columns = [
        (setting, variant)
        for setting in names_of(many, "setting", SETTINGS)
        for variant in names_of(many, "variant", VARIANTS)
        if any(key[1:] == (setting, variant) for key in groups)
    ]
    rows = [["preset", *(f"{setting}, {variant}" for setting, variant in columns)]]
    for preset in presets_of(many):
        cells = [groups.get((preset, *column), []) for column in columns]
        rows.append([f"`{preset}`", *(_cell(values, digits) for values in cells)])
    return markdown(rows) if groups else []


def _key(record: Record) -> tuple[str, str, str]:
    return record["preset"], record["setting"], record["variant"]


def _cell(values: Sequence[float], digits: int) -> str:
    if not values:
        return "-"
    if inf in values:
        return "inf"
    return f"{mean(values):.{digits}f} ± {stdev(values):.{digits}f} ({len(values)})"
