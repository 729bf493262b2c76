"""The sites that a memory takes, and the rule by which ``hyq_ram`` and ``hyq_rom`` choose."""

from __future__ import annotations

from hyq_hls.stream.arguments import Memory
from hyq_hls.tools.yosys import Utilization
from hyq_hls.tools.yosys import block_rams as ramb18

#: A memory lies in block RAM where logic would take more LUTs than this for each RAMB18, unless
#: its circuit says otherwise.
LUTS_PER_BLOCK = 160


def memory_utilization(memory: Memory) -> Utilization:
    """Return LUTs or halves of block RAMs of a memory, without its read register."""
    if memory.constant and memory.depth == 1:
        return Utilization()
    luts = memory_luts(memory)
    blocks = max(-(-memory.width // 36), -(-memory.width * memory.depth // 18432))
    limit = LUTS_PER_BLOCK if memory.luts_per_block is None else memory.luts_per_block
    if luts > limit * blocks:
        return Utilization(bram18=block_rams(memory))
    return Utilization(lut=0 if dissolves(memory) else luts)


def dissolves(memory: Memory) -> bool:
    """Return whether synthesis dissolves a memory in the logic around it.

    It does so with constants of few words, or of narrow words. All others stay whole.
    """
    few = memory.depth <= 32 or (memory.depth <= 64 and memory.width < 12)
    return memory.constant and memory.depth > 1 and few


def block_rams(memory: Memory) -> int:
    """Count the RAMB18 of a memory in block RAM."""
    return ramb18(memory.depth, memory.width, constant=memory.constant)


def memory_luts(memory: Memory) -> int:
    """Count the LUTs of a memory: one holds 64 constants, four hold 32 words of 6 bits."""
    if memory.constant:
        return memory.width * -(-memory.depth // 64)
    if memory.depth <= 32:
        return 4 * -(-memory.width // 6)
    return 4 * -(-memory.width // 3) * -(-memory.depth // 64)
