"""GroupNorm with one group. A frame waits for its mean and its reciprocal."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hyq_hls.graph import Bounds
from hyq_hls.ops.group_norm import FrameMoments, GroupNorm
from hyq_hls.stream.arguments import Memory, Rom, TemplateArguments, channel_rom, zero_point_rom
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.matrix import tree_stages
from hyq_hls.stream.circuits.process import PIPELINE_LATENCY, Process, one_loop
from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.circuits.rows import row_buffer_depth
from hyq_hls.stream.folding import Folding

#: Stages of the circuit: of values, of the variance behind the sums, from values to codes.
_VALUE_STAGES, _VARIANCE_STAGES, _NORMALIZE_STAGES = 2, 3, 13


class GroupNormCircuit(Circuit[GroupNorm]):
    """Sums of a frame, then its square root and its reciprocal, then its normalized values.

    The values of a frame lie in a buffer, while those of the next one come in as they leave.
    """

    def products(self, folding: Folding) -> int:
        return 3 * folding.inputs

    def dsps(self, folding: Folding) -> int:
        """Return the DSP slices.

        Two more products make the square of the sum, and the mean. A mean over a power of two takes
        a shift.
        """
        (x,), norm, moments = self.inputs, self.operation, self._moments
        value, total = moments.value.bits, moments.total.bits
        lane = (
            product_dsps(value, value)
            + product_dsps(self._reciprocal_steps + 1, norm.difference(x).bits)
            + product_dsps(norm.normalized(x).bits, norm.gamma_bits)
        )
        multiplier = norm.mean_multiplier
        mean = product_dsps(total, multiplier.bit_length() + 1)
        is_shift = multiplier & (multiplier - 1) == 0
        return folding.inputs * lane + product_dsps(total, total) + (0 if is_shift else mean)

    @property
    def frames_inside(self) -> Fraction:
        x = self.inputs[0]
        one_beat = self._frame_depth(Folding(x.channels, x.channels))
        return Fraction(one_beat + 1 + _VALUE_STAGES + _NORMALIZE_STAGES, x.words)

    def memories(self, folding: Folding) -> list[Memory]:
        values = Memory(folding.inputs * self._moments.value.bits, self._frame_depth(folding))
        return [values, *super().memories(folding)]

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return four processes: moments, square root, reciprocal, normalized values."""
        beats = self._beats(folding)
        moments = _VALUE_STAGES + 2 + tree_stages(folding.inputs) + _VARIANCE_STAGES
        bits = self._root_steps, self._reciprocal_steps
        root, reciprocal = (one_loop(steps, 2, steps - 1) for steps in bits)
        normalized = one_loop(beats, _NORMALIZE_STAGES)
        return one_loop(beats, moments, beats - 1), root, reciprocal, normalized

    def inner_streams(self, folding: Folding) -> list[Memory]:
        """Return values, sum, radicand, root and reciprocal."""
        moments, steps = self._moments, self._root_steps
        values = Memory(
            folding.inputs * moments.value.bits, self._frame_depth(folding) + 2 * PIPELINE_LATENCY
        )
        widths = moments.total.bits, 2 * steps, steps, self._reciprocal_steps
        return [values, *(Memory(width, 2) for width in widths)]

    def cycles(self, folding: Folding) -> int:
        """Return the cycles of a frame: those of its beats, its root or its reciprocal."""
        steps = max(_VARIANCE_STAGES, self._root_steps, self._reciprocal_steps)
        return max(self._beats(folding), 1 + steps)

    def latency(self, folding: Folding) -> int:
        first = _VALUE_STAGES + self._result_delay(folding) + _NORMALIZE_STAGES
        return first + self._beats(folding) - 1

    @property
    def _moments(self) -> FrameMoments:
        return self.operation.moments(self.inputs[0])

    @property
    def _root_steps(self) -> int:
        """Number of bits of the square root, which takes a cycle for each."""
        return (self.operation.radicand(self.inputs[0]).high.bit_length() + 1) // 2

    @property
    def _reciprocal_steps(self) -> int:
        """Number of bits of the largest reciprocal, which takes a cycle for each."""
        return self.operation.largest_reciprocal.bit_length()

    def _beats(self, folding: Folding) -> int:
        return self.inputs[0].size // folding.inputs

    def _result_delay(self, folding: Folding) -> int:
        """Return the cycles from the first value of a frame to its reciprocal."""
        squares_and_sums = 1 + tree_stages(folding.inputs) + 1
        steps = 1 + self._root_steps + 1 + self._reciprocal_steps
        return self._beats(folding) - 1 + squares_and_sums + _VARIANCE_STAGES + steps

    def _frame_depth(self, folding: Folding) -> int:
        delay = self._result_delay(folding)
        return row_buffer_depth(self._beats(folding), self.cycles(folding), delay)

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), norm, lanes = self.inputs, self.operation, folding.inputs
        moments, steps = self._moments, self._root_steps
        return requantized_arguments(
            {
                "words": 1,  # a frame is one row of a LayerNorm
                "elements": x.size,
                "channels": x.channels,
                "in_lanes": lanes,
                "out_lanes": folding.outputs,
                "mean_fraction": norm.mean_bits,
                "mean_multiplier": norm.mean_multiplier,
                "mean_shift": norm.mean_shift,
                "root_fraction": norm.root_bits,
                "root_steps": steps,
                "reciprocal_fraction": norm.reciprocal_bits,
                "reciprocal_steps": self._reciprocal_steps,
                "normalize_shift": norm.normalize_shift,
                "frame_depth": self._frame_depth(folding),
                "value_bits": moments.value.bits,
                "total_bits": moments.total.bits,
            },
            {
                "value_t": (moments.value.bits, True),
                "total_t": (moments.total.bits, True),
                "squares_t": (Bounds(0, moments.squares).bits, True),
                "count_t": (x.size.bit_length(), False),
                "variance_t": (Bounds(0, moments.scaled_squares).bits, True),
                "radicand_t": (2 * steps, False),
                "root_t": (steps, False),
                "remainder_t": (steps + 3, True),
                "reciprocal_t": (self._reciprocal_steps, False),
                "mean_product_t": (norm.mean_product(x).bits, True),
                "difference_t": (norm.difference(x).bits, True),
                "product_t": (norm.product(x).bits, True),
                "normalized_t": (norm.normalized(x).bits, True),
            },
            (
                zero_point_rom(norm.zero_point, lanes),
                Rom("epsilon", np.array([norm.epsilon]), norm.epsilon.bit_length(), signed=False),
                channel_rom("gamma", norm.gamma, norm.gamma_bits, lanes),
                channel_rom("beta", norm.beta, norm.beta_bits, lanes),
            ),
            norm.result(x),
            norm.requantize,
            lanes,
        )
