"""The cycles of a pipelined loop, by a schedule of its own.

Every operation starts as soon as its operands are there, as long as the cycle has time for it by
the table of delays of the schedule check; else in the next cycle.
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx

from verif.area.values import Values
from verif.intervals.delays import KINDS, delays
from verif.intervals.ir import Instruction
from verif.intervals.loops import Loop
from verif.intervals.widths import Widths

#: Cycles of a product in a DSP slice, whose registers belong to the slice.
_PRODUCT_CYCLES = 3
#: Operations on bits that make no value of their own.
_MOVES = frozenset(
    ("zext", "sext", "trunc", "freeze", "shl", "lshr", "ashr", "and", "or", "add", "getelementptr")
)


class Pipeline:
    """One iteration of a loop, cut into cycles.

    A loop without PIPELINE has a single cycle: it only counts what an inner loop does.

    Args:
        loop: the loop.
        widths: widths of the values of its function.
        values: which of them need a circuit.
        mhz: the clock.

    Attributes:
        loop: the loop.
        ordered: its instructions that need a circuit, operands first.
        depth: cycles of an iteration.
    """

    def __init__(self, loop: Loop, widths: Widths, values: Values, mhz: float) -> None:
        self.loop, self._widths, self._values = loop, widths, values
        self._is_cut = loop.interval is not None
        self._budget = delays().budget(mhz)
        self._starts: dict[Instruction, int] = {}
        #: Cycle and picosecond at which a value is there.
        self._ready: dict[Instruction, tuple[int, int]] = {}
        self.ordered = [i for i in _in_order(loop) if values.is_circuit(i)]
        #: The first cycle that an operation may start in.
        self._floor: dict[Instruction, int] = {}
        self._place_all()
        self._join_recurrences()
        self._place_all()
        self._read_late()
        self.depth = 1 + max((cycle for cycle, _ in self._ready.values()), default=0)

    def start(self, instruction: Instruction) -> int:
        """Return the cycle in which an instruction takes its operands."""
        return self._starts[instruction]

    def ready(self, instruction: Instruction) -> int:
        """Return the cycle from which on its result is there."""
        return self._ready[instruction][0]

    def is_move(self, instruction: Instruction) -> bool:
        """Return whether an instruction only takes bits of other values."""
        moves = instruction.opcode in _MOVES and instruction.width != 1
        return moves and is_wiring(instruction, self._widths)

    def is_state(self, instruction: Instruction) -> bool:
        """Return whether an instruction hands a value from one iteration to the next."""
        return instruction.opcode == "phi" and instruction.block == self.loop.header

    def _place_all(self) -> None:
        self._starts.clear()
        self._ready.clear()
        for instruction in self.ordered:
            self._place(instruction)

    def _join_recurrences(self) -> None:
        """Let the operations from a state to its next value wait for the last one of them.

        An iteration starts in every cycle, so the next one reads the state a cycle later.
        """
        graph = nx.DiGraph()
        for instruction in self.ordered:
            found = instruction.operands if self.is_state(instruction) else ()
            before = [self._values.one(o) for o in found]
            for operand in (*before, *self._operands(instruction)):
                graph.add_edge(operand, instruction)
        for recurrence in nx.strongly_connected_components(graph):
            if len(recurrence) > 1:
                last = max(self._starts[i] for i in recurrence)
                self._floor.update(dict.fromkeys(recurrence, last))

    def _place(self, instruction: Instruction) -> None:
        """Find the first cycle in which an instruction can work."""
        known = [self._ready[o] for o in self._operands(instruction) if o in self._ready]
        known.append((self._floor.get(instruction, 0), 0))
        cycle, start = max(known)
        latency, delay = self._latency(instruction), delays().of(instruction, self._widths)
        if self.is_state(instruction):
            delay = 0
        if self._is_cut and not latency and start and start + delay > self._budget:
            cycle, start = cycle + 1, 0
        self._starts[instruction] = cycle
        if latency:
            # There are registers before a product, a division or the word of a memory.
            self._ready[instruction] = cycle + latency, delay if _is_load(instruction) else 0
        else:
            self._ready[instruction] = cycle, min(start + delay, self._budget)

    def _latency(self, instruction: Instruction) -> int:
        """Return the cycles of what has registers of its own."""
        if not self._is_cut:
            return 0
        if _is_load(instruction):
            return 1
        if self._values.is_product(instruction):
            return _PRODUCT_CYCLES
        if KINDS.get(instruction.opcode) == "divide":
            return self._widths.bits(instruction.operands[0])
        return 0

    def _read_late(self) -> None:
        """Move loads, and what an iteration hands on, to the cycle before their first use.

        Addresses are narrower than words, and a sum waits in its register for the next term.
        """
        first: dict[Instruction, int] = {}
        for instruction in reversed(self.ordered):
            used = first.get(instruction)
            if used is not None and self.is_state(instruction):
                self._starts[instruction] = used
                self._ready[instruction] = used, 0
            elif used is not None and _is_load(instruction) and used > self.ready(instruction) + 1:
                self._starts[instruction] = used - 2
                self._ready[instruction] = used - 1, 0
            moves = self.is_move(instruction)
            start = used if moves and used is not None else self._starts[instruction]
            for operand in self._operands(instruction):
                first[operand] = min(first.get(operand, start), start)

    def _operands(self, instruction: Instruction) -> Iterator[Instruction]:
        """Yield what an instruction reads in its own iteration."""
        if self.is_state(instruction):
            return
        found = list(instruction.operands)
        if instruction.opcode == "phi":
            found += self.loop.conditions(instruction.block)
        for operand in map(self._values.one, found):
            if isinstance(operand, Instruction) and operand in self._ready:
                yield operand


def is_wiring(instruction: Instruction, widths: Widths) -> bool:
    """Return whether an operation moves bits and has no logic."""
    return delays().of(instruction, widths) == 0


def _is_load(instruction: Instruction) -> bool:
    return instruction.opcode == "load"


def _in_order(loop: Loop) -> Iterator[Instruction]:
    """Return the instructions of an iteration, operands first.

    The order is that in which :class:`Values` finds equal operations: the first of them may stand
    in another branch than its reader.
    """
    return (i for i in loop.function.in_order() if i.block in loop.own_blocks)
