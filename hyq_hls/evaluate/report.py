"""The table of an evaluation, as text and as a Markdown document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_HEAD = ("preset", "setting", "top-1", "drop", "agreement", "images", "seconds")


def table_cells(float_row: Row, rows: Iterable[Row]) -> list[tuple[str, ...]]:
    """Return the texts of a table: its head, the float network, then every recipe.

    Args:
        float_row: ``top1``, ``images`` and ``seconds`` of the float network.
        rows: the same of every recipe, with ``preset``, ``setting``, ``drop`` and ``agreement``.
    """
    total = f"{float_row['images']:,}"
    cells: list[tuple[str, ...]] = [
        _HEAD,
        ("float", "", f"{float_row['top1']:.3f}", "", "", total, _seconds(float_row)),
    ]
    for row in rows:
        figures = (f"{row[key]:.3f}" for key in ("top1", "drop", "agreement"))
        cells.append((row["preset"], row["setting"], *figures, total, _seconds(row)))
    return cells


def failure_lines(failed: Mapping[str, str]) -> list[str]:
    """Return a line for every recipe that could not be quantized."""
    return [f"{name} failed: {why}" for name, why in failed.items()]


def markdown(
    title: str, description: str, cells: Sequence[Sequence[str]], failed: Mapping[str, str]
) -> str:
    """Return the whole document: title, what was evaluated, table, failures."""
    head, *rows = (f"| {' | '.join(row)} |" for row in cells)
    lines = [
        f"# {title}",
        "",
        *(f"{line}\n" for line in description.splitlines()),
        "Top-1, drop and agreement with float in percent; integers only, from image bytes to "
        "logits. Seconds are of the network, without reading images.",
        "",
        head,
        "|---" * len(_HEAD) + "|",
        *rows,
        *(f"\n{line}" for line in failure_lines(failed)),
    ]
    return "\n".join(lines) + "\n"


def _seconds(row: Row) -> str:
    return f"{row['seconds']:.1f}"
