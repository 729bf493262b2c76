"""The common part of operations that multiply by a matrix: foldings, memory, stages.

Their circuit is ``hyq_dot_product``. Every cycle it multiplies ``inputs`` operands by the same
number of weights of each of ``outputs`` rows. Where ``2 * weight bits + operand bits <= 24``, two
rows share one DSP48E1 per operand (``hyq_packed_product``), and there are half as many DSPs as
multipliers. So do two rows in the C++ (``product_pair.h``).
"""

from __future__ import annotations

from hyq_hls.graph.operation import Codes
from hyq_hls.stream.arguments import Rom
from hyq_hls.stream.folding import Folding, divisors


def matrix_lanes(rows: int, columns: int) -> list[Folding]:
    """Return the foldings by any divisors of output channels and input channels.

    These are the rows and the columns of the matrix.
    """
    return [Folding(o, i) for o in divisors(rows) for i in divisors(columns)]


def matrix_rom(weight: Codes, bits: int, folding: Folding) -> Rom:
    """Return the memory of a matrix (rows, columns). A word holds the weights of one cycle.

    Words are ordered [group of rows][group of columns], the entries of a word [row][column].
    """
    rows, columns = weight.shape
    blocks = weight.reshape(
        rows // folding.outputs, folding.outputs, columns // folding.inputs, folding.inputs
    )
    lanes = folding.outputs * folding.inputs
    return Rom("weight", blocks.transpose(0, 2, 1, 3), bits, lanes=lanes)


def matrix_dsps(folding: Folding, weight_bits: int, operand_bits: int) -> int:
    """Return the DSP48E1 slices for ``outputs * inputs`` products.

    Two rows share a slice where they fit.
    """
    packed = pair_shift(weight_bits, operand_bits) > 0
    rows = -(-folding.outputs // 2) if packed else folding.outputs
    return rows * folding.inputs


def pair_shift(weight_bits: int, operand_bits: int) -> int:
    """Return the bits of a product where two products share a slice; 0 where they do not fit.

    One weight is shifted by these bits and added to the other.
    """
    product = weight_bits + operand_bits
    return product if product + weight_bits <= 24 else 0


def tree_stages(terms: int) -> int:
    """Return the register stages of a tree that adds or compares.

    There is one stage for every level, and at least one.
    """
    return max(1, (terms - 1).bit_length())


def dot_product_stages(terms: int) -> int:
    """Return the register stages of ``hyq_dot_product``, which adds ``terms`` products per cycle.

    They are: weight memory, products (4), adder tree, accumulator, requantization (3).
    """
    return 1 + 4 + tree_stages(terms) + 1 + 3
