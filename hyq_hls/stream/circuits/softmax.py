"""The common part of every softmax: three passes over a row, with buffers between them."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from typing import NamedTuple, TypeVar

from hyq_hls.ops.softmax import Softmax
from hyq_hls.stream.arguments import IN_LUTS, Memory
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.process import PIPELINE_LATENCY, Process, one_loop
from hyq_hls.stream.circuits.rows import row_buffer_depth
from hyq_hls.stream.folding import Folding

SoftmaxT = TypeVar("SoftmaxT", bound=Softmax)


class SoftmaxStages(NamedTuple):
    """Numbers of registers.

    Attributes:
        maximum: registers of the maximum.
        exponential: registers of an exponential, with its register slice.
        total: registers of the sum, with its register slice.
        probability: registers of a probability.
    """

    maximum: int
    exponential: int
    total: int
    probability: int


class SoftmaxCircuit(Circuit[SoftmaxT]):
    """A softmax. Codes wait for the maximum of their row, and exponentials for its sum."""

    @abstractmethod
    def stages(self, folding: Folding) -> SoftmaxStages:
        """Return the registers of the four steps."""

    @property
    def variant(self) -> str:
        return self.operation.output.replace("_", " ")

    @property
    def frames_inside(self) -> Fraction:
        x = self.inputs[0]
        return Fraction(3 + sum(self.stages(Folding(x.channels, x.channels))), x.words)

    def cycles(self, folding: Folding) -> int:
        return self.inputs[0].size // folding.inputs

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return three processes: maxima, exponentials with their sum, probabilities."""
        stages, cycles = self.stages(folding), self.cycles(folding)
        row = self.inputs[0].channels // folding.inputs - 1
        return (
            one_loop(cycles, stages.maximum, row),
            one_loop(cycles, stages.exponential + stages.total, row),
            one_loop(cycles, stages.probability),
        )

    def inner_streams(self, folding: Folding) -> list[Memory]:
        """Return codes, maxima, exponentials and sums. A directive puts exponentials into LUTs."""
        types, lanes = self.arguments(folding).integers, folding.inputs
        row = self.inputs[0].channels // lanes
        codes = self.code_depth(folding) + PIPELINE_LATENCY
        exponentials = self.exponential_depth(folding) + PIPELINE_LATENCY
        code = types["operand_t"][0]
        return [
            Memory(lanes * code, codes),
            Memory(code, codes // row + 2),
            Memory(lanes * types["exponential_t"][0], exponentials, luts_per_block=IN_LUTS),
            Memory(types["total_t"][0], exponentials // row + 2),
        ]

    def latency(self, folding: Folding) -> int:
        """Count two waits of a row: its codes for the maximum, its exponentials for the sum."""
        beats = self.inputs[0].channels // folding.inputs
        return self.cycles(folding) - 1 + 2 * (beats - 1) + sum(self.stages(folding))

    def code_depth(self, folding: Folding) -> int:
        """Return the words of codes that wait for the maximum of their row."""
        return self._depth(folding, self.stages(folding).maximum)

    def exponential_depth(self, folding: Folding) -> int:
        """Return the words of exponentials that wait for the sum of their row."""
        return self._depth(folding, self.stages(folding).total)

    def _depth(self, folding: Folding, stages: int) -> int:
        beats = self.inputs[0].channels // folding.inputs
        return row_buffer_depth(beats, beats, beats - 1 + stages)


def log2_stages(mantissa_bits: int, total_bits: int) -> int:
    """Return the register stages of ``hyq_log2_probability``: normalization, distance, code.

    The total takes a stage for every bit of its shift. The triple of a mantissa takes one more.
    """
    triple_bits = mantissa_bits + 2
    total = (max(total_bits, triple_bits) - 1).bit_length()
    return max(total, 1 + (triple_bits - 1).bit_length()) + 2


def log2_rounded_stages(total_bits: int) -> int:
    """Return the stages of ``hyq_log2_rounded_probability``.

    They are: sum, normalization, distance, code.
    """
    return 1 + (total_bits + 1).bit_length() + 2
