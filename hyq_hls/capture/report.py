"""The report says what became of every node of an exported module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.errors import CaptureError
from hyq_hls.support import Shown

Status = Literal[
    "computed", "absorbed", "moved", "dropped", "parameter", "constant", "unsupported", "skipped"
]

_MEANING: dict[Status, str] = {
    "computed": "became float nodes",
    "absorbed": "absorbed by another node",
    "moved": "data movement",
    "dropped": "dropped",
    "parameter": "parameters and buffers",
    "constant": "constants",
    "unsupported": "NOT SUPPORTED",
    "skipped": "not examined, because they follow an unsupported node",
}


def explain(place: str, found: str, wanted: str, advice: str) -> str:
    """Say in four lines where something was refused, what was found and wanted, what to do."""
    return f"{place}\n    found:  {found}\n    wanted: {wanted}\n    to do:  {advice}"


@dataclass(frozen=True)
class NodeReport:
    """One node of the exported graph.

    Attributes:
        node: its name.
        target: the operation, as ``aten.conv2d.default``.
        module: path of the module that made it.
        status: what happened, in one word.
        outcome: what happened, in words.
        names: the float nodes that it became.
        found: what is not supported; it and the next two are empty for supported nodes.
        wanted: what is supported instead.
        advice: what to do.
    """

    node: str
    target: str
    module: str
    status: Status
    outcome: str
    names: tuple[str, ...] = ()
    found: str = ""
    wanted: str = ""
    advice: str = ""

    def explain(self) -> str:
        """Say in a few lines why the node is not supported and what to do."""
        place = f"{self.node} ({self.target}) in module {self.module or '(root)'}"
        return explain(place, self.found, self.wanted, self.advice)


@dataclass(frozen=True)
class CaptureReport(Shown):
    """Fate of every node of the exported graph, in the graph's order.

    Attributes:
        model: name of the module's class.
        input_shape: ``(C, H, W)`` of the image.
        nodes: one entry per exported node.
        operations: float nodes of the graph, counted by kind.
        relative_error: largest difference between module and float graph on random images,
            relative to the largest output of the module; None when it was not measured.
    """

    model: str
    input_shape: tuple[int, ...]
    nodes: tuple[NodeReport, ...]
    operations: Mapping[str, int] = field(default_factory=dict)
    relative_error: float | None = None

    @property
    def unsupported(self) -> tuple[NodeReport, ...]:
        """The nodes that stop the capture."""
        return tuple(node for node in self.nodes if node.status == "unsupported")

    def __getitem__(self, node: str) -> NodeReport:
        """Return the entry of one exported node.

        Raises:
            KeyError: there is no such node.
        """
        for entry in self.nodes:
            if entry.node == node:
                return entry
        raise KeyError(node)

    def summary(self) -> str:
        """Count the nodes by what happened to them, and the float operations by kind."""
        counts = Counter(entry.status for entry in self.nodes)
        lines = [f"{self.model}, input {self.input_shape}: {len(self.nodes)} exported nodes"]
        for status, meaning in _MEANING.items():
            if counts[status]:
                lines.append(f"{counts[status]:>6}  {meaning}")
        if self.operations:
            lines.append("float operations by kind:")
            lines += [f"{count:>6}  {kind}" for kind, count in sorted(self.operations.items())]
        if self.relative_error is not None:
            lines.append(f"relative error against the module: {self.relative_error:.1e}")
        return "\n".join(lines)

    def table(self, parameters: bool = False) -> str:
        """Return an aligned table, one exported node a line."""
        rows = [("node", "operation", "module", "outcome")]
        rows += [
            (entry.node, entry.target, entry.module or "(root)", entry.outcome)
            for entry in self.nodes
            if parameters or entry.status != "parameter"
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        rows.insert(1, ("-" * widths[0], "-" * widths[1], "-" * widths[2], "-" * 7))
        return "\n".join(
            "  ".join([*(row[i].ljust(widths[i]) for i in range(3)), row[3]]) for row in rows
        )

    def __str__(self) -> str:
        """Return the table, explanations of unsupported nodes, and the summary."""
        explained = [entry.explain() for entry in self.unsupported]
        return "\n\n".join([self.table(), *explained, self.summary()])


class UnsupportedModelError(CaptureError):
    """A module uses something that cannot be captured.

    Attributes:
        report: explains every node of the module.
        graph: the float nodes of what is supported, with an ``Unknown`` in the place of what is
            not; None where the module could not be traced at all.
    """

    def __init__(
        self, message: str, report: CaptureReport, graph: FloatGraph | None = None
    ) -> None:
        super().__init__(message)
        self.report, self.graph = report, graph
