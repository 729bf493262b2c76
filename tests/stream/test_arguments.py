"""Constant memories: nothing wraps on its way into the hardware."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.stream.arguments import Rom, Signed, TemplateArguments


@given(st.integers(1, 40), st.booleans())
def test_rom_takes_exactly_the_values_that_fit(bits: int, signed: bool) -> None:
    low = -(1 << (bits - 1)) if signed else 0
    high = low + (1 << bits) - 1
    rom = Rom("weight", np.array([low, high]), bits, signed)
    assert (rom.entries, rom.size_bits) == (2, 2 * bits)
    for value in (low - 1, high + 1):
        with pytest.raises(GraphError, match=rf"memory weight: values .* do not fit {bits} bits"):
            Rom("weight", np.array([0, value]), bits, signed)


def test_rom_takes_integers_only() -> None:
    with pytest.raises(GraphError, match="memory weight: integers are wanted, found float64"):
        Rom("weight", np.array([0.6]), 8)


def test_a_negative_constant_is_declared_as_signed() -> None:
    """C++ would read an unsigned -1 as 4294967295."""
    assert TemplateArguments({"words": 7, "code_min": Signed(-128)}).constants["code_min"] == -128
    with pytest.raises(GraphError, match=r"constant code_min: .*found -128; declare it as Signed"):
        TemplateArguments({"words": 7, "code_min": -128})
