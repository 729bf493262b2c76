"""Dense 2-D convolution: a line buffer before a dot product."""

from __future__ import annotations

from hyq_hls.ops.conv2d import Conv2d
from hyq_hls.stream.arguments import TemplateArguments
from hyq_hls.stream.circuits.convolution import ConvolutionCircuit
from hyq_hls.stream.circuits.matrix import matrix_dsps, matrix_lanes, matrix_rom, pair_shift
from hyq_hls.stream.folding import Folding


class Conv2dCircuit(ConvolutionCircuit[Conv2d]):
    """A line buffer, and a dot product of each of its windows with the matrix of all taps."""

    @property
    def foldings(self) -> list[Folding]:
        return matrix_lanes(self.operation.weight.shape[0], self.operation.in_channels)

    def terms(self, folding: Folding) -> int:
        return folding.inputs

    def dsps(self, folding: Folding) -> int:
        return matrix_dsps(folding, self.operation.weight_bits, self.inputs[0].quantization.bits)

    def arguments(self, folding: Folding) -> TemplateArguments:
        weight = self.operation.weight
        matrix = weight.reshape(weight.shape[0], -1)
        bits = self.operation.weight_bits
        sizes = {
            "out_channels": matrix.shape[0],
            "length": matrix.shape[1],
            "pair_shift": pair_shift(bits, self.inputs[0].quantization.bits),
        }
        rom = matrix_rom(matrix, bits, folding)
        return self.window_arguments(folding, sizes, rom)
