"""Row buffers, for operations that need a result of a whole row before its first code can leave."""

from __future__ import annotations


def row_buffer_depth(beats: int, period: int, delay: int) -> int:
    """Return the words of a row buffer that lets rows follow each other every ``period`` cycles.

    Args:
        beats: words of a row.
        period: cycles from row to row, at least ``beats``.
        delay: cycles from the entry of a word into the buffer to its exit.
    """
    rows, rest = divmod(delay, period)  # A row enters at the start of a period.
    return max(3, rows * beats + min(rest, beats))  # From 3 words on, the FIFO is a memory.
