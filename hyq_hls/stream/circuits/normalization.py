"""LayerNorm and GroupNorm. A row waits for its root and reciprocal, which give one bit per cycle.

A row is what has one mean and one variance: a position of a LayerNorm, a frame of a GroupNorm.
"""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from functools import cached_property
from typing import ClassVar, TypeVar

import numpy as np

from hyq_hls.graph import Bounds
from hyq_hls.ops.normalization import Normalization
from hyq_hls.stream.arguments import Memory, Rom, channel_rom, zero_point_rom
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.matrix import tree_stages
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.circuits.rows import row_buffer_depth
from hyq_hls.stream.folding import Folding

NormalizationT = TypeVar("NormalizationT", bound=Normalization)

#: Stages of the circuit: of values, and of the variance behind the sums.
_VALUE_STAGES, _VARIANCE_STAGES = 2, 3


class NormalizationCircuit(Circuit[NormalizationT]):
    """Sums of a row, then its square root and its reciprocal, then its normalized values."""

    #: Stages from values to codes.
    normalize_stages: ClassVar[int]

    @property
    @abstractmethod
    def rows(self) -> int:
        """Rows of a frame."""

    @cached_property
    def value_bits(self) -> int:
        """Width of a value: a code less its zero point, times its factor."""
        return self.operation.moments(self.inputs[0]).value.bits

    @cached_property
    def total_bits(self) -> int:
        """Width of the sum of a row."""
        return self.operation.moments(self.inputs[0]).total.bits

    @cached_property
    def root_steps(self) -> int:
        """Number of bits of the square root, which takes a cycle for each."""
        return (self.operation.radicand(self.inputs[0]).high.bit_length() + 1) // 2

    @cached_property
    def reciprocal_steps(self) -> int:
        """Number of bits of the largest reciprocal, which takes a cycle for each."""
        return self.operation.largest_reciprocal.bit_length()

    def products(self, folding: Folding) -> int:
        return 3 * folding.inputs

    @property
    def frames_inside(self) -> Fraction:
        x = self.inputs[0]
        one_beat = self.row_depth(Folding(x.channels, x.channels))
        # These are the row buffer with its output register, and the stages of a value and of the
        # output.
        return Fraction(one_beat + 1 + _VALUE_STAGES + self.normalize_stages, x.words)

    def memories(self, folding: Folding) -> list[Memory]:
        values = Memory(folding.inputs * self.value_bits, self.row_depth(folding))
        return [values, *super().memories(folding)]

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return four processes: moments, square roots, reciprocals, normalized values."""
        words = self.inputs[0].size // folding.inputs
        moments = _VALUE_STAGES + 2 + tree_stages(folding.inputs) + _VARIANCE_STAGES
        # A root or a reciprocal is made of one bit per cycle.
        bits = self.root_steps, self.reciprocal_steps
        roots, reciprocals = (one_loop(self.rows * steps, 2, steps - 1) for steps in bits)
        normalized = one_loop(words, self.normalize_stages)
        return one_loop(words, moments, self.beats(folding) - 1), roots, reciprocals, normalized

    def cycles(self, folding: Folding) -> int:
        """Return the cycles of all rows.

        A row takes the largest of its beats, its variance, its square root and its reciprocal.
        """
        return self.rows * self._period(folding)

    def latency(self, folding: Folding) -> int:
        first = _VALUE_STAGES + self._result_delay(folding) + self.normalize_stages
        return first + (self.rows - 1) * self._period(folding) + self.beats(folding) - 1

    def beats(self, folding: Folding) -> int:
        """Return the beats of a row."""
        return self.inputs[0].size // self.rows // folding.inputs

    def row_depth(self, folding: Folding) -> int:
        """Return the beats that the row buffer holds."""
        delay = self._result_delay(folding)
        return row_buffer_depth(self.beats(folding), self._period(folding), delay)

    def _period(self, folding: Folding) -> int:
        """Return the cycles from row to row.

        A variance, a root or a reciprocal takes one cycle to load. Then the variance takes one for
        each stage, and the others one for each bit.
        """
        steps = max(_VARIANCE_STAGES, self.root_steps, self.reciprocal_steps)
        return max(self.beats(folding), 1 + steps)

    def _result_delay(self, folding: Folding) -> int:
        """Return the cycles from the first value of a row to its reciprocal."""
        squares_and_sums = 1 + tree_stages(folding.inputs) + 1
        steps = 1 + self.root_steps + 1 + self.reciprocal_steps
        return self.beats(folding) - 1 + squares_and_sums + _VARIANCE_STAGES + steps

    def common_sizes(self, folding: Folding) -> dict[str, int]:
        """Return the sizes that both templates have."""
        return {
            "words": self.rows,
            "channels": self.inputs[0].channels,
            "in_lanes": folding.inputs,
            "out_lanes": folding.outputs,
            "root_fraction": self.operation.root_bits,
            "root_steps": self.root_steps,
            "reciprocal_fraction": self.operation.reciprocal_bits,
            "reciprocal_steps": self.reciprocal_steps,
            "value_bits": self.value_bits,
            "total_bits": self.total_bits,
        }

    def common_integers(self, scaled_squares: int, product: Bounds) -> dict[str, tuple[int, bool]]:
        """Return the integer types that both templates have.

        Args:
            scaled_squares: largest sum of squares times the size of a row, epsilon included.
            product: bounds of a product with the reciprocal.
        """
        x, steps = self.inputs[0], self.root_steps
        return {
            "value_t": (self.value_bits, True),
            "total_t": (self.total_bits, True),
            "count_t": ((x.size // self.rows).bit_length(), False),
            "variance_t": (Bounds(0, scaled_squares).bits, True),
            "radicand_t": (2 * steps, False),
            "root_t": (steps, False),
            "remainder_t": (steps + 3, True),
            "reciprocal_t": (self.reciprocal_steps, False),
            "product_t": (product.bits, True),
            "normalized_t": (self.operation.normalized(x).bits, True),
        }

    def common_roms(self, lanes: int) -> tuple[Rom, ...]:
        """Return the memories that both templates have."""
        norm = self.operation
        return (
            zero_point_rom(norm.zero_point, lanes),
            Rom("epsilon", np.array([norm.epsilon]), norm.epsilon.bit_length(), signed=False),
            channel_rom("gamma", norm.gamma, norm.gamma_bits, lanes),
            channel_rom("beta", norm.beta, norm.beta_bits, lanes),
        )
