"""The loop of the C++ line buffer told iteration by iteration, for any order of taps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from hyq_hls.graph import Quantization
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import DepthwiseConv2d
from hyq_hls.ops.window import Window
from hyq_hls.stream.circuits.line_buffer import TapSchedule, tap_schedule


@dataclass(frozen=True)
class Taps:
    """A map, a window, and the order in which windows are read.

    A window is read group by group, ``times`` times each; a group has ``run`` words of a pixel.
    """

    height: int
    width: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    times: int
    run: int

    @property
    def operation(self) -> Window:
        requantize = Requantize(Quantization(8, True), np.array([1]), np.array([1]))
        weight, bias = np.zeros((1, *self.kernel), int), np.zeros(1, int)
        border = (0,)
        return DepthwiseConv2d(
            weight, 8, bias, self.stride, self.padding, border, requantize, dilation=self.dilation
        )

    @property
    def beats(self) -> int:
        return self.groups * self.run

    @property
    def schedule(self) -> TapSchedule:
        row = self.kernel[1] * self.run
        taps = self.groups * self.times * self.kernel[0] * row
        return tap_schedule(self.operation, self.height, self.width, self.beats, taps, row)

    @property
    def row_words(self) -> int:
        return (self.width + 2 * self.padding[1]) * self.beats

    def reads(self) -> Iterator[tuple[int, int]]:
        """Yield the iteration and the word of every tap; words of rows that are not stored too."""
        rows, windows = self.operation.output_size(self.height, self.width)
        schedule, step, beats = self.schedule, self.stride[1] * self.beats, self.beats
        order = product(*map(range, (windows, self.groups, self.times, *self.kernel, self.run)))
        taps = [(row, x * step + g * self.run + c * self.dilation[1] * beats + b)
                for x, g, _, row, c, b in order]  # fmt: skip
        assert len(taps) <= schedule.period
        for y in range(rows):
            first = schedule.lead + y * schedule.period
            top = y * self.stride[0] - self.padding[0]
            for i, (row, word) in enumerate(taps):
                yield first + i, (top + row * self.dilation[0]) * self.row_words + word

    def writes(self) -> list[int]:
        """Return the iteration that writes each word of the map with its border at the sides."""
        rows, _ = self.operation.output_size(self.height, self.width)
        schedule, next_words = self.schedule, self.stride[0] * self.row_words
        stored = min(self.operation.extent[0] - self.padding[0], self.height) * self.row_words
        times = [*range(stored + next_words)]
        for y in range(1, rows):
            first = schedule.lead + y * schedule.period
            times += range(first, first + next_words)
        assert times == sorted(set(times)), "one word per iteration"
        return times[: self.height * self.row_words]

    def is_inside(self, word: int) -> bool:
        """Return whether a stored word is none of the border."""
        return 0 <= word % self.row_words - self.padding[1] * self.beats < self.width * self.beats


def random_taps(rng: np.random.Generator) -> Taps:
    """Return taps of a small map; every second one is as small as its window allows."""

    def draw(most: int) -> int:
        return int(rng.integers(1, most + 1))

    kernel, dilation = (draw(4), draw(4)), (draw(2), draw(2))
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    height_pad, width_pad = (int(rng.integers(0, e + 1)) for e in extent)
    spare = (int(rng.integers(0, 2)) * int(rng.integers(0, most)) for most in (6, 24))
    height, width = (
        max(1, e - 2 * p) + more
        for e, p, more in zip(extent, (height_pad, width_pad), spare, strict=True)
    )
    stride = draw(min(4, height + 2 * height_pad)), draw(min(4, width + 2 * width_pad))
    shape = (draw(3), draw(3), draw(4))
    return Taps(height, width, kernel, stride, (height_pad, width_pad), dilation, *shape)
