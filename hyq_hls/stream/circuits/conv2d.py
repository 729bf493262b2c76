"""2-D convolution, dense or with groups: a line buffer before a dot product."""

from __future__ import annotations

from hyq_hls.ops.conv2d import Conv2d
from hyq_hls.ops.grouped_conv2d import GroupedConv2d
from hyq_hls.stream.arguments import TemplateArguments
from hyq_hls.stream.circuits.convolution import ConvolutionCircuit
from hyq_hls.stream.circuits.matrix import matrix_dsps, matrix_lanes, matrix_rom, pair_shift
from hyq_hls.stream.folding import Folding


class Conv2dCircuit(ConvolutionCircuit[Conv2d | GroupedConv2d]):
    """A line buffer whose windows are read group by group, and the dot products of a group."""

    @property
    def module(self) -> str:
        return "conv2d"

    @property
    def _groups(self) -> int:
        operation = self.operation
        return operation.groups if isinstance(operation, GroupedConv2d) else 1

    @property
    def foldings(self) -> list[Folding]:
        outputs, *_, channels = self.operation.weight.shape
        return matrix_lanes(outputs // self._groups, channels)

    def terms(self, folding: Folding) -> int:
        return folding.inputs

    def kernel_row_reads(self, folding: Folding) -> int:
        channels = int(self.operation.weight.shape[3])
        return self.operation.window[1] * (channels // folding.inputs)

    def dsps(self, folding: Folding) -> int:
        return matrix_dsps(folding, self.operation.weight_bits, self.inputs[0].quantization.bits)

    def arguments(self, folding: Folding) -> TemplateArguments:
        # Words are ordered [group][outputs of the group][tap][beat of the group].
        weight, bits = self.operation.weight, self.operation.weight_bits
        matrix = weight.reshape(weight.shape[0], -1)
        sizes = {
            "out_channels": matrix.shape[0],
            "groups": self._groups,
            "pair_shift": pair_shift(bits, self.inputs[0].quantization.bits),
        }
        return self.window_arguments(folding, sizes, matrix_rom(matrix, bits, folding))
