"""Resources and cycles of HLS C++, by a model of the C++ itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hyq_hls.tools.yosys import Utilization


@dataclass(frozen=True)
class PlannedFunction:
    """The prediction for one function, or for all functions or streams of a kind.

    LUTs and flip-flops are not predicted: only the HLS compiler knows them.

    Attributes:
        cycles: cycles from frame to frame.
        latency: cycles from the first input to the last output of a frame.
        dsp: DSP48E1 slices.
        bram18: halves of block RAMs.
    """

    cycles: int
    latency: int
    dsp: int = 0
    bram18: int = 0

    @property
    def known(self) -> Utilization:
        """The resources that are predicted; LUTs and flip-flops are left at 0."""
        return Utilization(dsp=self.dsp, bram18=self.bram18)


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
        """The predicted resources of all functions; LUTs and flip-flops are left at 0."""
        functions = (*self.operations.values(), *self.plumbing.values())
        return sum((f.known for f in functions), Utilization())
