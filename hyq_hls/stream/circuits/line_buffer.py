"""The schedule of a line buffer: when it writes rows of a padded map and reads its windows."""

from __future__ import annotations

from typing import NamedTuple


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
