"""Row buffers: operations that need a result of a whole row before its first code can leave."""

from __future__ import annotations


def row_buffer_depth(beats: int, period: int, delay: int) -> int:
    """Words of a row buffer that let rows follow each other every ``period`` cycles.

    Args:
        beats: words of a row.
        period: cycles from row to row, ``beats`` or more.
        delay: cycles from a word's way into the buffer to its way out.
    """
    rows, rest = divmod(delay, period)  # a row comes in in the first `beats` cycles of a period
    return max(3, rows * beats + min(rest, beats))  # from 3 on, the FIFO is a memory
