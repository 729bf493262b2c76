"""The common part of convolutions and poolings: a line buffer and its timing."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from typing import TypeVar

from hyq_hls.ops.window import Window
from hyq_hls.stream.arguments import Memory
from hyq_hls.stream.circuits.circuit import Circuit
from hyq_hls.stream.circuits.line_buffer import (
    RowSchedule,
    TapSchedule,
    row_schedule,
    tap_schedule,
)
from hyq_hls.stream.circuits.matrix import dot_product_stages
from hyq_hls.stream.circuits.process import Process, one_loop
from hyq_hls.stream.folding import Folding

WindowT = TypeVar("WindowT", bound=Window)

#: A line buffer repeats its schedule after this number of frames.
_STEADY_FRAMES = 4


class SlidingWindowCircuit(Circuit[WindowT]):
    """A line buffer for a padded map, whose windows become one result each."""

    @abstractmethod
    def terms(self, folding: Folding) -> int:
        """Return the number of products that a lane of the output adds per cycle."""

    def stages(self, folding: Folding) -> int:
        """Return the number of stages behind the line buffer."""
        return dot_product_stages(self.terms(folding))

    def products(self, folding: Folding) -> int:
        return folding.outputs * self.terms(folding)

    def row_reads(self, folding: Folding) -> int:
        """Return the cycles in which the line buffer reads a row of windows."""
        windows, _ = self.operation.output_size(*self.inputs[0].shape[:2])
        return self.macs // self.products(folding) // windows

    def kernel_row_reads(self, folding: Folding) -> int:
        """Return the cycles in which one row of a kernel is read, for one group of channels."""
        return self.operation.window[1]

    @property
    def positions_waiting(self) -> int:
        """Positions that wait while the line buffer is between two frames.

        The line buffer waits for its last reader there, and then needs rows at once.
        """
        operation = self.operation
        return (operation.extent[0] + operation.padding[0]) * self.inputs[0].shape[1]

    @property
    def frames_inside(self) -> Fraction:
        """Share of a frame in the full line buffer and the stages behind it.

        The line buffer holds rows of several frames where maps are small.
        """
        operation = self.operation
        height, width, channels = self.inputs[0].shape
        rows, positions = operation.output_size(height, width)
        stored = (rows - 1) * operation.stride[0] + operation.extent[0]
        frames, left = divmod(operation.extent[0] + operation.stride[0], stored)
        buffered = frames + min(Fraction(left, height), Fraction(1))
        # Every stage behind the line buffer holds the result of another position.
        return buffered + Fraction(dot_product_stages(channels) + 2, rows * positions)

    def schedule(self, folding: Folding, frames: int) -> RowSchedule:
        """Return the schedule of the line buffer in the first ``frames`` frames after reset."""
        (x,), operation = self.inputs, self.operation
        windows, _ = operation.output_size(*x.shape[:2])
        return row_schedule(
            rows=x.shape[0] + 2 * operation.padding[0],
            windows=windows,
            kernel=operation.extent[0],
            stride=operation.stride[0],
            write=(x.shape[1] + 2 * operation.padding[1]) * (x.channels // folding.inputs),
            read=self.row_reads(folding),
            frames=frames,
        )

    def memories(self, folding: Folding) -> list[Memory]:
        (x,), operation = self.inputs, self.operation
        rows = operation.extent[0] + operation.stride[0]
        words = rows * (x.shape[1] + 2 * operation.padding[1]) * (x.channels // folding.inputs)
        line_buffer = Memory(folding.inputs * x.quantization.bits, words)
        return [line_buffer, *super().memories(folding)]

    def tap_schedule(self, folding: Folding) -> TapSchedule:
        """Return the schedule of the loop of the C++."""
        (x,), operation = self.inputs, self.operation
        height, width, channels = x.shape
        _, windows = operation.output_size(height, width)
        return tap_schedule(
            operation,
            height,
            width,
            beats=channels // folding.inputs,
            window_taps=self.row_reads(folding) // windows,
            kernel_row_taps=self.kernel_row_reads(folding),
        )

    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return one process, whose first iterations only fill the line buffer."""
        schedule = self.tap_schedule(folding)
        return (one_loop(schedule.iterations, self.stages(folding), schedule.lead),)

    def arrays(self, folding: Folding) -> list[Memory]:
        """Return the line buffer."""
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
        return schedule.frame_ends[0] - first + border + self.stages(folding)

    def geometry(self, folding: Folding) -> dict[str, int]:
        """Return the sizes of the map and of the window, and the lanes."""
        (x,), operation = self.inputs, self.operation
        height, width, channels = x.shape
        return {
            "height": height,
            "width": width,
            "in_channels": channels,
            "kernel_height": operation.window[0],
            "kernel_width": operation.window[1],
            "stride_height": operation.stride[0],
            "stride_width": operation.stride[1],
            "pad_height": operation.padding[0],
            "pad_width": operation.padding[1],
            "dilation_height": operation.dilation[0],
            "dilation_width": operation.dilation[1],
            "in_lanes": folding.inputs,
            "out_lanes": folding.outputs,
        }
