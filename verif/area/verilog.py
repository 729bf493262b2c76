"""The loops of C++ as Verilog, so that Yosys can map them.

The Verilog has what an HLS compiler makes of a loop: operators of exact widths, registers between
its cycles, its state, and the enable that stops the whole pipeline while a stream cannot go on.
Memories, FIFOs and DSP slices are ports, because rules count them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from verif.area.netlist import Netlist
from verif.area.operation import Operands, operation
from verif.area.pipeline import Pipeline, is_wiring
from verif.area.values import Values
from verif.intervals.delays import KINDS
from verif.intervals.dependences import counters
from verif.intervals.ir import UNDEFINED, Constant, Instruction, Module, Value
from verif.intervals.loops import find_loops
from verif.intervals.widths import Widths

#: Calls that wait for a stream.
_TRANSFERS = ("hyq_read", "hyq_write")
#: Parts of the names of the calls for one lane of a word, which is read or written.
_LANE, _PUT = "schedule4lane", "schedule3put"
#: A pre-adder of a DSP slice takes so many bits (UG479).
_PRE_ADDER = 25


def verilog(module: Module, symbol: str, name: str, mhz: float) -> str:
    """Return the loops of a function, and of all that it calls, as one module.

    Args:
        module: a C++ file as LLVM IR.
        symbol: the name of the function for the linker.
        name: name of the module.
        mhz: the clock that the pipelines are made for.

    Raises:
        ValueError: an operation has no Verilog, or a function that is no process has logic: it
            must be inlined, so that it is a part of a loop.
    """
    netlist, bodies = Netlist(), {function.symbol: function for function in module.functions}
    waiting = [symbol]
    while waiting:
        function = bodies[waiting.pop()]
        loops = find_loops(function)
        widths = Widths(function.instructions(), counters(loops))
        values = Values(function.in_order(), module)
        if not loops and not all(is_wiring(i, widths) for i in function.instructions()):
            raise ValueError(f"{function.name} is called in a loop; declare it as inline")
        for loop in loops:
            _LoopWriter(netlist, Pipeline(loop, widths, values, mhz), widths, values).write()
        waiting += [i.callee for i in function.instructions() if i.callee in bodies]
    return netlist.text(name)


def _is_exact_shift(value: Instruction) -> bool:
    """Return whether an operation shifts by a constant, and to the right only what is zero.

    LLVM writes the sign of a narrow integer so.
    """
    moved = value.opcode == "shl" or (value.opcode == "ashr" and "ashr exact" in value.text)
    return moved and isinstance(value.operands[1], Constant)


class _LoopWriter:
    """Writes one loop, from what leaves it back to where that comes from."""

    def __init__(
        self, netlist: Netlist, pipeline: Pipeline, widths: Widths, values: Values
    ) -> None:
        self._netlist, self._pipeline = netlist, pipeline
        self._widths, self._values = widths, values
        self._loop = pipeline.loop
        self._inside = set(pipeline.ordered)
        #: Signals by value and by the cycles that they wait, or by the cycle that they are made in.
        self._made: dict[tuple[Value, int], str] = {}
        self._begins = netlist.input(1)
        self._enable = netlist.undriven(1)
        self._busy = [netlist.input(1)]
        for _ in range(1, pipeline.depth):
            self._busy.append(netlist.register(1))
            netlist.store(self._busy[-1], (self._enable, self._busy[-2]))

    def write(self) -> None:
        """Write stores, transfers, what other loops read, and the end of the loop."""
        stalls = ["1'b0"]
        for i in self._pipeline.ordered:
            cycle = self._pipeline.start(i)
            if i.callee in _TRANSFERS:
                stopped = f"{self._when(i.block, cycle)} & {self._netlist.input(1)}"
                stalls.append(stopped)
                self._netlist.output(1, f"{self._enable} & {self._when(i.block, cycle)}")
            elif _PUT in i.callee:
                self._output(i.operands[1], cycle)
            elif i.opcode == "store":
                self._netlist.output(1, f"{self._enable} & {self._when(i.block, cycle)}")
                self._output(i.operands[0], cycle)
                self._address(i.operands[1], cycle)
            elif i.opcode in ("br", "switch") and i.operands and self._leaves(i):
                self._output(i.operands[0], cycle)
            elif i.width and self._is_read_outside(i):
                self._output(i, self._pipeline.ready(i))
        self._netlist.drive(self._enable, f"~({' | '.join(stalls)})")

    def _leaves(self, branch: Instruction) -> bool:
        targets = self._loop.function.successors[branch.block]
        return any(t not in self._loop.blocks or t == self._loop.header for t in targets)

    def _is_read_outside(self, instruction: Instruction) -> bool:
        return any(r not in self._inside for r in self._values.readers(instruction))

    def _output(self, value: Value, cycle: int) -> None:
        width = self._widths.bits(value)
        self._netlist.output(width, self._bits(value, cycle, width))

    def _address(self, pointer: Value, cycle: int) -> None:
        """Let the indices of an address leave; they are those of memories and of their words."""
        while isinstance(pointer, Instruction) and pointer.opcode == "getelementptr":
            for index in pointer.operands[1:]:
                if not self._values.is_constant(index):
                    self._output(index, cycle)
            pointer = pointer.operands[0]

    def _bits(self, value: Value, cycle: int, width: int) -> str:
        """Return the lowest ``width`` bits of a value, as it is needed in a cycle."""
        value = self._values.one(value)
        if value is UNDEFINED:
            return f"{width}'bx"
        if isinstance(value, Constant):
            return f"{width}'d{value.value & ((1 << width) - 1)}"
        has, signed = self._widths.bits(value), self._widths.is_signed(value)
        name = self._signal(value, cycle)
        if width <= has:
            return f"{name}[{width - 1}:0]"
        filling = f"{name}[{has - 1}]" if signed else "1'b0"
        return f"{{{{{width - has}{{{filling}}}}}, {name}}}"

    def _signal(self, value: Value, cycle: int) -> str:
        """Return the signal that has a value in a cycle."""
        if not isinstance(value, Instruction) or value not in self._inside:
            return self._kept(value, 0, lambda: self._netlist.input(self._widths.bits(value)))
        if self._pipeline.is_move(value):
            return self._kept(value, cycle, lambda: self._computed(value, cycle))
        waits = max(0, cycle - self._pipeline.ready(value))
        if waits:
            return self._kept(value, waits, lambda: self._delayed(value, cycle - 1))
        return self._kept(value, 0, lambda: self._made_by(value))

    def _kept(self, value: Value, number: int, make: Callable[[], str]) -> str:
        key = value, number
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _delayed(self, value: Instruction, cycle: int) -> str:
        register = self._netlist.register(self._widths.bits(value))
        self._netlist.store(register, (self._enable, self._signal(value, cycle)))
        return register

    def _made_by(self, value: Instruction) -> str:
        """Return the signal of a result, where it is made."""
        cycle, width = self._pipeline.start(value), self._widths.bits(value)
        if self._pipeline.is_state(value):
            return self._state(value)
        if value.opcode == "load":
            self._address(value.operands[0], cycle)
            return self._netlist.input(width)
        if _LANE in value.callee:
            return self._netlist.input(width)
        if product := self._in_slice(value):
            for factor in product.operands:
                self._factor(factor, self._pipeline.start(product))
            return self._netlist.input(width)
        if KINDS.get(value.opcode) == "divide":
            return self._quotient(value, cycle)
        return self._computed(value, cycle)

    def _computed(self, value: Instruction, cycle: int) -> str:
        text = self._choice(value, cycle) if value.opcode == "phi" else ""
        found = Operands(value, self._widths, lambda o, width: self._bits(o, cycle, width))
        return self._netlist.wire(self._widths.bits(value), text or operation(found))

    # What an iteration hands to the next

    def _state(self, phi: Instruction) -> str:
        """Return the register of a state, or a port where an inner loop has the register."""
        width, cycle = self._widths.bits(phi), self._pipeline.ready(phi)
        if any(self._hands_over(phi, inner.header) for inner in self._loop.inner):
            return self._netlist.input(width)
        register = self._made[phi, 0] = self._netlist.register(width)
        pairs = list(zip(phi.operands, phi.incoming, strict=True))
        following = [value for value, block in pairs if block in self._loop.blocks]
        before = [value for value, block in pairs if block not in self._loop.blocks]
        cases = []
        # A value of another loop is chosen by a multiplexer, a constant by the reset.
        starts = [v for v in self._origins(before) if v is not UNDEFINED]
        starts.sort(key=self._values.is_constant)
        if starts:
            cases.append((self._begins, self._bits(starts[0], cycle, width)))
        goes_on = f"{self._enable} & {self._busy[min(cycle, len(self._busy) - 1)]}"
        cases.append((goes_on, self._bits(following[0], cycle, width)))
        self._netlist.store(register, *cases)
        return register

    def _hands_over(self, phi: Instruction, header: str) -> bool:
        inner = (i for i in self._loop.function.blocks[header] if i.opcode == "phi")
        return any(phi in i.operands for i in inner)

    def _origins(self, values: Iterable[Value]) -> list[Value]:
        """Return where the first value of a state comes from, through the phis of outer loops."""
        found: list[Value] = []
        waiting, seen = list(values), set[Value]()
        while waiting:
            value = waiting.pop()
            if value in seen:
                continue
            seen.add(value)
            if not isinstance(value, Instruction) or value.opcode != "phi":
                found.append(value)
            elif value.block not in self._loop.blocks:
                waiting += value.operands
        return [v for v in found if v not in self._inside]

    # Conditions

    def _when(self, block: str, cycle: int) -> str:
        """Return the condition under which an iteration that is busy comes to a block."""
        return f"{self._busy[cycle]} & {self._condition(block, self._loop.header, cycle)}"

    def _condition(self, block: str, above: str, cycle: int) -> str:
        """Return the condition under which control comes from one block to another."""
        if block == above:
            return "1'b1"
        closest = self._loop.dominators[block]
        if self._always_follows(block, closest):
            return self._condition(closest, above, cycle)
        edges = (self._edge(b, block, above, cycle) for b in self._sources(block))
        return f"({' | '.join(edges)})"

    def _sources(self, block: str) -> list[str]:
        return [b for b in self._loop.iteration.predecessors(block) if b in self._loop.blocks]

    def _always_follows(self, block: str, other: str) -> bool:
        after = self._loop.post_dominators
        while other in after and after[other] != other:
            other = after[other]
            if other == block:
                return True
        return False

    def _edge(self, source: str, target: str, above: str, cycle: int) -> str:
        """Return the condition under which control comes from one block to the next one."""
        condition = self._condition(source, above, cycle)
        branch, targets = (
            self._loop.function.blocks[source][-1],
            self._loop.function.successors[source],
        )
        if len(set(targets)) < 2:
            return condition
        chooses, *cases = branch.operands
        if not cases:
            # LLVM keeps the block for "false" first.
            taken = self._bits(chooses, cycle, 1)
            return f"({condition} & {'~' if targets[0] == target else ''}{taken})"
        width = max(self._widths.bits(value) for value in (chooses, *cases))
        tests = [
            f"({self._bits(chooses, cycle, width)} == {self._bits(case, cycle, width)})"
            for case, block in zip(cases, targets[1:], strict=True)
            if (block == target) != (targets[0] == target)
        ]
        text = " | ".join(tests) or "1'b0"
        return f"({condition} & {'~' if targets[0] == target else ''}({text}))"

    def _choice(self, phi: Instruction, cycle: int) -> str:
        """Return a phi behind branches: the value of the branch that was taken."""
        width, above = self._widths.bits(phi), self._loop.dominators[phi.block]
        *first, last = zip(phi.operands, phi.incoming, strict=True)
        text = self._bits(last[0], cycle, width)
        for value, block in reversed(first):
            condition = self._edge(block, phi.block, above, cycle)
            text = f"{condition} ? {self._bits(value, cycle, width)} : ({text})"
        return text

    # DSP slices and dividers

    def _in_slice(self, value: Instruction) -> Instruction | None:
        """Return the product that a DSP slice makes, if this is it or it plus a constant.

        Vitis HLS matches such sums (UG1399, DSP multi-operation matching: MULADD).
        """
        if self._values.is_product(value):
            return value
        if value.opcode == "add" and any(map(self._values.is_constant, value.operands)):
            for operand in value.operands:
                product = self._through_moves(operand)
                if product is not None and self._values.is_product(product):
                    return product
        return None

    def _through_moves(self, value: Value) -> Instruction | None:
        """Return the operation behind moves of all bits, if nothing else reads it."""
        value = self._values.one(value)
        while isinstance(value, Instruction) and len(self._values.readers(value)) == 1:
            if value.opcode not in ("sext", "zext", "trunc") and not _is_exact_shift(value):
                return value
            value = self._values.one(value.operands[0])
        return None

    def _factor(self, value: Value, cycle: int) -> None:
        """Let a factor leave; a sum that only the product reads is made in its slice (AMA)."""
        total = self._through_moves(value)
        is_sum = total is not None and total.opcode in ("add", "sub") and total in self._inside
        if total is not None and is_sum and self._widths.result(total) <= _PRE_ADDER:
            for operand in total.operands:
                self._output(operand, cycle)
        else:
            self._output(value, cycle)

    def _quotient(self, value: Instruction, cycle: int) -> str:
        """Return the result of a restoring divider, which makes a bit per cycle."""
        dividend, divisor = value.operands
        steps, width = self._widths.bits(dividend), self._widths.bits(divisor)
        left, by = self._bits(dividend, cycle, steps), self._bits(divisor, cycle, width)
        rest = f"{width + 1}'d0"
        for _ in range(steps):
            left = self._netlist.wire(steps, left)
            moved = self._netlist.wire(width + 1, f"({rest} << 1) | {left}[{steps - 1}]")
            less = self._netlist.wire(width + 1, f"{moved} - {by}")
            names = [self._netlist.register(w) for w in (width + 1, steps, width)]
            chosen = f"{less}[{width}] ? {moved} : {less}"
            found = f"{{{left}, ~{less}[{width}]}}"
            for name, text in zip(names, (chosen, found, by), strict=True):
                self._netlist.store(name, (self._enable, text))
            rest, left, by = names
        return self._netlist.wire(self._widths.bits(value), left)
