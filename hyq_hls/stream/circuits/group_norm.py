"""GroupNorm with one group: a frame is one row."""

from __future__ import annotations

from hyq_hls.graph import Bounds
from hyq_hls.ops.group_norm import GroupNorm
from hyq_hls.stream.arguments import Memory, TemplateArguments
from hyq_hls.stream.circuits.normalization import NormalizationCircuit
from hyq_hls.stream.circuits.process import PIPELINE_LATENCY
from hyq_hls.stream.circuits.products import product_dsps
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.folding import Folding


class GroupNormCircuit(NormalizationCircuit[GroupNorm]):
    """The mean is a product of the sum, and is subtracted from values with fraction bits.

    The values of a frame lie in a buffer, while those of the next one come in as they leave.
    """

    normalize_stages = 13
    rows = 1

    def dsps(self, folding: Folding) -> int:
        """Return the DSP slices.

        Two more products make the square of the sum, and the mean. A mean over a power of two takes
        a shift.
        """
        (x,), norm = self.inputs, self.operation
        value, total = self.value_bits, self.total_bits
        lane = (
            product_dsps(value, value)
            + product_dsps(self.reciprocal_steps + 1, norm.difference(x).bits)
            + product_dsps(norm.normalized(x).bits, norm.gamma_bits)
        )
        multiplier = norm.mean_multiplier
        mean = product_dsps(total, multiplier.bit_length() + 1)
        is_shift = multiplier & (multiplier - 1) == 0
        return folding.inputs * lane + product_dsps(total, total) + (0 if is_shift else mean)

    def inner_streams(self, folding: Folding) -> list[Memory]:
        """Return values, sum, radicand, root and reciprocal."""
        values = Memory(
            folding.inputs * self.value_bits, self.row_depth(folding) + 2 * PIPELINE_LATENCY
        )
        steps = self.root_steps
        widths = self.total_bits, 2 * steps, steps, self.reciprocal_steps
        return [values, *(Memory(width, 2) for width in widths)]

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,), norm = self.inputs, self.operation
        moments = norm.moments(x)
        return requantized_arguments(
            self.common_sizes(folding)
            | {
                "elements": x.size,
                "mean_fraction": norm.mean_bits,
                "mean_multiplier": norm.mean_multiplier,
                "mean_shift": norm.mean_shift,
                "normalize_shift": norm.normalize_shift,
                "frame_depth": self.row_depth(folding),
            },
            self.common_integers(moments.scaled_squares, norm.product(x))
            | {
                "squares_t": (Bounds(0, moments.squares).bits, True),
                "mean_product_t": (norm.mean_product(x).bits, True),
                "difference_t": (norm.difference(x).bits, True),
            },
            self.common_roms(folding.inputs),
            norm.result(x),
            norm.requantize,
            folding.inputs,
        )
