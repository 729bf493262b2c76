"""Addresses as sums: a memory, a constant, and multiples of values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from verif.intervals.ir import Constant, Instruction, Symbol, Value

_ADDRESS = re.compile(r"getelementptr (?:(?:inbounds|nuw|nusw) )*(.*?), ptr ")
_ARRAY = re.compile(r"\[(\d+) x (.*)\]")
#: What LLVM appends to the name of a variable, and how the linker's name of a constant begins.
_AROUND = re.compile(r"^_ZL\d+|(\.i)*\d*$")


@dataclass
class Sum:
    """A constant and multiples of values.

    Attributes:
        constant: the constant.
        terms: factor by value.
    """

    constant: int = 0
    terms: dict[Value, int] = field(default_factory=dict)

    def add(self, other: Sum, factor: int) -> None:
        """Add a multiple of another sum."""
        self.constant += factor * other.constant
        for value, count in other.terms.items():
            total = self.terms.get(value, 0) + factor * count
            if total:
                self.terms[value] = total
            else:
                self.terms.pop(value, None)


@dataclass
class Address:
    """Where a load or a store reaches.

    Attributes:
        memory: name of the array in the C++.
        place: bytes from its begin.
    """

    memory: str
    place: Sum


def sum_of(value: Value) -> Sum:
    """Return an index as a sum. Indices of a valid program do not wrap."""
    if isinstance(value, Constant):
        return Sum(value.value)
    result = Sum()
    if isinstance(value, Instruction):
        first = value.operands[0] if value.operands else None
        last = value.operands[-1] if value.operands else None
        if value.opcode in ("zext", "sext") and first is not None:
            return sum_of(first)
        is_sum = value.opcode in ("add", "sub") or "disjoint" in value.text
        if is_sum and first is not None and last is not None:
            result.add(sum_of(first), 1)
            result.add(sum_of(last), -1 if value.opcode == "sub" else 1)
            return result
        if value.opcode in ("mul", "shl") and first is not None and isinstance(last, Constant):
            result.add(sum_of(first), last.value if value.opcode == "mul" else 1 << last.value)
            return result
    result.terms[value] = 1
    return result


def address_of(pointer: Value, sizes: dict[str, int]) -> Address:
    """Return the address in a pointer.

    Args:
        pointer: operand of a load or a store.
        sizes: bytes of named structures.
    """
    place = Sum()
    while isinstance(pointer, Instruction) and pointer.opcode == "getelementptr":
        found = _ADDRESS.search(pointer.text)
        kind = found[1] if found else "i8"
        for index in pointer.operands[1:]:
            place.add(sum_of(index), _size(kind, sizes))
            array = _ARRAY.fullmatch(kind)
            kind = array[2] if array else "i8"
        pointer = pointer.operands[0]
    name = pointer.name if isinstance(pointer, (Instruction, Symbol)) else "?"
    return Address(variable(name), place)


def variable(name: str) -> str:
    """Return the name in the C++ of a pointer's name in LLVM."""
    return _AROUND.sub("", name)


def _size(kind: str, sizes: dict[str, int]) -> int:
    """Bytes between neighbours of an array of a type."""
    if array := _ARRAY.fullmatch(kind):
        return int(array[1]) * _size(array[2], sizes)
    if integer := re.fullmatch(r"i(\d+)", kind):
        return int(1 << max(0, (int(integer[1]) - 1).bit_length() - 3))
    return int(sizes.get(kind.strip('%"'), 8))
