"""What dense and depthwise convolution share: a window that slides over a padded map."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, NamedTuple

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.folding import Folding
from hyq_hls.graph.kernel import Kernel, Memory, Rom, channel_rom, zero_point_rom
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize, requantized_kernel
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import (
    check_affine,
    check_fits,
    check_zero_points,
    dot_bounds,
    freeze,
    partial_sum_bounds,
    width_of,
)
from hyq_hls.ops.matrix import dot_product_stages

#: After so many frames a line buffer repeats itself.
_STEADY_FRAMES = 4


@dataclass(frozen=True, eq=False)
class Convolution(Operation):
    """Weights, geometry and requantization of a convolution.

    The map is padded with the input's zero point, and ``bias`` holds ``-sum(weight * zero_point)``,
    so that raw codes are multiplied.

    Args:
        weight: int64 (out channels, kernel height, kernel width, ...).
        weight_bits: width of a weight, two's complement.
        bias: int64 (out channels,), zero-point correction included.
        stride: vertical, horizontal.
        padding: rows above and below, columns left and right.
        pad_value: zero point of the input, (1,) or (C,).
        requantize: accumulator to output code.

    Raises:
        GraphError: weights that do not fit their bits, or arrays of wrong shape.
    """

    #: Number of axes of the weights.
    weight_axes: ClassVar[int]

    weight: Codes
    weight_bits: int
    bias: Codes
    stride: tuple[int, int]
    padding: tuple[int, int]
    pad_value: tuple[int, ...]
    requantize: Requantize

    def __post_init__(self) -> None:
        freeze(self, "weight", self.weight_axes)
        freeze(self, "bias", 1)
        check_fits(self.weight, self.weight_bits, "weights")
        if self.bias.size != self.weight.shape[0]:
            raise GraphError(f"{self.bias.size} biases for {self.weight.shape[0]} output channels")

    @property
    @abstractmethod
    def in_channels(self) -> int:
        """Channels of the input."""

    @property
    def window(self) -> tuple[int, int]:
        """Kernel height and width."""
        return self.weight.shape[1], self.weight.shape[2]

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the output; raises ``GraphError`` when nothing is left."""
        if min(*self.stride, *self.window) < 1 or min(self.padding) < 0:
            raise GraphError(
                f"window {self.window} and stride {self.stride} must be positive, padding "
                f"{self.padding} not negative"
            )
        h, w = (
            (size + 2 * pad - kernel) // stride + 1
            for size, kernel, stride, pad in zip(
                (height, width), self.window, self.stride, self.padding, strict=True
            )
        )
        if min(h, w) < 1:
            raise GraphError(
                f"window {self.window} with padding {self.padding} is larger than the map of "
                f"{(height, width)}"
            )
        return h, w

    def output_type(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check_affine(x)
        if len(x.shape) != 3 or x.channels != self.in_channels:
            raise GraphError(f"a map (H, W, {self.in_channels}) is wanted, found {x.shape}")
        check_zero_points(self.pad_value, x)
        out_channels = self.weight.shape[0]
        self.requantize.check(self.accumulator(x), out_channels)
        h, w = self.output_size(x.shape[0], x.shape[1])
        return TensorType((h, w, out_channels), self.requantize.quantization)

    def windows(self, x: Codes) -> Codes:
        """Windows (B, H', W', C, kernel height, kernel width) of padded maps (B, H, W, C)."""
        (ph, pw), (b, h, w, c) = self.padding, x.shape
        padded = np.empty((b, h + 2 * ph, w + 2 * pw, c), dtype=np.int64)
        padded[:] = np.asarray(self.pad_value)
        padded[:, ph : ph + h, pw : pw + w] = x
        views = np.lib.stride_tricks.sliding_window_view(padded, self.window, axis=(1, 2))
        return views[:, :: self.stride[0], :: self.stride[1]]

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        rows = self.weight.reshape(self.weight.shape[0], -1)
        return dot_bounds(rows, self.bias, q.qmin, q.qmax)

    def partial_sums(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        rows = self.weight.reshape(self.weight.shape[0], -1)
        return partial_sum_bounds(rows, self.bias, q.qmin, q.qmax)

    def positions_waiting(self, *inputs: TensorType) -> int:
        # Between frames the line buffer waits for its last reader, then wants rows at once.
        return (self.window[0] + self.padding[0]) * inputs[0].shape[1]

    def frames_inside(self, *inputs: TensorType) -> Fraction:
        height, width, channels = inputs[0].shape
        rows, positions = self.output_size(height, width)
        # The line buffer is full, with rows of several frames where maps are small.
        stored = (rows - 1) * self.stride[0] + self.window[0]
        frames, left = divmod(self.window[0] + self.stride[0], stored)
        buffered = frames + min(Fraction(left, height), Fraction(1))
        # Every stage behind it holds the result of another position.
        return buffered + Fraction(dot_product_stages(channels) + 4, rows * positions)

    def macs(self, *inputs: TensorType) -> int:
        h, w = self.output_size(*inputs[0].shape[:2])
        return h * w * self.weight.size

    @abstractmethod
    def terms(self, folding: Folding) -> int:
        """Products that a lane of the output adds per cycle."""

    def products(self, folding: Folding, *inputs: TensorType) -> int:
        return folding.outputs * self.terms(folding)

    def schedule(self, folding: Folding, x: TensorType, frames: int) -> RowSchedule:
        """What the line buffer does in the first ``frames`` frames after reset."""
        windows, _ = self.output_size(*x.shape[:2])
        return row_schedule(
            rows=x.shape[0] + 2 * self.padding[0],
            windows=windows,
            kernel=self.window[0],
            stride=self.stride[0],
            write=(x.shape[1] + 2 * self.padding[1]) * (x.channels // folding.inputs),
            read=self.macs(x) // self.products(folding) // windows,
            frames=frames,
        )

    def memories(self, folding: Folding, *inputs: TensorType) -> list[Memory]:
        (x,) = inputs
        rows = self.window[0] + self.stride[0]
        words = rows * (x.shape[1] + 2 * self.padding[1]) * (x.channels // folding.inputs)
        line_buffer = Memory(folding.inputs * x.quantization.bits, words)
        return [line_buffer, *super().memories(folding, *inputs)]

    def cycles(self, folding: Folding, *inputs: TensorType) -> int:
        ends = self.schedule(folding, inputs[0], _STEADY_FRAMES).frame_ends
        return ends[-1] - ends[-2]

    def latency(self, folding: Folding, *inputs: TensorType) -> int:
        (x,) = inputs
        above, left = self.padding
        schedule = self.schedule(folding, x, 1)
        border = int(above > 0 or left > 0)  # the stage of the padding, where there is one
        # The first code enters that stage when the last border beat before it leaves.
        if left:
            first = schedule.row_starts[above] + left * (x.channels // folding.inputs)
        elif above:
            first = schedule.row_ends[above - 1]
        else:
            first = 0
        # A register slice stands between the window and the products.
        stages = border + 1 + dot_product_stages(self.terms(folding))
        return schedule.frame_ends[0] - first + stages

    def window_kernel(
        self, x: TensorType, folding: Folding, sizes: dict[str, int], weight: Rom
    ) -> Kernel:
        """Kernel with the geometry of the window, lanes, ``sizes`` and ``weight``."""
        h, w, c = x.shape
        geometry = {
            "height": h,
            "width": w,
            "in_channels": c,
            "kernel_height": self.window[0],
            "kernel_width": self.window[1],
            "stride_height": self.stride[0],
            "stride_width": self.stride[1],
            "pad_height": self.padding[0],
            "pad_width": self.padding[1],
            "in_lanes": folding.inputs,
            "out_lanes": folding.outputs,
        }
        return requantized_kernel(
            {**geometry, **sizes},
            {"operand_t": (x.quantization.bits, x.quantization.signed)},
            (
                weight,
                channel_rom("bias", self.bias, width_of(self.bias), folding.outputs),
                zero_point_rom(self.pad_value, folding.inputs, "pad"),
            ),
            self.accumulator(x),
            self.requantize,
            folding.outputs,
        )


class RowSchedule(NamedTuple):
    """Cycles after reset at which a line buffer begins or has ended something."""

    #: Begin of writing each row of the padded map.
    row_starts: list[int]
    #: End of writing it.
    row_ends: list[int]
    #: End of reading the last window of each frame.
    frame_ends: list[int]


def row_schedule(
    *, rows: int, windows: int, kernel: int, stride: int, write: int, read: int, frames: int
) -> RowSchedule:
    """What ``hyq_sliding_window`` does when its input always comes and its output is always taken.

    Its memory has ``kernel + stride`` rows. A row of windows is read once its last map row is
    complete; its end gives back ``stride`` rows, the frame's last end all that are left. Map rows
    below the last window take no memory.

    Args:
        rows: of the padded map.
        windows: rows of windows of a frame.
        kernel: height of a window.
        stride: from one row of windows to the next.
        write: cycles to write a map row.
        read: cycles to read a row of windows.
        frames: how many frames to follow.
    """
    row_starts: list[int] = []
    row_ends: list[int] = []
    frame_ends: list[int] = []
    given_back: list[int] = []  # when each row of the memory became free again
    writer = reader = stored = 0

    def write_row() -> None:
        nonlocal writer
        row_starts.append(writer)
        writer += write
        row_ends.append(writer)

    for _ in range(frames):
        for window in range(windows):
            for _ in range(kernel if window == 0 else stride):
                if stored >= kernel + stride:
                    writer = max(writer, given_back[stored - kernel - stride])
                write_row()
                stored += 1
            reader = max(reader, writer) + read
            given_back += [reader] * (stride if window < windows - 1 else kernel)
        frame_ends.append(reader)
        for _ in range(rows - (windows - 1) * stride - kernel):
            write_row()
    return RowSchedule(row_starts, row_ends, frame_ends)
