"""What a check reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Finding:
    """One place in the C++ that Vitis HLS would refuse or that this project does not want.

    Args:
        file: path of the source file.
        line: line in it, from 1.
        rule: short name of the rule, such as ``recursion``.
        found: what stands there.
        wanted: what should stand there instead.
    """

    file: Path
    line: int
    rule: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: found {self.found}; wanted {self.wanted}"


class Findings:
    """Collects findings once each: a template instantiated twice has its faults once."""

    def __init__(self) -> None:
        self._all: dict[Finding, None] = {}

    def add(self, place: tuple[Path, int], rule: str, found: str, wanted: str) -> None:
        """Record a finding at ``place``, a file and a line."""
        self._all[Finding(*place, rule, found, wanted)] = None

    def sorted(self) -> list[Finding]:
        """All findings by file and line."""
        return sorted(self._all)
