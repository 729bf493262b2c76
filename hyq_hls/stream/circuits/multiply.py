"""Product of two tensors: one multiplier per lane, and a memory for what holds for long."""

from __future__ import annotations

from fractions import Fraction

from hyq_hls.ops.checks import centred
from hyq_hls.ops.multiply import Multiply
from hyq_hls.stream.arguments import Memory, TemplateArguments, zero_point_rom
from hyq_hls.stream.circuits.elementwise import ElementwiseCircuit
from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES, requantized_arguments
from hyq_hls.stream.folding import Folding


class MultiplyCircuit(ElementwiseCircuit[Multiply]):
    """Two centred operands and their products. A position of the second is kept and repeated."""

    ports = ("a", "b")
    #: The stages are: subtract zero points, product (4), requantization.
    stages = 1 + 4 + REQUANTIZE_STAGES

    @property
    def repeats(self) -> int:
        """Number of positions of the first input for which one of the second holds."""
        a, b = self.inputs
        return a.words // b.words

    @property
    def frames_inside(self) -> Fraction:
        # A position of the second input is taken whole, and counts as all that it holds for.
        kept = Fraction(1, self.inputs[1].words) if self.repeats > 1 else Fraction(0)
        return kept + super().frames_inside

    def input_lanes(self, folding: Folding) -> tuple[int, ...]:
        return folding.inputs, self._kept_lanes(folding)

    def memories(self, folding: Folding) -> list[Memory]:
        b, memories = self.inputs[1], super().memories(folding)
        lanes = self._kept_lanes(folding)
        if self.repeats > 1 and lanes < b.channels:
            memories.append(Memory(lanes * b.quantization.bits, b.channels // lanes))
        return memories

    def arrays(self, folding: Folding) -> list[Memory]:
        b, lanes = self.inputs[1], self._kept_lanes(folding)
        return [Memory(lanes * b.quantization.bits, b.channels // lanes)]

    def products(self, folding: Folding) -> int:
        return folding.outputs

    def dsps(self, folding: Folding) -> int:
        a, b = (centred(x).bits for x in self.inputs)
        return self.products(folding) * product_dsps(a, b)

    def arguments(self, folding: Folding) -> TemplateArguments:
        (a, b), (zero_a, zero_b) = self.inputs, self.operation.zero_points
        return requantized_arguments(
            {**self.sizes(folding), "b_channels": b.channels, "repeats": self.repeats},
            {
                "centred_a_t": (centred(a).bits, True),
                "centred_b_t": (centred(b).bits, True),
            },
            (
                zero_point_rom(zero_a, folding.outputs, "zero_point_a"),
                zero_point_rom(zero_b, self._kept_lanes(folding), "zero_point_b"),
            ),
            self.accumulator,
            self.operation.requantize,
            folding.outputs,
        )

    def _kept_lanes(self, folding: Folding) -> int:
        """Return the codes of a word of the second input: one where one channel holds for all."""
        a, b = self.inputs
        return folding.inputs if b.channels == a.channels else 1
