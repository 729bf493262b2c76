"""LayerNorm: every position is a row."""

from __future__ import annotations

from hyq_hls.graph import Bounds
from hyq_hls.ops.layer_norm import LayerNorm
from hyq_hls.stream.arguments import IN_LUTS, Memory, TemplateArguments, channel_rom
from hyq_hls.stream.circuits.normalization import NormalizationCircuit
from hyq_hls.stream.circuits.process import PIPELINE_LATENCY
from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.folding import Folding


class LayerNormCircuit(NormalizationCircuit[LayerNorm]):
    """Values have factors, which are powers of two; sums are subtracted from scaled values."""

    normalize_stages = 11

    @property
    def rows(self) -> int:
        return self.inputs[0].words

    def dsps(self, folding: Folding) -> int:
        """Return the DSP slices.

        Wide products take several. One more product squares the sum of a position.
        """
        (x,), norm, value = self.inputs, self.operation, self.value_bits
        lane = (
            product_dsps(value, value)
            + product_dsps(norm.moments(x).deviation.bits, self.reciprocal_steps + 1)
            + product_dsps(norm.normalized(x).bits, norm.gamma_bits)
        )
        return folding.inputs * lane + product_dsps(self.total_bits, self.total_bits)

    def inner_streams(self, folding: Folding) -> list[Memory]:
        """Return values, sums, radicands, roots and reciprocals.

        A directive puts the values into LUTs.
        """
        beats, steps = self.beats(folding), (self.root_steps, self.reciprocal_steps)
        positions = 2 + sum(PIPELINE_LATENCY // bits for bits in steps)
        depth = self.row_depth(folding) + 2 * PIPELINE_LATENCY + positions * beats
        return [
            Memory(folding.inputs * self.value_bits, depth, luts_per_block=IN_LUTS),
            Memory(self.total_bits, depth // beats + 2),
            Memory(2 * self.root_steps, 2),
            Memory(self.root_steps, 2),
            Memory(self.reciprocal_steps, 2),
        ]

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), norm = self.inputs, self.operation
        moments = norm.moments(x)
        return requantized_arguments(
            self.common_sizes(folding)
            | {
                "normalize_shift": norm.normalize_shift,
                "row_depth": self.row_depth(folding),
            },
            self.common_integers(moments.scaled_squares, norm.product(x))
            | {
                "squares_t": (Bounds(0, moments.scaled_squares // x.channels).bits, True),
                "deviation_t": (moments.deviation.bits, True),
            },
            (
                channel_rom("factor_shift", norm.factor_shift, 4, folding.inputs, signed=False),
                *self.common_roms(folding.inputs),
            ),
            norm.result(x),
            norm.requantize,
            folding.inputs,
        )
