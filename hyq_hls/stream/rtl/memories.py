"""Constant memories as files for ``$readmemh``: one word per line, lane 0 in the lowest bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyq_hls.stream.arguments import RequantizeRom, Rom

_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


def memory_text(rom: Rom | RequantizeRom) -> str:
    """Return the memory in hexadecimal."""
    bits = memory_bits(rom)
    words, width = bits.shape
    padded = np.pad(bits, ((0, 0), (-width % 4, 0))).reshape(words, -1, 4)
    digits = np.packbits(padded, axis=-1)[..., 0] >> 4
    lines = np.pad(_DIGITS[digits], ((0, 0), (0, 1)), constant_values=ord("\n"))
    return lines.tobytes().decode("ascii")


def memory_bits(rom: Rom | RequantizeRom) -> NDArray[np.uint8]:
    """Return the bits of every word of the memory, the highest first, uint8 (words, width)."""
    last_lane_first = rom.stored.reshape(-1, rom.lanes)[:, ::-1]
    bits = np.empty((*last_lane_first.shape, rom.bits), np.uint8)
    for bit in range(rom.bits):
        bits[..., rom.bits - 1 - bit] = (last_lane_first >> bit) & 1
    return bits.reshape(len(bits), -1)


def memory_shape(rom: Rom | RequantizeRom) -> dict[str, int]:
    """Return the members of ``hyq_pkg::rom_t`` or ``hyq_pkg::requantize_t`` for the memory."""
    shape = {"entries": rom.entries, "lanes": rom.lanes}
    if isinstance(rom, Rom):
        return {**shape, "bits": rom.bits}
    (_, zero_point, _), (_, shift, _), (_, multiplier, _) = rom.columns
    return {
        **shape,
        "left": rom.left,
        "base": rom.base,
        "shift_bits": shift,
        "multiplier_bits": multiplier,
        "zero_point_bits": zero_point,
    }
