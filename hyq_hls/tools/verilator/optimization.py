"""The choice how far g++ optimizes the C++ of a Verilated design: a build takes time, too."""

from __future__ import annotations

from dataclasses import dataclass

#: Cycles of a run whose length nobody knows.
MANY_CYCLES = 1_000_000


@dataclass(frozen=True)
class _Speed:
    """A level of optimization as it was measured.

    Attributes:
        build: CPU seconds of Verilator and g++.
        cycles: simulated cycles per CPU second, with the statistics of every stream.
    """

    build: float
    cycles: float


#: Measured on one core with g++ 12 and the default network; docs/rtl.md has another one. A design
#: that is n times as large takes n times as long to build and to run, so the number of cycles from
#: which -O1 pays hardly depends on the design: it is about half a million. -O2 takes 70 % longer to
#: build than -O1, and runs the default network no faster.
_SPEEDS = {
    "-O0": _Speed(build=44.5, cycles=6_300),
    "-O1": _Speed(build=107.7, cycles=33_000),
}
#: The levels among which :func:`fastest_level` chooses.
LEVELS = tuple(_SPEEDS)


def fastest_level(cycles: int, *built: str) -> str:
    """Return the level at which building a design and running it take the least time.

    Args:
        cycles: how many cycles will run.
        built: levels at which a library of the design lies there already.
    """

    def seconds(level: str) -> float:
        speed = _SPEEDS[level]
        return cycles / speed.cycles + (0 if level in built else speed.build)

    return min(LEVELS, key=seconds)
