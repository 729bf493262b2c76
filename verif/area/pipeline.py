"""The registers of a pipelined loop, by a schedule of its own.

Every operation starts as soon as its operands are there, as long as the cycle has time for it by
the table of delays of the schedule check; else in the next cycle.
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx

from verif.area.operators import is_wiring
from verif.area.values import Values
from verif.intervals.delays import KINDS, delays
from verif.intervals.ir import Instruction
from verif.intervals.loops import Loop
from verif.intervals.widths import Widths

#: Cycles of a product in a DSP slice, whose registers belong to the slice.
_PRODUCT_CYCLES = 3
#: A value that waits longer lies in shift registers: a LUT and two flip-flops per bit, as in the
#: tables of registers of public csynth reports.
_LONGEST_CHAIN = 2
#: Operations on bits that make no value of their own.
_MOVES = frozenset(
    ("zext", "sext", "trunc", "freeze", "shl", "lshr", "ashr", "and", "or", "add", "getelementptr")
)


class Pipeline:
    """One iteration of a loop, cut into cycles.

    Args:
        loop: a loop with PIPELINE.
        widths: widths of the values of its function.
        values: which of them need a circuit.
        mhz: the clock.

    Attributes:
        depth: cycles of an iteration.
        ff: flip-flops between its cycles, and one for each cycle that says whether it is busy.
        lut: LUTs of its shift registers.
    """

    def __init__(self, loop: Loop, widths: Widths, values: Values, mhz: float) -> None:
        self._loop, self._widths, self._values = loop, widths, values
        self._budget = delays().budget(mhz)
        self._starts: dict[Instruction, int] = {}
        #: Cycle and picosecond at which a value is there.
        self._ready: dict[Instruction, tuple[int, int]] = {}
        ordered = [i for i in in_order(loop) if values.is_circuit(i)]
        for instruction in ordered:
            self._place(instruction)
        self._read_late(ordered)
        self.depth = 1 + max((cycle for cycle, _ in self._ready.values()), default=0)
        self.lut, self.ff = 0, self.depth
        self._count(ordered)

    def _place(self, instruction: Instruction) -> None:
        """Find the first cycle in which an instruction can work."""
        known = [self._ready[o] for o in self._operands(instruction) if o in self._ready]
        cycle, start = max(known, default=(0, 0))
        latency, delay = self._latency(instruction), delays().of(instruction, self._widths)
        if self._is_state(instruction):
            delay = 0
        if not latency and start and start + delay > self._budget:
            cycle, start = cycle + 1, 0
        self._starts[instruction] = cycle
        if latency:
            # There are registers before a product, a division or the word of a memory.
            self._ready[instruction] = cycle + latency, delay if _is_load(instruction) else 0
        else:
            self._ready[instruction] = cycle, min(start + delay, self._budget)

    def _latency(self, instruction: Instruction) -> int:
        """Return the cycles of what has registers of its own."""
        if _is_load(instruction):
            return 1
        factors = instruction.operands if instruction.opcode == "mul" else []
        if factors and not any(self._values.is_constant(f) for f in factors):
            return _PRODUCT_CYCLES
        if KINDS.get(instruction.opcode) == "divide":
            return self._widths.bits(instruction.operands[0])
        return 0

    def _read_late(self, ordered: list[Instruction]) -> None:
        """Move loads to the cycle before their word is used: addresses are narrower than words."""
        first: dict[Instruction, int] = {}
        for instruction in reversed(ordered):
            used = first.get(instruction)
            if (
                _is_load(instruction)
                and used is not None
                and used - 1 > self._ready[instruction][0]
            ):
                self._starts[instruction] = used - 2
                self._ready[instruction] = used - 1, 0
            moves = self._moves(instruction)
            start = used if moves and used is not None else self._starts[instruction]
            for operand in self._operands(instruction):
                first[operand] = min(first.get(operand, start), start)

    def _count(self, ordered: list[Instruction]) -> None:
        """Count how long every value waits for the last operation that reads it."""
        last: dict[Instruction, int] = {}
        for instruction in reversed(ordered):
            moves = self._moves(instruction)
            read = last.get(instruction, 0) if moves else self._starts[instruction]
            for operand in self._operands(instruction):
                last[operand] = max(last.get(operand, 0), read)
            if KINDS.get(instruction.opcode) == "divide":
                # The remainder and the divisor of every step.
                divisor = self._widths.bits(instruction.operands[1])
                self.ff += 2 * divisor * self._latency(instruction)
            if moves or not instruction.width:
                continue
            width = self._widths.result(instruction)
            self._delay(width, last.get(instruction, 0) - self._ready[instruction][0])
            if self._is_state(instruction):
                self.ff += width

    def _delay(self, width: int, cycles: int) -> None:
        if cycles > _LONGEST_CHAIN:
            self.lut += width
        self.ff += width * max(0, min(cycles, _LONGEST_CHAIN))

    def _moves(self, instruction: Instruction) -> bool:
        moves = instruction.opcode in _MOVES and instruction.width != 1
        return moves and is_wiring(instruction, self._widths)

    def _is_state(self, instruction: Instruction) -> bool:
        """Return whether an instruction hands a value from one iteration to the next."""
        return instruction.opcode == "phi" and instruction.block == self._loop.header

    def _operands(self, instruction: Instruction) -> Iterator[Instruction]:
        """Yield what an instruction reads in its own iteration."""
        if self._is_state(instruction):
            return
        found = list(instruction.operands)
        if instruction.opcode == "phi":
            found += self._loop.conditions(instruction.block)
        for operand in map(self._values.one, found):
            if isinstance(operand, Instruction) and operand in self._ready:
                yield operand


def _is_load(instruction: Instruction) -> bool:
    return instruction.opcode == "load"


def in_order(loop: Loop) -> Iterator[Instruction]:
    """Yield the instructions of an iteration, operands first."""
    graph = loop.iteration.subgraph(loop.own_blocks)
    for block in nx.topological_sort(graph):
        yield from loop.function.blocks[block]
