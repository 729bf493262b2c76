"""The Verilog of single operations."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from verif.intervals.ir import Constant, Instruction, Value
from verif.intervals.widths import Widths

#: Operations whose low bits need no more than the low bits of their operands.
_LOW_BITS = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
_COMPARISONS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_EXTREMES = {"smax": "sgt", "smin": "slt", "umax": "ugt", "umin": "ult"}


@dataclass(frozen=True)
class Operands:
    """An operation and how its operands are named.

    Attributes:
        instruction: the operation.
        widths: widths of the values of its function.
        bits: returns the lowest bits of an operand, as many as are asked for.
    """

    instruction: Instruction
    widths: Widths
    bits: Callable[[Value, int], str]


def operation(operands: Operands) -> str:
    """Return the expression of an operation; it has at least the bits of the result.

    Raises:
        ValueError: there is no rule for the operation.
    """
    instruction = operands.instruction
    rule = _RULES.get(instruction.opcode)
    if rule is None:
        raise ValueError(f"{instruction.text}: there is no Verilog of {instruction.opcode}")
    return rule(operands)


def _of_low_bits(operands: Operands) -> str:
    instruction, widths = operands.instruction, operands.widths
    a, b = (operands.bits(o, widths.bits(instruction)) for o in instruction.operands)
    is_joined = instruction.opcode == "add" and widths.is_concatenation(instruction)
    return f"{a} {'|' if is_joined else _LOW_BITS[instruction.opcode]} {b}"


def _lowest(operands: Operands) -> str:
    value, width = operands.instruction.operands[0], operands.widths.bits(operands.instruction)
    return operands.bits(value, min(width, _width(value)))


def _extended(operands: Operands) -> str:
    text, width = _lowest(operands), operands.widths.bits(operands.instruction)
    missing = width - _width(operands.instruction.operands[0])
    return f"{{{{{missing}{{{_top(text)}}}}}, {text}}}" if missing > 0 else text


def _selection(operands: Operands) -> str:
    width = operands.widths.bits(operands.instruction)
    condition, a, b = operands.instruction.operands
    yes, no = operands.bits(a, width), operands.bits(b, width)
    return f"{operands.bits(condition, 1)} ? {yes} : {no}"


def _width(value: Value) -> int:
    return value.width if not isinstance(value, Constant) else 64


def _top(text: str) -> str:
    """Return the highest bit of a part of a signal, such as ``n1[7:0]``."""
    found = re.fullmatch(r"(\w+)\[(\d+):0\]", text)
    return f"{found[1]}[{found[2]}]" if found else "1'b0"


def _shift(operands: Operands) -> str:
    instruction, widths = operands.instruction, operands.widths
    first, amount = instruction.operands
    count = operands.bits(amount, max(1, min(6, widths.bits(amount))))
    if instruction.opcode == "shl":
        return f"{operands.bits(first, widths.bits(instruction))} << {count}"
    if instruction.opcode == "lshr":
        whole = instruction.width if widths.is_signed(first) else widths.bits(first)
        return f"{operands.bits(first, whole)} >> {count}"
    whole = min(instruction.width, widths.bits(first) + (not widths.is_signed(first)))
    return f"$signed({operands.bits(first, whole)}) >>> {count}"


def _test(operands: Operands) -> str:
    text = operands.instruction.text.split("icmp ")[1]
    predicate = text.removeprefix("samesign ").split()[0]
    return _comparison(operands, predicate, *operands.instruction.operands)


def _comparison(operands: Operands, predicate: str, a: Value, b: Value) -> str:
    widths = operands.widths
    whole = max(_width(v) for v in (a, b) if not isinstance(v, Constant))
    signed = [widths.bits(v) + (not widths.is_signed(v)) for v in (a, b)]
    # A comparison without signs that sees no negative number is one with signs and a bit more.
    negative = any(widths.is_signed(v) for v in (a, b) if not isinstance(v, Constant))
    negative |= any(isinstance(v, Constant) and v.value < 0 for v in (a, b))
    if predicate.startswith("u") and negative:
        left, right = (operands.bits(v, whole) for v in (a, b))
        return f"{left} {_COMPARISONS[predicate[1:]]} {right}"
    width = min(max(signed), whole + 1)
    left, right = (f"$signed({operands.bits(v, width)})" for v in (a, b))
    return f"{left} {_COMPARISONS[predicate.removeprefix('s').removeprefix('u')]} {right}"


def _intrinsic(operands: Operands) -> str:
    instruction, widths = operands.instruction, operands.widths
    name = re.sub(r"\.i\d+$", "", instruction.callee.removeprefix("llvm."))
    width = widths.bits(instruction)
    if name in _EXTREMES:
        a, b, *_ = instruction.operands
        test = _comparison(operands, _EXTREMES[name], a, b)
        return f"({test}) ? {operands.bits(a, width)} : {operands.bits(b, width)}"
    if name == "abs":
        value = instruction.operands[0]
        text, whole = operands.bits(value, width), operands.bits(value, instruction.width)
        return f"{_top(whole)} ? -{text} : {text}"
    raise ValueError(f"{instruction.text}: there is no Verilog of {name}")


_RULES: dict[str, Callable[[Operands], str]] = {
    **dict.fromkeys(_LOW_BITS, _of_low_bits),
    **dict.fromkeys(("trunc", "freeze", "zext"), _lowest),
    "sext": _extended,
    **dict.fromkeys(("shl", "lshr", "ashr"), _shift),
    "icmp": _test,
    "select": _selection,
    "call": _intrinsic,
}
