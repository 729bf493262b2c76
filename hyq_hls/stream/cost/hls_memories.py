"""Place the memories of the HLS C++ by the rules of Vitis HLS and by our directives.

Left alone, Vitis HLS puts every memory of more than 1,024 bits into block RAM. Directives bind
constant memories and FIFOs to the place that the same memory has in the SystemVerilog. Arrays
inside a template are left to the tool, because a directive cannot depend on their size.
"""

from __future__ import annotations

from dataclasses import replace

from hyq_hls.stream.arguments import Memory, RequantizeRom, Rom
from hyq_hls.stream.cost.memories import block_rams, memory_utilization
from hyq_hls.stream.flow import OperationStage

#: A FIFO of at most this depth, or of at most this number of bits, is shift registers (UG1399,
#: ``config_storage``: ``auto_srl_max_depth`` and ``auto_srl_max_bits``).
_SHIFT_DEPTH, _SHIFT_BITS = 2, 1024
#: An array of fewer words is registers (UG1399, ``config_array_partition``:
#: ``complete_threshold``), and one of at most this number of bits lies in LUTs or registers.
_FEW_WORDS, _SMALL_ARRAY = 4, 1024


def array_bram18(array: Memory) -> int:
    """Return the block RAMs of an array inside a template."""
    return 0 if is_registers(array) or _is_small(array) else block_rams(array)


def inner_fifo_bram18(fifo: Memory) -> int:
    """Return the block RAMs of a FIFO inside a template; directives keep some in LUTs."""
    if is_shifted(fifo) or fifo.luts_per_block is not None:
        return 0
    return block_rams(fifo)


def fifo_bram18(fifo: Memory) -> int:
    """Return the block RAMs of a FIFO between two stages."""
    return 0 if is_shifted(fifo) else memory_utilization(fifo).bram18


def fifo_in_luts(fifo: Memory) -> bool:
    """Return whether a directive keeps a FIFO between two stages out of block RAM."""
    return not is_shifted(fifo) and fifo_bram18(fifo) == 0


def rom_memory(stage: OperationStage, rom: Rom | RequantizeRom) -> Memory:
    """Return a constant memory of a stage, with the place that its circuit gives it."""
    given = stage.arguments.constants.get("luts_per_block")
    return replace(rom.memory, luts_per_block=given)


def rom_place(memory: Memory) -> str:
    """Return the place to which a directive binds a constant memory: "lut" or "block".

    It is empty where the tool would choose that place by itself.
    """
    wanted = "block" if memory_utilization(memory).bram18 else "lut"
    chosen = "lut" if _is_small(memory) else "block"
    return "" if wanted == chosen else wanted


def _is_small(memory: Memory) -> bool:
    return memory.width * memory.depth <= _SMALL_ARRAY


def is_registers(array: Memory) -> bool:
    """Return whether an array inside a template has a register for each of its words."""
    return array.depth < _FEW_WORDS


def is_shifted(fifo: Memory) -> bool:
    """Return whether a FIFO is shift registers."""
    return fifo.depth <= _SHIFT_DEPTH or fifo.width * fifo.depth <= _SHIFT_BITS
