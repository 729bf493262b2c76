"""Codes that are the same for every image: a memory that is read again and again."""

from __future__ import annotations

from fractions import Fraction

from hyq_hls.ops.constant import Constant
from hyq_hls.stream.arguments import Rom, TemplateArguments
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.folding import Folding, equal_lanes


class ConstantCircuit(Circuit[Constant]):
    """A memory whose words leave one after the other. It waits for nobody but its reader."""

    ports = ()

    @property
    def foldings(self) -> list[Folding]:
        """Legal foldings: any divisor of the channels."""
        return equal_lanes(self.output.channels)

    @property
    def frames_inside(self) -> Fraction:
        """Nothing enters the circuit."""
        return Fraction(0)

    def arguments(self, folding: Folding) -> TemplateArguments:
        q, lanes = self.output.quantization, folding.outputs
        values = Rom("values", self.operation.codes, q.bits, q.signed, lanes)
        return TemplateArguments({"out_lanes": lanes}, roms=(values,))

    def cycles(self, folding: Folding) -> int:
        return self.output.size // folding.outputs

    def latency(self, folding: Folding) -> int:
        """Return the cycles from the end of the reset to the last output transfer of a frame."""
        return self.cycles(folding)

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        return (one_loop(self.cycles(folding), 1),)
