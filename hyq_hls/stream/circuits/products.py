"""What a product of two variables takes of a part."""

from __future__ import annotations


def product_dsps(a_bits: int, b_bits: int) -> int:
    """DSP48E1 slices of a signed product: each multiplies 25 by 18 bits, or parts without sign."""
    return max(1, -(-(a_bits - 1) // 24)) * max(1, -(-(b_bits - 1) // 17))
