"""The common part of all convolutions: weights and biases behind a line buffer."""

from __future__ import annotations

from typing import TypeVar

from hyq_hls.ops.checks import width_of
from hyq_hls.ops.convolution import Convolution
from hyq_hls.stream.arguments import Rom, TemplateArguments, channel_rom, zero_point_rom
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.circuits.sliding_window import SlidingWindowCircuit
from hyq_hls.stream.folding import Folding

ConvolutionT = TypeVar("ConvolutionT", bound=Convolution)


class ConvolutionCircuit(SlidingWindowCircuit[ConvolutionT]):
    """A line buffer for a padded map, whose windows are multiplied by weights and summed."""

    def window_arguments(
        self, folding: Folding, sizes: dict[str, int], weight: Rom
    ) -> TemplateArguments:
        """Return arguments with the geometry of the window, lanes, ``sizes`` and ``weight``."""
        (x,), conv = self.inputs, self.operation
        return requantized_arguments(
            {**self.geometry(folding), **sizes},
            {"operand_t": (x.quantization.bits, x.quantization.signed)},
            (
                weight,
                channel_rom("bias", conv.bias, width_of(conv.bias), folding.outputs),
                zero_point_rom(conv.pad_value, folding.inputs, "pad"),
            ),
            self.accumulator,
            conv.requantize,
            folding.outputs,
        )
