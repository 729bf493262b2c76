"""Resources and cycles of HLS C++, by a model of the C++ itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hyq_hls.tools.yosys import Utilization


@dataclass(frozen=True)
class PlannedFunction:
    """The prediction for one function, or for all functions or streams of a kind.

    LUTs and flip-flops are those of pipelines that Yosys mapped, without the control of processes
    that an HLS compiler adds.

    Attributes:
        cycles: cycles from frame to frame.
        latency: cycles from the first input to the last output of a frame.
        used: the sites that it takes.
    """

    cycles: int
    latency: int
    used: Utilization = field(default_factory=Utilization)

    def beside(self, other: PlannedFunction) -> PlannedFunction:
        """Return the slower of two functions, with the sites of both."""
        slower = self if self.cycles >= other.cycles else other
        return PlannedFunction(slower.cycles, slower.latency, self.used + other.used)


@dataclass(frozen=True)
class HlsPlan:
    """The prediction for a whole design in HLS C++.

    Attributes:
        operations: the function of every node, by name of the node.
        plumbing: what lies between them, by kind.
        latency: cycles from the first input to the last output of a frame, where nothing stalls.
    """

    operations: Mapping[str, PlannedFunction]
    plumbing: Mapping[str, PlannedFunction]
    latency: int

    @property
    def cycles_per_frame(self) -> int:
        """Cycles from frame to frame: those of the slowest function."""
        return max(f.cycles for f in (*self.operations.values(), *self.plumbing.values()))

    @property
    def bottleneck(self) -> str:
        """The slowest node, or the slowest kind of function between nodes."""
        functions = {**self.operations, **self.plumbing}
        return max(functions, key=lambda name: functions[name].cycles)

    @property
    def total(self) -> Utilization:
        """The sites that all functions take."""
        functions = (*self.operations.values(), *self.plumbing.values())
        return sum((f.used for f in functions), Utilization())
