"""The common part of the two products of attention: one operand is kept in memories, twice."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction

from hyq_hls.ops.checks import centred
from hyq_hls.stream.arguments import Memory
from hyq_hls.stream.circuits.circuit import Circuit, OperationT
from hyq_hls.stream.circuits.matrix import matrix_lanes, tree_stages
from hyq_hls.stream.circuits.process import Loop, Process, one_loop
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES
from hyq_hls.stream.folding import Folding


class AttentionCircuit(Circuit[OperationT]):
    """A circuit with memories for two pixels of its second operand.

    One pixel is multiplied while the next one is loaded.
    """

    @property
    def queries(self) -> int:
        """Number of queries of a pixel."""
        return self.inputs[0].shape[1]

    @property
    def foldings(self) -> list[Folding]:
        """Legal foldings by :attr:`matrix`, with no more banks than queries.

        So loading never takes longer than multiplying.
        """
        legal = matrix_lanes(*self.matrix)
        return [f for f in legal if self.matrix_banks(f)[0] <= self.queries]

    @property
    @abstractmethod
    def matrix(self) -> tuple[int, int]:
        """Numbers that the output lanes and the input lanes divide."""

    @property
    def frames_inside(self) -> Fraction:
        stored = Fraction(2, self.inputs[1].shape[0])  # Two pixels are stored.
        return stored + super().frames_inside

    def cycles(self, folding: Folding) -> int:
        """Return the cycles of the products; loading runs beside them and never takes longer."""
        return self.macs // (folding.outputs * folding.inputs)

    @abstractmethod
    def matrix_banks(self, folding: Folding) -> tuple[int, int]:
        """Return the banks of a pixel of the second operand, and the codes of a word in each."""

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return two processes: one stores and sends the second operand, one multiplies."""
        pixels, tokens, channels = self.inputs[1].shape
        banks, lanes = self.matrix_banks(folding)
        stored = tokens * channels // lanes
        collected = Process(2, (Loop(stored, pixels), Loop(stored // banks, pixels)), stored)
        return collected, one_loop(self.cycles(folding), self.product_stages(folding))

    def arrays(self, folding: Folding) -> list[Memory]:
        """Return the banks, the words of all banks side by side, and the first operand."""
        _, second = self.inputs
        _, tokens, channels = second.shape
        banks, lanes = self.matrix_banks(folding)
        words = tokens * channels // (banks * lanes)
        bank = Memory(lanes * second.quantization.bits, words)
        side_by_side = Memory(banks * lanes * centred(second).bits, words)
        return [bank] * banks + [side_by_side, self.reused_operand(folding)]

    @abstractmethod
    def reused_operand(self, folding: Folding) -> Memory:
        """Return the array of the first operand, which is used for several groups."""

    def inner_streams(self, folding: Folding) -> list[Memory]:
        banks, lanes = self.matrix_banks(folding)
        return [Memory(banks * lanes * self.inputs[1].quantization.bits, 2)]

    @staticmethod
    def product_stages(folding: Folding) -> int:
        """Return the stages of memory, product, adder tree, accumulator and requantization."""
        return 1 + 1 + tree_stages(folding.inputs) + 1 + REQUANTIZE_STAGES
