"""The resources of a product of two variables."""

from __future__ import annotations


def product_dsps(a_bits: int, b_bits: int) -> int:
    """Return the DSP48E1 slices of a signed product.

    Each slice multiplies 25 by 18 bits, with sign. Parts of a wider factor have no sign.
    """
    return max(1, -(-(a_bits - 1) // 24)) * max(1, -(-(b_bits - 1) // 17))
