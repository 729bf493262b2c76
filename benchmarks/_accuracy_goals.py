"""Compare ``best`` with every baseline, and with the goals that were set for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from benchmarks._ablations import ABLATIONS, EXCHANGED
from benchmarks._accuracy_tables import (
    OURS,
    SETTINGS,
    VARIANTS,
    Record,
    cell,
    markdown,
    names_of,
    presets_of,
)
from hyq_hls.evaluate import KEYS
from hyq_hls.quant.presets import PRESETS

#: Baselines that are comparable with each other; ``fast`` is a part of ``best``.
GROUPS = {
    "every integer baseline": tuple(name for name in PRESETS if name not in (OURS, "fast")),
    "torchao (float between grids)": ("torchao-minmax", "torchao-histogram"),
    "brevitas (functions in float)": ("brevitas-layerwise",),
}
#: Variant, setting, points that ``best`` may lose.
LOSSES = (
    ("plain", "W8A8", 0.2),
    ("plain", "W6A6", 1.0),
    ("outliers 64", "W8A8", 0.3),
    ("natural", "W8A8", 1.0),
)
#: Points that requantization by shifts only may lose to any real scale.
SHIFTS_LOSE = 0.2
#: Lead in dB of the signal-to-noise ratio of logits at W6A6.
LEAD_DB = 3.0


@dataclass(frozen=True)
class Duel:
    """``best`` against a baseline on what both have: networks, variants, settings, seeds.

    Attributes:
        baseline: preset or tool.
        drop: points of top-1 that ``best`` is ahead, by row; seeds of a row count once.
        sqnr_db: how far its logits are ahead, by row.
    """

    baseline: str
    drop: Sequence[float]
    sqnr_db: Sequence[float]

    def text(self) -> str:
        """Return the mean lead in points, and rows won and lost."""
        if not self.drop:
            return "-"
        won, lost = (sum(sign * d > 0 for d in self.drop) for sign in (1, -1))
        return f"{np.mean(self.drop):+.2f} ({won} : {lost})"


def duel(records: Sequence[Record], baseline: str, **only: str) -> Duel:
    """Compare ``best`` with a baseline, where fields have the given values."""
    rows: dict[str, dict[tuple[Any, ...], Record]] = {OURS: {}, baseline: {}}
    for record in records:
        wanted = all(record[name] == value for name, value in only.items())
        if wanted and record["preset"] in rows and "error" not in record:
            key = tuple(record[name] for name in KEYS if name != "preset")
            rows[record["preset"]][key] = record
    drops: dict[tuple[Any, ...], list[float]] = {}
    ratios: dict[tuple[Any, ...], list[float]] = {}
    for key, ours in rows[OURS].items():
        if key not in rows[baseline]:
            continue
        theirs, row = rows[baseline][key], (ours["model"], ours["variant"], ours["setting"])
        drops.setdefault(row, []).append(theirs["drop"] - ours["drop"])
        if ours["sqnr_db"] is not None and theirs["sqnr_db"] is not None:
            ratios.setdefault(row, []).append(ours["sqnr_db"] - theirs["sqnr_db"])
    return Duel(
        baseline,
        [round(float(np.mean(seeds)), 3) for seeds in drops.values()],
        [float(np.mean(seeds)) for seeds in ratios.values()],
    )


def duel_table(records: Sequence[Record]) -> list[str]:
    """Return Markdown: the points by which ``best`` leads every baseline, by setting and in all."""
    settings = names_of(records, "setting", SETTINGS)
    rows = [["baseline", *settings, "all"]]
    for name in presets_of(records):
        if name != OURS:
            cells = [duel(records, name, setting=s).text() for s in settings]
            rows.append([f"`{name}`", *cells, duel(records, name).text()])
    return markdown(rows)


def ablation_table(records: Sequence[Record]) -> list[str]:
    """Return Markdown: what ``best`` loses where a part is exchanged.

    The text is empty without records.
    """
    present = {record["preset"] for record in records}
    names = [name for name in ABLATIONS if name in present]
    mine = [record for record in records if record["preset"] in names]
    settings = names_of(mine, "setting", SETTINGS)
    heads = [f"{what}, {s}" for s in settings for what in ("points lost", "dB lost")]
    rows = [["preset", "instead", *heads, "rows"]]
    for name in names:
        duels = [duel(records, name, setting=s) for s in settings]
        cells = [_mean(leads) for d in duels for leads in (d.drop, d.sqnr_db)]
        count = sum(len(d.drop) for d in duels)
        rows.append([f"`{name}`", EXCHANGED[name], *cells, str(count)])
    return markdown(rows) if names else []


def _mean(leads: Sequence[float]) -> str:
    return f"{np.mean(leads):+.2f}" if leads else "-"


@dataclass(frozen=True)
class Goal:
    """A goal that was set for ``best``, and what ``best`` reached.

    Attributes:
        text: the goal.
        found: what the records say.
        margin: how far beyond the goal, negative where it is missed; None: not measured.
        unit: unit of the margin.
        strict: whether a margin of 0 misses it.
    """

    text: str
    found: str
    margin: float | None
    unit: str
    strict: bool = False

    @property
    def verdict(self) -> str:
        """Whether the goal is met, and by how much."""
        if self.margin is None:
            return "not measured"
        # The printed digits decide, not the last bits of a mean.
        margin = round(self.margin, 2)
        met = margin > 0 if self.strict else margin >= 0
        if self.margin == -inf:
            return "**missed**: it fails"
        by = f"{abs(margin):.2f} {self.unit}"
        return f"met by {by}" if met else f"**missed** by {by}"


def goals(records: Sequence[Record]) -> list[Goal]:
    """Judge every goal: losses by the worst network, leads by the strongest baseline."""
    found = [_loss(records, *loss) for loss in LOSSES]
    shifts = duel(records, "best-dyadic")
    text = f"shifts only: within {SHIFTS_LOSE} points of any real scale"
    found.append(_lead(text, [shifts], "drop", -SHIFTS_LOSE, "points"))
    for variant in VARIANTS:
        for group, members in GROUPS.items():
            duels = [duel(records, m, setting="W6A6", variant=variant) for m in members]
            text = f"W6A6, {variant}: {LEAD_DB:.0f} dB more SQNR than {group}"
            found.append(_lead(text, duels, "sqnr_db", LEAD_DB, "dB"))
    for group, members in GROUPS.items():
        duels = [duel(records, member) for member in members]
        text = f"accuracy, mean over all: ahead of {group}"
        found.append(_lead(text, duels, "drop", 0.0, "points"))
    return found


def goal_table(records: Sequence[Record]) -> list[str]:
    """Return the goals in Markdown."""
    rows = [[goal.text, goal.found, goal.verdict] for goal in goals(records)]
    return markdown([["goal", "found", "verdict"], *rows])


def _loss(records: Sequence[Record], variant: str, setting: str, most: float) -> Goal:
    text = f"{setting}, {variant}: at most {most} points lost"
    found = cell(records, OURS, setting, variant, "drop")
    if found.errors:
        failed = f"error on {', '.join(found.errors)}"
        return Goal(text, failed, -inf, "points")
    if not found.values:
        return Goal(text, "-", None, "points")
    worst = max(found.values, key=lambda name: found.values[name])
    lost = found.values[worst]
    said = f"at most {lost:.2f} ({worst}), mean {found.text(2)}"
    return Goal(text, said, most - lost, "points")


def _lead(text: str, duels: Iterable[Duel], measure: str, least: float, unit: str) -> Goal:
    strict = least == 0
    leads = {
        d.baseline: (float(np.mean(rows)), len(rows))
        for d in duels
        if (rows := getattr(d, measure))
    }
    if not leads:
        return Goal(text, "-", None, unit, strict)
    closest = min(leads, key=lambda name: leads[name][0])
    lead, rows = leads[closest]
    said = f"{lead:+.2f} {unit} against `{closest}` ({rows} row{'s' * (rows > 1)})"
    return Goal(text, said, lead - least, unit, strict)
