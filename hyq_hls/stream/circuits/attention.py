"""What the two products of attention share: one operand is kept in memories, twice."""

from __future__ import annotations

from fractions import Fraction

from hyq_hls.stream.circuits.circuit import Circuit, OperationT
from hyq_hls.stream.circuits.matrix import tree_stages
from hyq_hls.stream.circuits.requantization import REQUANTIZE_STAGES
from hyq_hls.stream.folding import Folding


class AttentionCircuit(Circuit[OperationT]):
    """The second operand of two pixels is stored: one is multiplied, one is loaded behind it."""

    @property
    def frames_inside(self) -> Fraction:
        stored = Fraction(2, self.inputs[1].shape[0])  # of two pixels
        return stored + super().frames_inside

    def cycles(self, folding: Folding) -> int:
        """Loading never takes longer than the products that it goes on behind."""
        return self.macs // (folding.outputs * folding.inputs)

    @staticmethod
    def product_stages(folding: Folding) -> int:
        """Memory, product, adder tree, accumulator, requantization."""
        return 1 + 1 + tree_stages(folding.inputs) + 1 + REQUANTIZE_STAGES
