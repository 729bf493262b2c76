"""Reads what Vitis HLS prints: loops that start too rarely, and paths that are too long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MODULE = re.compile(r"-- Implementing module '([^']+)'")
#: Message 200-1470. A loop without a wanted interval has the target NA.
_RESULT = re.compile(
    r"Pipelining result : Target II = (\w+), Final II = (\d+), Depth = \d+(?:, loop '([^']+)')?"
)
#: Messages 200-880 (a carried dependence), 200-885 (ports of a memory) and others of their form.
_REASON = re.compile(r"The II Violation in module '([^']+)'(?: \(loop '([^']+)'\))?: (.+)")
#: Message 200-871.
_PERIOD = re.compile(r"Estimated clock period \(([\d.]+) ?ns\) exceeds the target \((.+)\)")
#: Message 200-1016. Its operations are on the lines that follow.
_PATH = re.compile(r"The critical path in module '([^']+)' consists of the following:")
_BUDGET = re.compile(r"effective delay budget: ([\d.]+) ?ns")
_PLACE = re.compile(r"[^\s'(),]+\.\w+:\d+")


@dataclass(frozen=True)
class SlowLoop:
    """A pipelined loop that starts an iteration more rarely than its directive asks for.

    Attributes:
        module: the function, by the name that the tool gave it.
        loop: its label; empty where the whole function is the pipeline.
        wanted, found: cycles from one iteration to the next.
        reason: the first message about it; empty where the tool gives none.
        source: the first place in the C++ that the message names; empty where it names none.
    """

    module: str
    loop: str
    wanted: int
    found: int
    reason: str
    source: str

    def __str__(self) -> str:
        where = f"{self.module}, loop {self.loop}" if self.loop else self.module
        place = f" at {self.source}" if self.source else ""
        why = f": {self.reason}" if self.reason else ""
        return f"II {self.found} instead of {self.wanted} in {where}{place}{why}"


@dataclass(frozen=True)
class LongPath:
    """A path between registers that does not fit the clock period less its uncertainty.

    Attributes:
        module: the function, by the name that the tool gave it.
        delay_ns: estimated delay.
        budget_ns: the delay that the clock leaves.
        source: the first place in the C++ that the path names; empty where it names none.
    """

    module: str
    delay_ns: float
    budget_ns: float
    source: str

    def __str__(self) -> str:
        place = f" at {self.source}" if self.source else ""
        return f"{self.delay_ns:g} ns instead of {self.budget_ns:g} ns in {self.module}{place}"


def slow_loops(log: str) -> list[SlowLoop]:
    """Return the pipelines of a log that missed their interval."""
    reasons: dict[tuple[str, str], str] = {}
    found = []
    module = ""
    for line in log.splitlines():
        if named := _MODULE.search(line):
            module = named[1]
        elif given := _REASON.search(line):
            # The tool tries larger intervals one by one. The first message says what prevents 1.
            reasons.setdefault((given[1], given[2] or ""), given[3])
        elif (result := _RESULT.search(line)) and result[1].isdigit():
            loop, wanted, reached = result[3] or "", int(result[1]), int(result[2])
            if reached > wanted:
                reason = reasons.get((module, loop), "")
                found.append(SlowLoop(module, loop, wanted, reached, reason, _place(reason)))
    return found


def long_paths(log: str) -> list[LongPath]:
    """Return the functions of a log whose estimated clock period is too long."""
    found = []
    lines = iter(log.splitlines())
    delay = budget = 0.0
    for line in lines:
        if period := _PERIOD.search(line):
            left = _BUDGET.search(period[2])
            delay, budget = float(period[1]), float(left[1]) if left else 0.0
        elif (path := _PATH.search(line)) and delay:
            found.append(LongPath(path[1], delay, budget, _place(line) or _first_place(lines)))
            delay = 0.0
    return found


def _first_place(lines: Iterator[str]) -> str:
    """Return the first place that the operations of a path name; they end with an empty line."""
    for line in lines:
        if place := _place(line):
            return place
        if not line.strip():
            break
    return ""


def _place(text: str) -> str:
    found = _PLACE.search(text)
    return found[0] if found else ""
