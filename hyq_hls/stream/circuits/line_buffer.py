"""The schedule of a line buffer: when it writes rows of a padded map and reads its windows.

That of the RTL is :func:`row_schedule`, that of the C++ :func:`tap_schedule`.
"""

from __future__ import annotations

from typing import NamedTuple

from hyq_hls.ops.window import Window
from hyq_hls.stream.circuits.process import PIPELINE_LATENCY


class RowSchedule(NamedTuple):
    """Cycles after reset at which a line buffer begins or has ended something.

    Attributes:
        row_starts: cycle at which the write of each row of the padded map begins.
        row_ends: cycle at which the write of each row has ended.
        frame_ends: cycle at which the read of the last window of each frame has ended.
    """

    row_starts: list[int]
    row_ends: list[int]
    frame_ends: list[int]


def row_schedule(
    *, rows: int, windows: int, kernel: int, stride: int, write: int, read: int, frames: int
) -> RowSchedule:
    """Compute the schedule of ``hyq_sliding_window`` without stalls.

    Its input always comes, and its output is always taken. Its memory has ``kernel + stride`` rows.
    A row of windows is read when its last map row is complete. The end of this read frees
    ``stride`` rows, and the end of a frame frees all rows that are left. Map rows below the last
    window take no memory.

    Args:
        rows: rows of the padded map.
        windows: rows of windows of a frame.
        kernel: height of a window.
        stride: map rows from one row of windows to the next.
        write: cycles to write a map row.
        read: cycles to read a row of windows.
        frames: number of frames to follow.
    """
    row_starts: list[int] = []
    row_ends: list[int] = []
    frame_ends: list[int] = []
    given_back: list[int] = []  # The list holds when each row of the memory became free again.
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


class TapSchedule(NamedTuple):
    """Iterations of the loop of the C++ (``tap_schedule`` in ``hls_templates/sliding_window.h``).

    Attributes:
        lead: iterations in front of the first tap.
        period: iterations of a row of windows. Taps and words begin with it.
        iterations: all iterations of a frame.
        distance: least number of iterations from the write of a word to its first read.
    """

    lead: int
    period: int
    iterations: int
    distance: int


def tap_schedule(
    operation: Window, height: int, width: int, beats: int, window_taps: int, kernel_row_taps: int
) -> TapSchedule:
    """Compute the schedule of the C++, which begins a frame with an empty line buffer.

    It writes a word of the map per iteration, with the border on the left and right. A row of
    windows begins as early as every word is there :data:`~.process.PIPELINE_LATENCY` iterations
    before its first read; where a map is too narrow for that, when all of its words were written.

    Args:
        operation: the window and how it moves.
        height: rows of the map.
        width: columns of the map.
        beats: words of a pixel.
        window_taps: iterations that read a window.
        kernel_row_taps: iterations that read one row of its kernel, at least.
    """
    rows, windows = operation.output_size(height, width)
    row_words = (width + 2 * operation.padding[1]) * beats
    first_rows = min(operation.extent[0] - operation.padding[0], height)
    first_words, next_words = first_rows * row_words, operation.stride[0] * row_words
    period = max(windows * window_taps, next_words)
    last_row = (operation.padding[0] + first_rows - 1) // operation.dilation[0]
    # Where windows are farther apart than their taps last, reads come closer to writes.
    closer = (windows - 1) * max(0, operation.stride[1] * beats - window_taps)
    slack = row_words - operation.extent[1] * beats + 1 + last_row * kernel_row_taps - closer
    early = min(max(0, slack - PIPELINE_LATENCY), first_words, period - next_words)
    lead = first_words - early
    return TapSchedule(lead, period, lead + rows * period, slack - early)
