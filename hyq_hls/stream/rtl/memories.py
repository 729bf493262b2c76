"""Constant memories as files for ``$readmemh``: one word per line, lane 0 in the lowest bits."""

from __future__ import annotations

from hyq_hls.stream.arguments import RequantizeRom, Rom


def memory_text(rom: Rom | RequantizeRom) -> str:
    """Return the memory in hexadecimal."""
    digits = -(-rom.bits * rom.lanes // 4)
    return "".join(f"{word:0{digits}x}\n" for word in memory_words(rom))


def memory_words(rom: Rom | RequantizeRom) -> list[int]:
    """Return the words of the memory, each with its lanes as one number."""
    mask = (1 << rom.bits) - 1
    return [
        sum((entry & mask) << (lane * rom.bits) for lane, entry in enumerate(word))
        for word in rom.stored.reshape(-1, rom.lanes).tolist()
    ]


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
