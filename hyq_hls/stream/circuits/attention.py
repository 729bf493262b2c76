"""The common part of the two products of attention: one operand is kept in memories, twice."""

from __future__ import annotations

from fractions import Fraction

from hyq_hls.stream.circuits.circuit import Circuit, OperationT
from hyq_hls.stream.circuits.matrix import tree_stages
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES
from hyq_hls.stream.folding import Folding


class AttentionCircuit(Circuit[OperationT]):
    """A circuit with memories for two pixels of its second operand.

    One pixel is multiplied while the next one is loaded.
    """

    pipelines = 3

    @property
    def frames_inside(self) -> Fraction:
        stored = Fraction(2, self.inputs[1].shape[0])  # Two pixels are stored.
        return stored + super().frames_inside

    def cycles(self, folding: Folding) -> int:
        """Return the cycles of the products; loading runs beside them and never takes longer."""
        return self.macs // (folding.outputs * folding.inputs)

    @staticmethod
    def product_stages(folding: Folding) -> int:
        """Return the stages of memory, product, adder tree, accumulator and requantization."""
        return 1 + 1 + tree_stages(folding.inputs) + 1 + REQUANTIZE_STAGES
