"""The halves of block RAMs that a memory takes."""

from __future__ import annotations

#: Numbers of words of a RAMB18, and the width of a word in each shape. The widest has a port for
#: reads and one for writes; the others have two ports for both.
_SHAPES = [(512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)]


def block_rams(depth: int, width: int, *, constant: bool = False, two_readers: bool = False) -> int:
    """Count the RAMB18 of the best shape; words beyond its depth lie side by side in one row.

    In a row of 9 bits or more, a word that can be written takes whole bytes of 9 bits, which have a
    write enable each.

    Args:
        depth: words.
        width: bits of a word.
        constant: whether nothing writes it.
        two_readers: whether it is read at two addresses in a cycle.
    """

    def blocks(rows: int, bits_of_row: int) -> int:
        words = -(-depth // rows)
        apart = words > 1 and not constant and bits_of_row >= 9
        bits = 9 * -(-width // 9) if apart else width
        return -(-words * bits // bits_of_row)

    return min(blocks(*shape) for shape in _SHAPES[1 if two_readers else 0 :])
