"""What the circuits of every softmax share: three passes over a row, and buffers between them."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from typing import NamedTuple, TypeVar

from hyq_hls.ops.softmax import Softmax
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.rows import row_buffer_depth
from hyq_hls.stream.folding import Folding

SoftmaxT = TypeVar("SoftmaxT", bound=Softmax)


class SoftmaxStages(NamedTuple):
    """Registers of the maximum, an exponential, the sum with its slice, a probability."""

    maximum: int
    exponential: int
    total: int
    probability: int


class SoftmaxCircuit(Circuit[SoftmaxT]):
    """Codes await the maximum of their row, exponentials its sum."""

    @abstractmethod
    def stages(self, folding: Folding) -> SoftmaxStages:
        """Registers of the four steps."""

    @property
    def variant(self) -> str:
        return self.operation.output.replace("_", " ")

    @property
    def frames_inside(self) -> Fraction:
        x = self.inputs[0]
        return Fraction(2 + sum(self.stages(Folding(x.channels, x.channels))), x.words)

    def cycles(self, folding: Folding) -> int:
        return self.inputs[0].size // folding.inputs

    def latency(self, folding: Folding) -> int:
        """Two rows are awaited: the first for its maximum, its exponentials for their sum."""
        beats = self.inputs[0].channels // folding.inputs
        return self.cycles(folding) - 1 + 2 * (beats - 1) + sum(self.stages(folding))

    def code_depth(self, folding: Folding) -> int:
        """Words of codes that await the maximum of their row."""
        return self._depth(folding, self.stages(folding).maximum)

    def exponential_depth(self, folding: Folding) -> int:
        """Words of exponentials that await the sum of their row."""
        return self._depth(folding, self.stages(folding).total)

    def _depth(self, folding: Folding, stages: int) -> int:
        beats = self.inputs[0].channels // folding.inputs
        return row_buffer_depth(beats, beats, beats - 1 + stages)


def log2_stages(mantissa_bits: int, total_bits: int) -> int:
    """Register stages of ``hyq_log2_probability``: normalization, distance, code.

    The total takes a stage for every bit of its shift, the triple of a mantissa one more.
    """
    triple_bits = mantissa_bits + 2
    total = (max(total_bits, triple_bits) - 1).bit_length()
    return max(total, 1 + (triple_bits - 1).bit_length()) + 2


def log2_rounded_stages(total_bits: int) -> int:
    """Register stages of ``hyq_log2_rounded_probability``: sum, normalization, distance, code."""
    return 1 + (total_bits + 1).bit_length() + 2
