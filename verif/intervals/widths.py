"""How many bits of an operation a circuit would really have.

C++ computes in ``int`` where eight bits would do, and synthesis cuts that: bits that are known to
be zero or copies of the sign, and bits that nobody reads, cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from verif.intervals.ir import UNDEFINED, Constant, Instruction, Value

#: Operations whose low bits depend on the same low bits of their operands alone.
_LOW_BITS = frozenset(
    ("add", "sub", "mul", "and", "or", "xor", "select", "phi", "freeze", "trunc", "zext", "sext")
)


@dataclass(frozen=True)
class Bits:
    """What is known of a value.

    Attributes:
        unsigned: the bits that hold it as a number without a sign.
        signed: the bits that hold it as a number with a sign.
        zeros: its lowest bits that are always zero.
    """

    unsigned: int
    signed: int
    zeros: int = 0

    def within(self, width: int) -> Bits:
        """The same in a type of ``width`` bits."""
        return Bits(min(self.unsigned, width), min(self.signed, width), min(self.zeros, width))


#: Nothing has reached a value yet.
_NONE = Bits(0, 0, 1 << 16)


class Widths:
    """Widths of the values of a function.

    Args:
        instructions: all of its instructions.
        counters: the largest number of a phi that counts up to a constant, by the phi.
    """

    def __init__(
        self, instructions: Iterable[Instruction], counters: dict[Instruction, int]
    ) -> None:
        self._counters = counters
        self._known: dict[Instruction, Bits] = {}
        self._read: dict[Instruction, int] = {}
        ordered = list(instructions)
        self._find_known([i for i in ordered if i.width])
        self._find_read(ordered)

    def result(self, instruction: Instruction) -> int:
        """Bits that an operation computes; an adder takes over bits to which zero is added."""
        bits, taken = self._of(instruction), 0
        if instruction.opcode in ("add", "sub"):
            a, b = (self._of(operand).zeros for operand in instruction.operands[:2])
            taken = max(a, b) if instruction.opcode == "add" else b
        highest = min(bits.unsigned, bits.signed, self._read.get(instruction, 0))
        return max(1, highest - max(taken, bits.zeros))

    def operands(self, instruction: Instruction) -> int:
        """Bits of the widest operand; those of a comparison."""
        most = _joined([self._of(o) for o in instruction.operands if not _is_pointer(o)])
        return max(1, min(most.unsigned, most.signed) - most.zeros)

    def bits(self, value: Value) -> int:
        """Bits that hold a value."""
        known = self._of(value)
        return max(1, min(known.unsigned, known.signed))

    def is_signed(self, value: Value) -> bool:
        """Whether :meth:`bits` is the width with a sign."""
        known = self._of(value)
        return known.signed < known.unsigned

    def is_concatenation(self, instruction: Instruction) -> bool:
        """Whether one operand of an addition or of ``or`` ends where the other begins."""
        a, b = (self._of(operand) for operand in instruction.operands[:2])
        return a.zeros >= b.unsigned or b.zeros >= a.unsigned

    def _of(self, value: Value) -> Bits:
        if isinstance(value, Constant):
            size, zeros = value.value.bit_length(), (value.value & -value.value).bit_length() - 1
            unsigned = size if value.value >= 0 else 1 << 16
            return Bits(unsigned, size + 1, zeros) if value.value else Bits(1, 1, 1 << 16)
        if isinstance(value, Instruction):
            return self._known.get(value, _NONE)
        return _NONE if value is UNDEFINED else Bits(value.width or 64, value.width or 64)

    def _find_known(self, instructions: list[Instruction]) -> None:
        """Let what is known grow until it holds for every way through the loops."""
        changed = True
        while changed:
            changed = False
            for value in instructions:
                found = _joined([self._of(value), self._computed(value).within(value.width)])
                if found != self._of(value):
                    self._known[value], changed = found, True

    def _computed(self, value: Instruction) -> Bits:
        if value in self._counters:
            size = self._counters[value].bit_length()
            return Bits(size, size + 1)
        data = value.operands[1:] if value.opcode == "select" else value.operands
        found = [self._of(o) for o in data if not _is_pointer(o)]
        rule = _RULES.get(value.opcode)
        return rule(value, found) if rule and found else Bits(value.width, value.width)

    def _find_read(self, instructions: list[Instruction]) -> None:
        """Find how many low bits of every result are read, from the last instruction back."""
        changed = True
        while changed:
            changed = False
            for user in reversed(instructions):
                for operand in user.operands:
                    if isinstance(operand, Instruction):
                        wanted = min(self._reads(user, operand), operand.width)
                        if wanted > self._read.get(operand, 0):
                            self._read[operand], changed = wanted, True

    def _reads(self, user: Instruction, operand: Instruction) -> int:
        """Low bits of ``operand`` that ``user`` reads."""
        opcode, wanted = user.opcode, self._read.get(user, 0)
        amount = _constant(user.operands[-1])
        reads = operand.width
        if opcode == "select" and operand is user.operands[0]:
            reads = 1
        elif opcode == "and" and amount is not None and amount >= 0:
            reads = min(wanted, amount.bit_length())
        elif opcode in _LOW_BITS:
            reads = min(wanted, user.width)
        elif opcode == "shl" and operand is not user.operands[1]:
            reads = max(0, wanted - (amount or 0))
        elif opcode in ("lshr", "ashr") and amount is not None:
            reads = wanted + amount if wanted else 0
        return reads


def _extended(value: Instruction, found: Sequence[Bits]) -> Bits:
    source = value.operands[0]
    width = source.width if isinstance(source, Instruction) else value.width
    unsigned = min(found[0].unsigned, width)
    return Bits(unsigned, unsigned + 1, found[0].zeros)


def _added(value: Instruction, found: Sequence[Bits]) -> Bits:
    most = _joined(found)
    unsigned = value.width if value.opcode == "sub" else most.unsigned + 1
    return Bits(unsigned, most.signed + 1, most.zeros)


def _multiplied(_: Instruction, found: Sequence[Bits]) -> Bits:
    a, b = found
    return Bits(a.unsigned + b.unsigned, a.signed + b.signed, a.zeros + b.zeros)


def _masked(_: Instruction, found: Sequence[Bits]) -> Bits:
    unsigned = min(b.unsigned for b in found)
    signed = min(_joined(found).signed, unsigned + 1)
    return Bits(unsigned, signed, max(b.zeros for b in found))


def _shifted(value: Instruction, found: Sequence[Bits]) -> Bits:
    amount, first = _constant(value.operands[-1]), found[0]
    if amount is None:
        return _shifted_by_variable(value, first)
    if value.opcode == "shl":
        return Bits(first.unsigned + amount, first.signed + amount, first.zeros + amount)
    zeros = max(0, first.zeros - amount)
    if value.opcode == "ashr":
        return Bits(value.width, max(1, first.signed - amount), zeros)
    unsigned = max(0, min(first.unsigned, value.width) - amount)
    return Bits(unsigned, unsigned + 1, zeros)


def _shifted_by_variable(value: Instruction, first: Bits) -> Bits:
    """A shift to the right makes no number larger."""
    if value.opcode == "shl":
        return Bits(value.width, value.width)
    if value.opcode == "ashr":
        return Bits(value.width, first.signed)
    unsigned = min(first.unsigned, value.width)
    return Bits(unsigned, unsigned + 1)


def _sign_extended(value: Instruction, found: Sequence[Bits]) -> Bits:
    """Copies of the sign are zeros only where the highest bit of the source is one."""
    source = value.operands[0]
    width = source.width if isinstance(source, Instruction) else value.width
    unsigned = found[0].unsigned if found[0].unsigned < width else value.width
    return Bits(unsigned, min(found[0].signed, width), found[0].zeros)


def _same(_: Instruction, found: Sequence[Bits]) -> Bits:
    return _joined(found)


_Rule = Callable[[Instruction, Sequence[Bits]], Bits]
#: What is known of a result by what is known of the operands.
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("trunc", "freeze", "or", "xor", "select", "phi"), _same),
    **dict.fromkeys(("add", "sub"), _added),
    **dict.fromkeys(("shl", "lshr", "ashr"), _shifted),
    "sext": _sign_extended,
    "zext": _extended,
    "mul": _multiplied,
    "and": _masked,
}


def _constant(value: Value) -> int | None:
    return value.value if isinstance(value, Constant) else None


def _joined(found: Sequence[Bits]) -> Bits:
    """What is known of a value that may be any of several."""
    if not found:
        return Bits(64, 64)
    return Bits(
        max(b.unsigned for b in found), max(b.signed for b in found), min(b.zeros for b in found)
    )


def _is_pointer(value: Value) -> bool:
    return not isinstance(value, Constant) and value.width == 0 and value is not UNDEFINED
