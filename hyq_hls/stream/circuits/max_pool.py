"""Max pooling: a line buffer in front of one comparison per lane."""

from __future__ import annotations

from hyq_hls.ops.max_pool import MaxPool
from hyq_hls.stream.arguments import TemplateArguments, zero_point_rom
from hyq_hls.stream.circuits.sliding_window import SlidingWindowCircuit
from hyq_hls.stream.folding import Folding


class MaxPoolCircuit(SlidingWindowCircuit[MaxPool]):
    """The running maximum of the taps of a window, one tap of neighbouring channels per cycle."""

    def terms(self, folding: Folding) -> int:
        return 0  # Codes are compared, not multiplied.

    def stages(self, folding: Folding) -> int:
        return 1  # The running maximum is the result.

    def row_reads(self, folding: Folding) -> int:
        _, width, channels = self.output.shape
        height_taps, width_taps = self.operation.window
        return width * (channels // folding.inputs) * height_taps * width_taps

    def arguments(self, folding: Folding) -> TemplateArguments:
        (x,) = self.inputs
        return TemplateArguments(
            constants=self.geometry(folding),
            integers={"operand_t": (x.quantization.bits, x.quantization.signed)},
            roms=(zero_point_rom(self.operation.pad_value, folding.inputs, "pad"),),
        )
