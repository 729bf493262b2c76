"""Depthwise 2-D convolution: a line buffer in front of one multiplier per channel."""

from __future__ import annotations

from hyq_hls.ops.depthwise_conv2d import DepthwiseConv2d
from hyq_hls.stream.arguments import Rom, TemplateArguments
from hyq_hls.stream.circuits.convolution import ConvolutionCircuit
from hyq_hls.stream.folding import Folding


class DepthwiseConv2dCircuit(ConvolutionCircuit[DepthwiseConv2d]):
    """A line buffer whose windows give one tap of neighbouring channels per cycle."""

    def terms(self, folding: Folding) -> int:
        return 1  # Every channel has its own operands, and one tap per cycle.

    def arguments(self, folding: Folding) -> TemplateArguments:
        # A word is one tap of neighbouring channels; words are ordered [group of channels][tap].
        conv, lanes = self.operation, folding.outputs
        groups = conv.weight.reshape(conv.in_channels // lanes, lanes, -1)
        rom = Rom("weight", groups.transpose(0, 2, 1), conv.weight_bits, lanes=lanes)
        return self.window_arguments(folding, {}, rom)
