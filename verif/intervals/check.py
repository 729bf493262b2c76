"""The check of one C++ file: the initiation interval of each of its loops, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from verif.intervals.delays import delays
from verif.intervals.dependences import Recurrence, carried, counters, worst_recurrence
from verif.intervals.ir import Function, Instruction, Module
from verif.intervals.loops import Loop, find_loops
from verif.intervals.memories import (
    PORTS,
    Directives,
    Transfers,
    accesses_of,
    directives_of,
    most_words,
    transfers_of,
)
from verif.intervals.widths import Widths


@dataclass(frozen=True)
class LoopReport:
    """A loop and its schedule.

    Attributes:
        template: the header that has its function, without ``.h``.
        function: the function with its configuration.
        place: file and line of the loop.
        wanted: the interval that its directive asks for; None where PIPELINE is missing.
        interval: the interval that is possible; 0 where PIPELINE is missing.
        nanoseconds: delay of the worst cycle of dependences per iteration.
        path: that cycle in terms of the C++.
        transfers: words of streams that an iteration moves.
        reasons: why the loop misses its interval; empty when it does not.
    """

    template: str
    function: str
    place: str
    wanted: int | None
    interval: int
    nanoseconds: float
    path: str
    transfers: list[Transfers]
    reasons: list[str]


def check_module(module: Module, mhz: float) -> list[LoopReport]:
    """Check every loop that is pipelined or should be.

    Args:
        module: a C++ file as LLVM IR.
        mhz: the clock.
    """
    directives = directives_of(module)
    return [
        report
        for function in module.functions
        for report in _check_function(function, module, directives[function.symbol], mhz)
    ]


def _check_function(
    function: Function, module: Module, directives: Directives, mhz: float
) -> list[LoopReport]:
    loops = find_loops(function)
    widths = Widths(function.instructions(), counters(loops))
    with_loops = {f.symbol for f in module.functions if f.loop_places}
    reports = []
    for loop in loops:
        is_inner = not loop.inner and not any(i.callee in with_loops for i in loop.instructions())
        if loop.interval is not None:
            reports.append(_check_loop(loop, module, directives, widths, mhz))
        elif is_inner and (transfers_of(loop) or accesses_of(loop, module)):
            reason = "no PIPELINE, though it moves words of streams or memories"
            reports.append(_report(loop, 0, None, [reason]))
    return reports


def _check_loop(
    loop: Loop, module: Module, directives: Directives, widths: Widths, mhz: float
) -> LoopReport:
    wanted, reasons = loop.interval or 1, []
    if loop.inner:
        reasons.append("PIPELINE, but a loop inside it is not unrolled")
    accesses = accesses_of(loop, module)
    budget = delays().budget(mhz)
    worst = worst_recurrence(loop, accesses, directives, widths, delays(), budget)
    interval = max(1, -(-worst.picoseconds // budget)) if worst else 1
    if worst and interval > wanted:
        reasons.append(
            f"a cycle of dependences takes {worst.nanoseconds:.2f} ns, "
            f"{wanted * budget / 1000:.2f} ns are left"
        )
    for name, words in most_words(loop, accesses, directives).items():
        needed = -(-words // PORTS)
        if name not in directives.roms and needed > wanted:
            reasons.append(f"{words} words of {name} in an iteration, it has {PORTS} ports")
            interval = max(interval, needed)
    for stream in transfers_of(loop):
        for count, what in ((stream.reads, "reads"), (stream.writes, "writes")):
            if count > wanted:
                reasons.append(f"{count} {what} of stream {stream.stream} in an iteration")
                interval = max(interval, count)
    for pair in carried(loop, accesses):
        name = pair.store.address.memory
        if pair.is_known and pair.distance < directives.claims.get(name, 1):
            reasons.append(
                f"the DEPENDENCE claimed of {name} is wrong: {pair.load.instruction.place} reads "
                f"what {pair.store.instruction.place} wrote {pair.distance} iterations before"
            )
    return _report(loop, int(interval), worst, reasons)


def _report(loop: Loop, interval: int, worst: Recurrence | None, reasons: list[str]) -> LoopReport:
    function = loop.function
    file = function.place.file if function.place else "?"
    return LoopReport(
        PurePath(file).stem,
        _short(function.name),
        str(loop.place or file),
        loop.interval,
        interval,
        worst.nanoseconds if worst else 0.0,
        " -> ".join(_step(*step) for step in worst.path if step[1]) if worst else "",
        transfers_of(loop),
        reasons,
    )


def _short(name: str) -> str:
    """A function with its configuration, without the types of its streams."""
    return re.sub(r"<([\w:]+).*>$", r"<\1>", name)


def _step(instruction: Instruction, picoseconds: int) -> str:
    """One operation of a path: what it does, where, and how long it takes."""
    what = {"icmp": "compare", "phi": "select"}.get(instruction.opcode, instruction.opcode)
    if instruction.opcode == "call":
        what = instruction.callee.split(".")[1]
    place = f" {instruction.place}" if instruction.place else ""
    return f"{what}{place} {picoseconds / 1000:.2f}"
