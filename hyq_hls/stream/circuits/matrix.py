"""What operations that multiply by a matrix share: its foldings, its memory, its circuit's stages.

The circuit is ``hyq_dot_product``: every cycle it multiplies ``inputs`` operands by as many weights
of each of ``outputs`` rows. Where ``2 * weight bits + operand bits <= 24``, two rows share one
DSP48E1 per operand (``hyq_packed_product``); there it has half as many DSPs as multipliers.
"""

from __future__ import annotations

from hyq_hls.graph.operation import Codes
from hyq_hls.stream.arguments import Rom
from hyq_hls.stream.folding import Folding, divisors


def matrix_lanes(rows: int, columns: int) -> list[Folding]:
    """Foldings by any divisors of output channels (rows) and input channels (columns)."""
    return [Folding(o, i) for o in divisors(rows) for i in divisors(columns)]


def matrix_rom(weight: Codes, bits: int, folding: Folding) -> Rom:
    """Memory of a matrix (rows, columns): a word is what one cycle multiplies by.

    Words are ordered [group of rows][group of columns], the entries of a word [row][column].
    """
    rows, columns = weight.shape
    blocks = weight.reshape(
        rows // folding.outputs, folding.outputs, columns // folding.inputs, folding.inputs
    )
    lanes = folding.outputs * folding.inputs
    return Rom("weight", blocks.transpose(0, 2, 1, 3), bits, lanes=lanes)


def matrix_dsps(folding: Folding, weight_bits: int, operand_bits: int) -> int:
    """DSP48E1 slices for ``outputs * inputs`` products; two rows share a slice where they fit."""
    packed = 2 * weight_bits + operand_bits <= 24
    rows = -(-folding.outputs // 2) if packed else folding.outputs
    return rows * folding.inputs


def tree_stages(terms: int) -> int:
    """Register stages of a tree that adds or compares: one for every level, and one at least."""
    return max(1, (terms - 1).bit_length())


def dot_product_stages(terms: int) -> int:
    """Register stages of ``hyq_dot_product`` whose lanes add ``terms`` products per cycle.

    Weight memory, products (4), adder tree, accumulator, requantization (3).
    """
    return 1 + 4 + tree_stages(terms) + 1 + 3
