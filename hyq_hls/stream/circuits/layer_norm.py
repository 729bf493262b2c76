"""LayerNorm. A row waits for its square root and reciprocal, which give one bit per cycle."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from hyq_hls.graph import Bounds
from hyq_hls.ops.layer_norm import LayerNorm, Moments
from hyq_hls.stream.arguments import Memory, Rom, TemplateArguments, channel_rom, zero_point_rom
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.matrix import tree_stages
from hyq_hls.stream.circuits.process import PIPELINE_LATENCY, Process, one_loop
from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.circuits.rows import row_buffer_depth
from hyq_hls.stream.folding import Folding

#: Stages of the circuit: of values, of the variance behind the sums, from normalized values to
#: codes.
_VALUE_STAGES, _VARIANCE_STAGES, _NORMALIZE_STAGES = 2, 3, 11


class LayerNormCircuit(Circuit[LayerNorm]):
    """Sums of a position, then its square root and its reciprocal, then its normalized values."""

    pipelines = 7

    def products(self, folding: Folding) -> int:
        return 3 * folding.inputs

    def dsps(self, folding: Folding) -> int:
        """Return the DSP slices.

        Wide products take several. One more product squares the sum of a position.
        """
        (x,), norm, moments = self.inputs, self.operation, self._moments
        value, total = moments.value.bits, moments.total.bits
        lane = (
            product_dsps(value, value)
            + product_dsps(moments.deviation.bits, self._reciprocal_steps + 1)
            + product_dsps(norm.normalized(x).bits, norm.gamma_bits)
        )
        return folding.inputs * lane + product_dsps(total, total)

    @property
    def frames_inside(self) -> Fraction:
        x = self.inputs[0]
        one_beat = self._row_depth(Folding(x.channels, x.channels))
        # These are the row buffer with its output register, and the stages of a value and of the
        # output.
        return Fraction(one_beat + 1 + _VALUE_STAGES + _NORMALIZE_STAGES, x.words)

    def memories(self, folding: Folding) -> list[Memory]:
        values = Memory(folding.inputs * self._moments.value.bits, self._row_depth(folding))
        return [values, *super().memories(folding)]

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return four processes: moments, square roots, reciprocals, normalized values."""
        x = self.inputs[0]
        words, row = x.size // folding.inputs, x.channels // folding.inputs - 1
        moments = _VALUE_STAGES + 2 + tree_stages(folding.inputs) + _VARIANCE_STAGES
        # A root or a reciprocal is made of one bit per cycle.
        bits = self._root_steps, self._reciprocal_steps
        roots, reciprocals = (one_loop(x.words * steps, 2, steps - 1) for steps in bits)
        normalized = one_loop(words, _NORMALIZE_STAGES)
        return one_loop(words, moments, row), roots, reciprocals, normalized

    def inner_streams(self, folding: Folding) -> list[Memory]:
        """Return sums, radicands, roots and reciprocals. A directive puts the values into LUTs."""
        beats = self.inputs[0].channels // folding.inputs
        steps = self._root_steps, self._reciprocal_steps
        positions = 2 + sum(PIPELINE_LATENCY // bits for bits in steps)
        depth = self._row_depth(folding) + 2 * PIPELINE_LATENCY + positions * beats
        return [
            Memory(self._moments.total.bits, depth // beats + 2),
            Memory(2 * self._root_steps, 2),
            Memory(self._root_steps, 2),
            Memory(self._reciprocal_steps, 2),
        ]

    def cycles(self, folding: Folding) -> int:
        """Return the cycles of all positions.

        A position takes the largest of its beats, its variance, its square root and its reciprocal.
        """
        return self.inputs[0].words * self._period(folding)

    def latency(self, folding: Folding) -> int:
        (x,) = self.inputs
        beats = x.channels // folding.inputs
        first = _VALUE_STAGES + self._result_delay(folding) + _NORMALIZE_STAGES
        return first + (x.words - 1) * self._period(folding) + beats - 1

    @property
    def _moments(self) -> Moments:
        return self.operation.moments(self.inputs[0])

    @property
    def _root_steps(self) -> int:
        """Number of bits of the square root, which takes a cycle for each."""
        return (self.operation.radicand(self.inputs[0]).high.bit_length() + 1) // 2

    @property
    def _reciprocal_steps(self) -> int:
        """Number of bits of the largest reciprocal, which takes a cycle for each."""
        return self.operation.largest_reciprocal.bit_length()

    def _period(self, folding: Folding) -> int:
        """Return the cycles from position to position.

        A variance, a root or a reciprocal takes one cycle to load. Then the variance takes one for
        each stage, and the others one for each bit.
        """
        steps = max(_VARIANCE_STAGES, self._root_steps, self._reciprocal_steps)
        return max(self.inputs[0].channels // folding.inputs, 1 + steps)

    def _result_delay(self, folding: Folding) -> int:
        """Return the cycles from the first value of a position to its reciprocal."""
        squares_and_sums = 1 + tree_stages(folding.inputs) + 1
        steps = 1 + self._root_steps + 1 + self._reciprocal_steps
        beats = self.inputs[0].channels // folding.inputs
        return beats - 1 + squares_and_sums + _VARIANCE_STAGES + steps

    def _row_depth(self, folding: Folding) -> int:
        beats = self.inputs[0].channels // folding.inputs
        return row_buffer_depth(beats, self._period(folding), self._result_delay(folding))

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), norm, lanes = self.inputs, self.operation, folding.inputs
        moments, steps = self._moments, self._root_steps
        return requantized_arguments(
            {
                "words": x.words,
                "channels": x.channels,
                "in_lanes": lanes,
                "out_lanes": folding.outputs,
                "root_fraction": norm.root_bits,
                "root_steps": steps,
                "reciprocal_fraction": norm.reciprocal_bits,
                "reciprocal_steps": self._reciprocal_steps,
                "normalize_shift": norm.normalize_shift,
                "row_depth": self._row_depth(folding),
                "value_bits": moments.value.bits,
                "total_bits": moments.total.bits,
            },
            {
                "value_t": (moments.value.bits, True),
                "total_t": (moments.total.bits, True),
                "squares_t": (Bounds(0, moments.scaled_squares // x.channels).bits, True),
                "count_t": (x.channels.bit_length(), False),
                "deviation_t": (moments.deviation.bits, True),
                "variance_t": (Bounds(0, moments.scaled_squares).bits, True),
                "radicand_t": (2 * steps, False),
                "root_t": (steps, False),
                "remainder_t": (steps + 3, True),
                "reciprocal_t": (self._reciprocal_steps, False),
                "product_t": (norm.product(x).bits, True),
                "normalized_t": (norm.normalized(x).bits, True),
            },
            (
                channel_rom("factor_shift", norm.factor_shift, 4, lanes, signed=False),
                zero_point_rom(norm.zero_point, lanes),
                Rom("epsilon", np.array([norm.epsilon]), norm.epsilon.bit_length(), signed=False),
                channel_rom("gamma", norm.gamma, norm.gamma_bits, lanes),
                channel_rom("beta", norm.beta, norm.beta_bits, lanes),
            ),
            norm.result(x),
            norm.requantize,
            lanes,
        )
