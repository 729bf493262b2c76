"""The C++ of a circuit: processes of pipelined loops, and the cycles that they take by plan.

Every loop of the templates has the directive ``PIPELINE II=1``. The cycles follow from the loops
alone, as Vitis HLS counts them in its reports: ``trips - 1 + depth`` for a loop, and one more to
start it.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Cycles from the read to the write of an iteration that FIFO depths of the C++ must withstand. A
#: divider of 20 bits, the deepest pipeline of the templates, has about as many stages.
PIPELINE_LATENCY = 32


@dataclass(frozen=True)
class Loop:
    """A pipelined loop, or a nest of loops that becomes one.

    Attributes:
        trips: iterations, one per cycle.
        times: how often a frame enters the loop.
    """

    trips: int
    times: int = 1


@dataclass(frozen=True)
class Process:
    """A function that runs beside others; its loops follow each other.

    Attributes:
        depth: cycles of one iteration. Only the tool knows them. The plan takes the registers
            that the SystemVerilog has for the same work.
        loops: its loops in their order.
        wait: iterations of a frame before the first one whose result leaves.
    """

    depth: int
    loops: tuple[Loop, ...]
    wait: int = 0

    @property
    def iterations(self) -> int:
        """Iterations of a frame: its cycles if pipelines needed no time to fill and to drain."""
        return sum(loop.times * loop.trips for loop in self.loops)

    @property
    def _rewinds(self) -> bool:
        """Whether the next frame starts while the pipeline still holds the last one.

        Vitis HLS does this where a function is one loop (UG1399, ``enable_auto_rewind``).
        """
        return len(self.loops) == 1 and self.loops[0].times == 1

    @property
    def cycles(self) -> int:
        """Cycles from frame to frame."""
        if self._rewinds:
            return self.iterations + 1
        return self.iterations + sum(loop.times * self.depth for loop in self.loops) + 1

    @property
    def latency(self) -> int:
        """Cycles from the first input to the last output of a frame."""
        return self.iterations + sum(loop.times * (self.depth - 1) for loop in self.loops) + 1

    @property
    def lead(self) -> int:
        """Cycles from the first input of a frame to its first output."""
        return self.wait + self.depth


def one_loop(trips: int, depth: int, wait: int = 0) -> Process:
    """Return a process that is one loop."""
    return Process(depth, (Loop(trips),), wait)
