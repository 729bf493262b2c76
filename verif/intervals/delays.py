"""Delay of an operation by its kind and width, from a table."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from verif.intervals.ir import Constant, Instruction
from verif.intervals.widths import Widths

_TABLE = Path(__file__).with_name("delays.json")
#: Kinds of operations by LLVM's names.
KINDS = {
    **dict.fromkeys(("add", "sub"), "add"),
    **dict.fromkeys(("select", "phi"), "select"),
    **dict.fromkeys(("shl", "lshr", "ashr"), "shift"),
    **dict.fromkeys(("and", "or", "xor"), "logic"),
    **dict.fromkeys(("sdiv", "udiv", "srem", "urem"), "divide"),
    "icmp": "compare",
    "mul": "multiply",
    "load": "load",
    "store": "store",
}
#: Operations that LLVM has as calls, by the kinds that they are made of.
INTRINSICS = {
    **dict.fromkeys(("smax", "smin", "umax", "umin"), ("compare", "select")),
    **dict.fromkeys(("abs", "sadd.sat", "uadd.sat", "ssub.sat", "usub.sat"), ("add", "select")),
    **dict.fromkeys(("scmp", "ucmp"), ("compare", "compare")),
    **dict.fromkeys(("ctlz", "cttz", "ctpop"), ("shift",)),
}
#: ``x < 0`` and ``x > -1`` read the sign bit.
_SIGN_TESTS = {("slt", 0), ("sge", 0), ("sgt", -1), ("sle", -1)}


@dataclass(frozen=True)
class Delays:
    """The table.

    Attributes:
        uncertainty: the part of a clock period that the tool keeps for routing.
        points: (width, picoseconds), ascending, by the kind of operation.
    """

    uncertainty: float
    points: dict[str, list[tuple[int, int]]]

    def budget(self, mhz: float) -> int:
        """Picoseconds of a clock period that operations may use."""
        return int(1e6 / mhz * (1 - self.uncertainty))

    def of_kind(self, kind: str, width: int) -> int:
        """Picoseconds of a kind of operation, between two points of the table on their line."""
        points = self.points[kind]
        if width <= points[0][0]:
            return points[0][1]
        for (low, fast), (high, slow) in pairwise(points):
            if width <= high:
                return fast + (slow - fast) * (width - low) // (high - low)
        return points[-1][1]

    def of(self, instruction: Instruction, widths: Widths) -> int:
        """Picoseconds of an instruction; none for wiring (casts, constant shifts, sign bits)."""
        opcode = instruction.opcode
        if opcode == "call":
            name = re.sub(r"\.i\d+$", "", instruction.callee.removeprefix("llvm."))
            kinds = INTRINSICS.get(name, ())
            return sum(self.of_kind(kind, widths.operands(instruction)) for kind in kinds)
        kind = KINDS.get(opcode)
        if kind is None or (kind in ("shift", "logic") and _by_constant(instruction)):
            return 0
        if opcode == "icmp" and _is_sign_test(instruction):
            return 0
        if opcode in ("add", "or", "xor") and widths.is_concatenation(instruction):
            return 0
        reads = opcode in ("icmp", "sdiv", "udiv", "srem", "urem", "mul")
        width = widths.operands(instruction) if reads else widths.result(instruction)
        if opcode == "icmp" and width == 1:  # one bit against another, or as it is
            return 0 if isinstance(instruction.operands[1], Constant) else self.of_kind("logic", 1)
        return self.of_kind(kind, width)


@lru_cache
def delays() -> Delays:
    """Read ``delays.json``, whose numbers are nanoseconds."""
    table = json.loads(_TABLE.read_text(encoding="utf-8"))
    points = {
        kind: [(width, round(1000 * ns)) for width, ns in row]
        for kind, row in table["delays"].items()
    }
    return Delays(table["uncertainty"], points)


def _by_constant(instruction: Instruction) -> bool:
    """Whether a shift or a mask is only wiring."""
    return instruction.width > 1 and isinstance(instruction.operands[1], Constant)


def _is_sign_test(instruction: Instruction) -> bool:
    predicate = instruction.text.split("icmp ")[1].removeprefix("samesign ").split()[0]
    other = instruction.operands[1]
    return isinstance(other, Constant) and (predicate, other.value) in _SIGN_TESTS
