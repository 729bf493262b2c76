"""Grouped 2-D convolution: a line buffer before a dot product with the filters of each group."""

from __future__ import annotations

from hyq_hls.ops.grouped_conv2d import GroupedConv2d
from hyq_hls.stream.arguments import TemplateArguments
from hyq_hls.stream.circuits.convolution import ConvolutionCircuit
from hyq_hls.stream.circuits.matrix import matrix_dsps, matrix_lanes, matrix_rom, pair_shift
from hyq_hls.stream.folding import Folding


class GroupedConv2dCircuit(ConvolutionCircuit[GroupedConv2d]):
    """A line buffer whose windows are read group by group, and the dot products of a group."""

    @property
    def foldings(self) -> list[Folding]:
        outputs, *_, channels = self.operation.weight.shape
        return matrix_lanes(outputs // self.operation.groups, channels)

    def terms(self, folding: Folding) -> int:
        return folding.inputs

    def dsps(self, folding: Folding) -> int:
        return matrix_dsps(folding, self.operation.weight_bits, self.inputs[0].quantization.bits)

    def arguments(self, folding: Folding) -> TemplateArguments:
        # Words are ordered [group][outputs of the group][tap][beat of the group].
        operation = self.operation
        matrix = operation.weight.reshape(operation.weight.shape[0], -1)
        bits = operation.weight_bits
        sizes = {
            "out_channels": matrix.shape[0],
            "groups": operation.groups,
            "pair_shift": pair_shift(bits, self.inputs[0].quantization.bits),
        }
        return self.window_arguments(folding, sizes, matrix_rom(matrix, bits, folding))
