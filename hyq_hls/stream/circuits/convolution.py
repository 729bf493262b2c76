"""The common part of dense and depthwise convolution: a line buffer and its timing."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from typing import TypeVar

from hyq_hls.ops.checks import width_of
from hyq_hls.ops.convolution import Convolution
from hyq_hls.stream.arguments import Memory, Rom, TemplateArguments, channel_rom, zero_point_rom
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.line_buffer import RowSchedule, row_schedule
from hyq_hls.stream.circuits.matrix import dot_product_stages
from hyq_hls.stream.circuits.process import Loop, Process
from hyq_hls.stream.circuits.requantization import requantized_arguments
from hyq_hls.stream.folding import Folding

ConvolutionT = TypeVar("ConvolutionT", bound=Convolution)

#: A line buffer repeats its schedule after this number of frames.
_STEADY_FRAMES = 4


class ConvolutionCircuit(Circuit[ConvolutionT]):
    """A line buffer for a padded map, whose windows are multiplied and summed."""

    @abstractmethod
    def terms(self, folding: Folding) -> int:
        """Return the number of products that a lane of the output adds per cycle."""

    def products(self, folding: Folding) -> int:
        return folding.outputs * self.terms(folding)

    @property
    def positions_waiting(self) -> int:
        """Positions that wait while the line buffer is between two frames.

        The line buffer waits for its last reader there, and then needs rows at once.
        """
        conv = self.operation
        return (conv.window[0] + conv.padding[0]) * self.inputs[0].shape[1]

    @property
    def frames_inside(self) -> Fraction:
        """Share of a frame in the full line buffer and the stages behind it.

        The line buffer holds rows of several frames where maps are small.
        """
        conv = self.operation
        height, width, channels = self.inputs[0].shape
        rows, positions = conv.output_size(height, width)
        stored = (rows - 1) * conv.stride[0] + conv.window[0]
        frames, left = divmod(conv.window[0] + conv.stride[0], stored)
        buffered = frames + min(Fraction(left, height), Fraction(1))
        # Every stage behind the line buffer holds the result of another position.
        return buffered + Fraction(dot_product_stages(channels) + 2, rows * positions)

    def schedule(self, folding: Folding, frames: int) -> RowSchedule:
        """Return the schedule of the line buffer in the first ``frames`` frames after reset."""
        (x,), conv = self.inputs, self.operation
        windows, _ = conv.output_size(*x.shape[:2])
        return row_schedule(
            rows=x.shape[0] + 2 * conv.padding[0],
            windows=windows,
            kernel=conv.window[0],
            stride=conv.stride[0],
            write=(x.shape[1] + 2 * conv.padding[1]) * (x.channels // folding.inputs),
            read=self.macs // self.products(folding) // windows,
            frames=frames,
        )

    def memories(self, folding: Folding) -> list[Memory]:
        (x,), conv = self.inputs, self.operation
        rows = conv.window[0] + conv.stride[0]
        words = rows * (x.shape[1] + 2 * conv.padding[1]) * (x.channels // folding.inputs)
        line_buffer = Memory(folding.inputs * x.quantization.bits, words)
        return [line_buffer, *super().memories(folding)]

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return one process: the first rows of the map, then each row of windows.

        The words of the next rows that do not pass beside a row of windows follow it.
        """
        (x,), conv = self.inputs, self.operation
        windows, _ = conv.output_size(*x.shape[:2])
        rows = min(conv.window[0] - conv.padding[0], x.shape[0])
        row = (x.shape[1] + 2 * conv.padding[1]) * (x.channels // folding.inputs)
        reads = self.macs // self.products(folding) // windows
        first = Loop(rows * row)
        loops = [first, Loop(reads, windows)]
        if conv.stride[0] * row > reads:
            loops.append(Loop(conv.stride[0] * row - reads, windows))
        return (Process(dot_product_stages(self.terms(folding)), tuple(loops), first.trips),)

    def arrays(self, folding: Folding) -> list[Memory]:
        return self.memories(folding)[:1]

    def cycles(self, folding: Folding) -> int:
        ends = self.schedule(folding, _STEADY_FRAMES).frame_ends
        return ends[-1] - ends[-2]

    def latency(self, folding: Folding) -> int:
        above, left = self.operation.padding
        schedule = self.schedule(folding, 1)
        border = int(above > 0 or left > 0)  # The padding has a stage, where there is padding.
        # The first code enters that stage when the last border beat in front of it leaves.
        if left:
            beats = self.inputs[0].channels // folding.inputs
            first = schedule.row_starts[above] + left * beats
        elif above:
            first = schedule.row_ends[above - 1]
        else:
            first = 0
        stages = border + dot_product_stages(self.terms(folding))
        return schedule.frame_ends[0] - first + stages

    def window_arguments(
        self, folding: Folding, sizes: dict[str, int], weight: Rom
    ) -> TemplateArguments:
        """Return arguments with the geometry of the window, lanes, ``sizes`` and ``weight``."""
        (x,), conv = self.inputs, self.operation
        height, width, channels = x.shape
        geometry = {
            "height": height,
            "width": width,
            "in_channels": channels,
            "kernel_height": conv.window[0],
            "kernel_width": conv.window[1],
            "stride_height": conv.stride[0],
            "stride_width": conv.stride[1],
            "pad_height": conv.padding[0],
            "pad_width": conv.padding[1],
            "in_lanes": folding.inputs,
            "out_lanes": folding.outputs,
        }
        return requantized_arguments(
            {**geometry, **sizes},
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
