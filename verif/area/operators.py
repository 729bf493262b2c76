"""LUTs of an operation by its kind and width, from a table that Yosys measured."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from verif.area.values import Values
from verif.intervals.delays import INTRINSICS, KINDS, delays
from verif.intervals.ir import Constant, Instruction
from verif.intervals.widths import Widths

#: ``benchmarks/hls_operators.py`` writes this file.
TABLE = Path(__file__).with_name("operators.json")
_EQUALITY = frozenset({"eq", "ne"})


@dataclass(frozen=True)
class Operators:
    """The table.

    Attributes:
        points: LUTs by width in bits, for every kind of operation. A shift has a kind for every
            width of its amount, such as ``shift3``.
    """

    points: dict[str, dict[int, int]]

    def of_kind(self, kind: str, width: int) -> float:
        """Return the LUTs of a kind of operation, between two points of the table on their line."""
        row = self.points[kind]
        known = min(max(width, min(row)), max(row))
        return float(np.interp(known, list(row), list(row.values()))) * width / known

    def of(self, instruction: Instruction, widths: Widths, values: Values) -> float:
        """Return the LUTs of an instruction; products of variables lie in DSP slices."""
        if not values.is_circuit(instruction):
            return 0.0
        opcode = instruction.opcode
        if opcode == "call":
            name = re.sub(r"\.i\d+$", "", instruction.callee.removeprefix("llvm."))
            width = widths.operands(instruction) if name in INTRINSICS else 0
            return sum(self.of_kind(_plain(kind), width) for kind in INTRINSICS.get(name, ()))
        kind = KINDS.get(opcode, "load")
        if kind in ("load", "store") or is_wiring(instruction, widths):
            return 0.0
        if kind in ("multiply", "divide", "shift"):
            return self._of_two(kind, instruction, widths, values)
        if opcode == "icmp":
            predicate = instruction.text.split("icmp ")[1].removeprefix("samesign ").split()[0]
            kind = "equal" if predicate in _EQUALITY else "compare"
            return self.of_kind(kind, widths.operands(instruction))
        chosen = max(0, values.choices(instruction) - 1) if opcode == "phi" else 1
        return chosen * self.of_kind(kind, widths.result(instruction))

    def _of_two(self, kind: str, instruction: Instruction, widths: Widths, values: Values) -> float:
        """Return the LUTs of what depends on the widths of both operands."""
        first, second = instruction.operands[:2]
        if kind == "multiply":
            return self._by_constant(instruction, widths)
        if values.is_constant(second):
            return 0.0
        if kind == "shift":
            amount = min(6, widths.bits(second))
            return self.of_kind(f"shift{amount}", widths.result(instruction))
        # Each bit of a quotient is a subtraction, and a choice of the remainder.
        steps, divisor = widths.bits(first), widths.bits(second)
        return steps * (self.of_kind("add", divisor) + self.of_kind("select", divisor))

    def _by_constant(self, product: Instruction, widths: Widths) -> float:
        """Return the adders of a product by a constant: one less than its bits that are set."""
        factors = [o.value for o in product.operands if isinstance(o, Constant)]
        adders = abs(factors[0]).bit_count() - 1 if factors else 0
        return max(0, adders) * self.of_kind("add", widths.result(product))


def is_wiring(instruction: Instruction, widths: Widths) -> bool:
    """Return whether an operation moves bits and has no logic."""
    return delays().of(instruction, widths) == 0


def _plain(kind: str) -> str:
    """Return the kind in the table; what counts bits is about as large as a shift."""
    return "shift3" if kind == "shift" else kind


@lru_cache
def operators() -> Operators:
    """Read the table."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))["lut"]
    return Operators({k: {int(w): n for w, n in row.items()} for k, row in table.items()})
