"""Global average pooling. One sum per channel is kept in a memory until the map has ended."""

from __future__ import annotations

from fractions import Fraction

from hyq_hls.ops.checks import centred
from hyq_hls.ops.global_average_pool import GlobalAveragePool
from hyq_hls.stream.arguments import Memory, TemplateArguments, zero_point_rom
from hyq_hls.stream.circuits.elementwise import ElementwiseCircuit
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES, requantized_arguments
from hyq_hls.stream.folding import Folding


class GlobalAveragePoolCircuit(ElementwiseCircuit[GlobalAveragePool]):
    """A memory of sums. The sums that belong to the last position of a map leave it."""

    #: The stages are: subtract zero points, sum, requantization.
    stages = 2 + REQUANTIZE_STAGES

    @property
    def frames_inside(self) -> Fraction:
        return 1 + super().frames_inside

    def memories(self, folding: Folding) -> list[Memory]:
        word = folding.outputs * self.accumulator.bits
        sums = Memory(word, self.inputs[0].channels // folding.outputs)
        return [sums, *super().memories(folding)]

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        beats = self.inputs[0].channels // folding.inputs
        cycles = self.cycles(folding)
        return (one_loop(cycles, self.stages, cycles - beats),)

    def arrays(self, folding: Folding) -> list[Memory]:
        return self.memories(folding)[:1]

    def arguments(self, folding: Folding) -> TemplateArguments:
        operation, lanes = self.operation, folding.outputs
        return requantized_arguments(
            self.sizes(folding),
            {"centred_t": (centred(self.inputs[0]).bits, True)},
            (zero_point_rom(operation.zero_point, lanes),),
            self.accumulator,
            operation.requantize,
            lanes,
        )
