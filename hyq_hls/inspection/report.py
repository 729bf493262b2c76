"""The report of an inspection: a table for terminals, the same as HTML, and what is missing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from hyq_hls.capture.report import CaptureReport
from hyq_hls.support import HtmlPage, aligned

#: Levels at which a node may stop, in words.
_LEVELS = {
    "capture": "not captured",
    "integers": "no integer operation",
    "hardware": "no circuit",
}
_HEADER = ("node", "captured as", "shape", "integer operation", "C++", "SystemVerilog")
_STYLE = (
    "<style>.hyq td,.hyq th{text-align:left;padding:1px 10px;font:12px monospace;"
    "white-space:nowrap}.hyq .stops td{background:#fdd;color:#600}"
    ".hyq .remedy{white-space:normal;max-width:60em}</style>"
)
#: Names and reasons of a group that a report shows.
_SHOWN = 3


@dataclass(frozen=True)
class InspectedNode:
    """One node on every level.

    Attributes:
        name: name of the float node, or of the exported node where it is not captured.
        kind: kind of the float operation, or the exported operation.
        shape: shape of its value, channels-last and without batch; empty where it is not known.
        operations: integer operations that it becomes, in the order of the data.
        modules: circuits that compute them: ``hls_templates/<module>.h`` in C++ and
            ``rtl_templates/hyq_<module>.sv`` in SystemVerilog. Where an operation has several,
            ``convert`` takes the cheapest.
        level: where the node stops, ``capture``, ``integers`` or ``hardware``; empty where it
            reaches all levels.
        problem: the message of that level; that of the capture stands in its report.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    operations: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    level: str = ""
    problem: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts of a row of the table."""
        captured = f"{self.kind}: NOT SUPPORTED" if self.level == "capture" else self.kind
        integers = "NOT SUPPORTED" if self.level == "integers" else " + ".join(self.operations)
        files = [[f"{m}.h" for m in self.modules], [f"hyq_{m}" for m in self.modules]]
        hardware = ["NOT SUPPORTED" if self.level == "hardware" else " / ".join(f) for f in files]
        shape = "x".join(map(str, self.shape))
        return (self.name, captured, *(text or "-" for text in (shape, integers, *hardware)))


@dataclass(frozen=True)
class Missing:
    """Nodes of one kind that stop at the same level, and that one remedy helps.

    Attributes:
        kind: the operation.
        level: ``capture``, ``integers`` or ``hardware``.
        nodes: names of the nodes.
        found: what was found at them, each text once.
        remedy: what to do.
    """

    kind: str
    level: str
    nodes: tuple[str, ...]
    found: tuple[str, ...]
    remedy: str

    @property
    def title(self) -> str:
        """Kind, number of nodes, and the level that they do not reach."""
        count = len(self.nodes)
        return f"{self.kind}: {count} node{'s' if count > 1 else ''}, {_LEVELS[self.level]}"


@dataclass(frozen=True)
class Inspection:
    """A report on what every node of a module would become on every level.

    Attributes:
        model: name of the module's class.
        image_shape: (C, H, W) of the images.
        nodes: the nodes in the order of their computation.
        missing: what is missing, grouped by kind and remedy.
        capture: fate of every exported node.
    """

    model: str
    image_shape: tuple[int, int, int]
    nodes: tuple[InspectedNode, ...]
    missing: tuple[Missing, ...]
    capture: CaptureReport

    @property
    def complete(self) -> bool:
        """Whether every node reaches every level."""
        return not self.missing

    @property
    def verdict(self) -> str:
        """Whether the model can be converted, in one line."""
        if self.complete:
            return f"all {len(self.nodes)} nodes reach C++ and SystemVerilog; next: quantize"
        stopped = sum(len(group.nodes) for group in self.missing)
        skipped = sum(entry.status == "skipped" for entry in self.capture.nodes)
        behind = f"; {skipped} exported nodes behind them were not examined" if skipped else ""
        return f"{stopped} of {len(self.nodes)} nodes stop on the way{behind}"

    def to_json(self) -> dict[str, Any]:
        """Return model, nodes and what is missing in the types of JSON."""
        return {
            "model": self.model,
            "image_shape": self.image_shape,
            "complete": self.complete,
            "verdict": self.verdict,
            "nodes": [asdict(node) for node in self.nodes],
            "missing": [asdict(group) for group in self.missing],
        }

    def __str__(self) -> str:
        """Return the table, what is missing with its remedies, and the verdict."""
        _, height, width = self.image_shape
        lines = [f"{self.model}, images of {height}x{width}", ""]
        lines += aligned([_HEADER, *(node.cells for node in self.nodes)])
        for group in self.missing:
            lines += ["", group.title]
            lines += [f"    found:  {text}" for text in _first(group.found)]
            lines += [f"    nodes:  {', '.join(_first(group.nodes))}"]
            lines += [f"    to do:  {group.remedy}"]
        return "\n".join([*lines, "", self.verdict])

    def _repr_html_(self) -> str:
        _, height, width = self.image_shape
        parts = [_STYLE, f"<p>{escape(self.model)}, images of {height}x{width}: {self.verdict}</p>"]
        if self.missing:
            header = ("missing", "found", "nodes", "to do")
            rows = [
                "".join(
                    (
                        *map(_cell, (group.title, "\n".join(_first(group.found)))),
                        _cell(", ".join(_first(group.nodes))),
                        f'<td class="remedy">{escape(group.remedy)}</td>',
                    )
                )
                for group in self.missing
            ]
            parts.append(_table(header, [f"<tr>{row}</tr>" for row in rows]))
        rows = [
            f"<tr{' class=stops' if node.level else ''}>{''.join(map(_cell, node.cells))}</tr>"
            for node in self.nodes
        ]
        return "\n".join([*parts, _table(_HEADER, rows)])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the report as an HTML file, and return its path.

        Raises:
            InputError: the path is none.
        """
        from hyq_hls.report.page import rendered  # noqa: PLC0415  (it loads matplotlib)

        text = rendered("inspection.html", {"inspection": self, "header": _HEADER})
        return HtmlPage.write(path, text).path


def _first(texts: Sequence[str]) -> list[str]:
    """Return the first texts, and how many follow."""
    more = len(texts) - _SHOWN
    return [*texts[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def _cell(text: str) -> str:
    return f"<td>{escape(text).replace(chr(10), '<br>')}</td>"


def _table(header: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in header)
    return f'<table class="hyq">\n<tr>{head}</tr>\n' + "\n".join(rows) + "\n</table>"
