"""Dense layer. Every position is multiplied by the matrix, one block of it per cycle."""

from __future__ import annotations

from fractions import Fraction

from hyq_hls.ops.checks import width_of
from hyq_hls.ops.dense import Dense
from hyq_hls.stream.arguments import Memory, TemplateArguments, channel_rom
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.matrix import (
    dot_product_stages,
    matrix_dsps,
    matrix_lanes,
    matrix_rom,
    pair_shift,
)
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.folding import Folding


class DenseCircuit(Circuit[Dense]):
    """A dot product of ``outputs`` rows at a time; a position waits until all rows have used it."""

    @property
    def foldings(self) -> list[Folding]:
        return matrix_lanes(*self.operation.weight.shape)

    @property
    def frames_inside(self) -> Fraction:
        """Largest share of a frame in the circuit: every stage holds at most one position."""
        stages = dot_product_stages(self.operation.weight.shape[1])
        return Fraction(stages + 1, self.inputs[0].words)

    def products(self, folding: Folding) -> int:
        return folding.outputs * folding.inputs

    def dsps(self, folding: Folding) -> int:
        return matrix_dsps(folding, self.operation.weight_bits, self.inputs[0].quantization.bits)

    def memories(self, folding: Folding) -> list[Memory]:
        (x,) = self.inputs
        memories = super().memories(folding)
        if folding.outputs < self.operation.weight.shape[0]:
            word = folding.inputs * x.quantization.bits
            memories.append(Memory(word, x.channels // folding.inputs))
        return memories

    def cycles(self, folding: Folding) -> int:
        return self.macs // self.products(folding)

    def latency(self, folding: Folding) -> int:
        return self.cycles(folding) - 1 + dot_product_stages(folding.inputs)

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        return (one_loop(self.cycles(folding), dot_product_stages(folding.inputs)),)

    def arrays(self, folding: Folding) -> list[Memory]:
        (x,) = self.inputs
        return [Memory(folding.inputs * x.quantization.bits, x.channels // folding.inputs)]

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), dense = self.inputs, self.operation
        out_channels, length = dense.weight.shape
        return requantized_arguments(
            {
                "words": x.words,
                "length": length,
                "out_channels": out_channels,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
                "pair_shift": pair_shift(dense.weight_bits, x.quantization.bits),
            },
            {"operand_t": (x.quantization.bits, x.quantization.signed)},
            (
                matrix_rom(dense.weight, dense.weight_bits, folding),
                channel_rom("bias", dense.bias, width_of(dense.bias), folding.outputs),
            ),
            self.accumulator,
            dense.requantize,
            folding.outputs,
        )
