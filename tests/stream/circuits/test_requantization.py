"""The end of most circuits: entries of a requantization as a memory, and its widths."""

from __future__ import annotations

import numpy as np

from hyq_hls.graph import Bounds, Quantization
from hyq_hls.graph.requantize import Requantize
from hyq_hls.stream.circuits.requantization import requantize_rom, requantized_arguments

BYTE = Quantization(8, False)
INT8 = Quantization(8, True)


def test_rom_has_a_multiplier_only_when_one_is_needed() -> None:
    shifts = requantize_rom(Requantize(BYTE, np.array([1, 2]), np.array([1])), 1)
    assert shifts.multiplier is None
    assert (shifts.entries, shifts.size_bits) == (2, 4)
    q = Quantization(8, False, zero_point=(1, 2, 3))
    dyadic = requantize_rom(Requantize(q, np.array([1]), np.array([3])), 1)
    assert (dyadic.entries, dyadic.size_bits) == (3, 15)


def test_fields_of_an_entry_stand_side_by_side() -> None:
    """Zero point in two's complement, then what the shift exceeds the smallest by, then factor."""
    q = Quantization(8, True, zero_point=(-3, 2))
    rom = requantize_rom(Requantize(q, np.array([5, 8]), np.array([9, 4])), 2)
    assert [bits for _, bits, _ in rom.columns] == [3, 2, 4]
    assert rom.stored.tolist() == [0b1001_00_101, 0b0100_11_010]
    assert (rom.bits, rom.base, rom.left) == (9, 5, 0)


def test_kernel_carries_types_and_range() -> None:
    r = Requantize(INT8, np.array([4]), np.array([1]))
    arguments = requantized_arguments({"words": 7}, {}, (), Bounds(-100, 100), r, 1)
    assert arguments.constants == {"words": 7, "code_min": -128, "code_max": 127}
    assert arguments.integers == {"accumulator_t": (8, True), "scaled_t": (9, True)}
    assert [rom.name for rom in arguments.roms] == ["requantize"]
