"""The line buffer's schedule: the formula against the circuit told cycle by cycle."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.stream.circuits.line_buffer import row_schedule


def simulated_frame_ends(
    rows: int, windows: int, kernel: int, stride: int, write: int, read: int, frames: int
) -> list[int]:
    """``hyq_sliding_window`` cycle by cycle: its counters of rows, writes and reads."""
    stored = (windows - 1) * stride + kernel
    filled = written = y = done = window = cycle = 0
    ends: list[int] = []
    while len(ends) < frames:
        writes, reads = y >= stored or filled < kernel + stride, filled >= kernel
        cycle += 1
        if writes:
            written += 1
            if written == write:
                filled += y < stored
                written, y = 0, (y + 1) % rows
        if reads:
            done += 1
            if done == read:
                last = window == windows - 1
                filled -= kernel if last else stride
                done, window = 0, (window + 1) % windows
                if last:
                    ends.append(cycle)
    return ends


sizes = st.integers(1, 5)


@given(sizes, sizes, sizes, st.integers(0, 4), st.integers(1, 12), st.integers(1, 30))
def test_equals_the_circuit_and_repeats_itself(
    windows: int, kernel: int, stride: int, below: int, write: int, read: int
) -> None:
    rows = (windows - 1) * stride + kernel + below % stride
    ends = simulated_frame_ends(rows, windows, kernel, stride, write, read, 8)
    found = row_schedule(
        rows=rows,
        windows=windows,
        kernel=kernel,
        stride=stride,
        write=write,
        read=read,
        frames=8,
    )
    assert found.frame_ends == ends
    assert found.row_ends == [start + write for start in found.row_starts]
    # Convolution.cycles looks at the fourth frame after the third.
    periods = [after - before for before, after in pairwise(ends)]
    assert set(periods[2:]) == {periods[2]}


def test_reading_hides_writing() -> None:
    """Where windows take longer to read than rows to write, only a frame's start costs more."""
    found = row_schedule(rows=10, windows=8, kernel=3, stride=1, write=5, read=100, frames=3)
    # The frame's last windows leave room for one row of the next; two more are written after them.
    assert [after - before for before, after in pairwise(found.frame_ends)] == [8 * 100 + 2 * 5] * 2
