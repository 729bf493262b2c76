"""Constant memories as files for ``$readmemh``: one word per line, lane 0 in the lowest bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyq_hls.stream.arguments import RequantizeRom, Rom


def memory_text(rom: Rom | RequantizeRom) -> str:
    """Return the memory in hexadecimal."""
    bits, entries = _entries(rom)
    digits = -(-bits * rom.lanes // 4)
    words = (
        sum(entry << (lane * bits) for lane, entry in enumerate(word))
        for word in entries.reshape(-1, rom.lanes).tolist()
    )
    return "".join(f"{word:0{digits}x}\n" for word in words)


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


def _entries(rom: Rom | RequantizeRom) -> tuple[int, NDArray[np.object_]]:
    """Return the width of an entry, and the entries as non-negative integers."""
    if isinstance(rom, Rom):
        return rom.bits, _unsigned(rom.values.ravel(), rom.bits)
    total, entries = 0, np.zeros(rom.entries, dtype=object)
    for values, bits, _ in rom.columns:
        entries = entries + (_unsigned(values, bits) << total)
        total += bits
    return total, entries


def _unsigned(values: NDArray[np.int64], bits: int) -> NDArray[np.object_]:
    """Return the two's complement bits of integers that fit ``bits``, as Python integers."""
    mask = (1 << bits) - 1
    return np.array([value & mask for value in values.tolist()], dtype=object)
