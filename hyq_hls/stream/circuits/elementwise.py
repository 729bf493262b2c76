"""Circuits that give one code for every code, in words of as many lanes."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction

from hyq_hls.stream.circuits.circuit import Circuit, OperationT
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.folding import Folding


class ElementwiseCircuit(Circuit[OperationT]):
    """A pipeline that takes a word of every input in each cycle."""

    @property
    @abstractmethod
    def stages(self) -> int:
        """Number of registers between the input and the output."""

    @property
    def frames_inside(self) -> Fraction:
        """With all lanes, a position enters in each cycle while the first one is in the stages."""
        return max(super().frames_inside, Fraction(self.stages, self.inputs[0].words))

    def cycles(self, folding: Folding) -> int:
        return self.inputs[0].size // folding.inputs

    def latency(self, folding: Folding) -> int:
        return self.cycles(folding) - 1 + self.stages

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        return (one_loop(self.cycles(folding), self.stages),)

    def sizes(self, folding: Folding) -> dict[str, int]:
        """Return words and lanes, as the arguments of every element-wise circuit have them."""
        x = self.inputs[0]
        return {
            "words": x.words,
            "channels": x.channels,
            "in_lanes": folding.inputs,
            "out_lanes": folding.outputs,
        }
