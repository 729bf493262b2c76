"""The values of a function that need a circuit: equal ones are one, and constants need none."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from verif.intervals.addresses import address_of
from verif.intervals.ir import UNDEFINED, Constant, Instruction, Module, Value

#: Operations that do something, or whose result depends on more than their operands.
_UNIQUE = frozenset({"call", "store", "phi", "br", "switch", "ret", "alloca"})


class Values:
    """What synthesis makes one, and what it knows in advance.

    clang copies an operation into each branch that reads it, and reads a constant memory of one
    word like any other. An HLS compiler does neither.

    Args:
        instructions: those of a function, in an order in which operands come first.
        module: the file of the function.
    """

    def __init__(self, instructions: Iterable[Instruction], module: Module) -> None:
        self._first: dict[Hashable, Instruction] = {}
        self._same: dict[Instruction, Instruction] = {}
        self._constant: set[Instruction] = set()
        ordered = list(instructions)
        written = {
            address_of(i.operands[-1], module.sizes).memory for i in ordered if i.opcode == "store"
        }
        for instruction in ordered:
            if instruction.opcode == "load":
                address = address_of(instruction.operands[-1], module.sizes)
                if address.memory not in written and not address.place.terms:
                    self._constant.add(instruction)
                continue
            if instruction.opcode in _UNIQUE:
                continue
            if instruction.width and all(map(self.is_constant, instruction.operands)):
                self._constant.add(instruction)
            else:
                text = instruction.text.split(" = ")[-1].split()
                predicate = text[1:3] if instruction.opcode == "icmp" else []
                operands = tuple(self._key(o) for o in instruction.operands)
                key = (instruction.opcode, instruction.width, *predicate, operands)
                self._same[instruction] = self._first.setdefault(key, instruction)
        self._readers: dict[Instruction, list[Instruction]] = {}
        for instruction in filter(self.is_circuit, ordered):
            for operand in {id(o): o for o in map(self.one, instruction.operands)}.values():
                if isinstance(operand, Instruction):
                    self._readers.setdefault(operand, []).append(instruction)

    def one(self, value: Value) -> Value:
        """Return the first operation with the same result."""
        return self._same.get(value, value) if isinstance(value, Instruction) else value

    def is_constant(self, value: Value) -> bool:
        """Return whether a value is known before the circuit runs."""
        if isinstance(value, Instruction):
            return value in self._constant
        return isinstance(value, Constant) or value is UNDEFINED

    def is_circuit(self, instruction: Instruction) -> bool:
        """Return whether an operation is the first of its kind, and no constant."""
        return instruction not in self._constant and self.one(instruction) is instruction

    def is_product(self, instruction: Instruction) -> bool:
        """Return whether an operation multiplies two variables."""
        is_multiplied = instruction.opcode == "mul"
        return is_multiplied and not any(map(self.is_constant, instruction.operands))

    def readers(self, instruction: Instruction) -> list[Instruction]:
        """Return the operations that read a value, equal ones once."""
        return self._readers.get(instruction, [])

    def _key(self, value: Value) -> Hashable:
        return value.value if isinstance(value, Constant) else id(self.one(value))
