"""Bounds: the width that holds them, and their union."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.graph import Bounds


@given(st.integers(-(1 << 70), 1 << 70), st.integers(0, 1 << 70))
def test_bits_are_the_smallest_width_that_holds_both_ends(low: int, extent: int) -> None:
    bounds = Bounds(low, low + extent)

    def holds(width: int) -> bool:
        return -(1 << (width - 1)) <= bounds.low and bounds.high < 1 << (width - 1)

    assert holds(bounds.bits)
    assert bounds.bits == 1 or not holds(bounds.bits - 1)


def test_union_of_bounds() -> None:
    assert Bounds(-3, 5) | Bounds(-1, 9) == Bounds(-3, 9)
