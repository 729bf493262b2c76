"""Delays of 7-series cells, speed grade -1, in nanoseconds.

Values are those of Project X-Ray's timing database, as Yosys' ``cells_sim.v`` quotes them, rounded
up to the slowest pin of a kind. A LUT has the delay of its data sheet (DS187), because the times of
its slower inputs contain the wires inside a slice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")

LUT_DELAY = 0.124
#: Data leaves a register this long after the clock, and must come this long before it.
CLOCK_TO_Q, SETUP = 0.456, 0.06


@dataclass(frozen=True)
class Arc:
    """A path through a cell.

    Attributes:
        delay: delay in nanoseconds.
        levels: 1 where the path is a level of logic, else 0.
    """

    delay: float
    levels: int = 1


@dataclass(frozen=True)
class Endpoint:
    """An input at which a path ends.

    Attributes:
        kind: ``D``, ``enable``, ``memory`` or ``DSP``.
        setup: nanoseconds before the clock at which data must be there.
    """

    kind: str
    setup: float


#: Words of LUT-RAM whose reads and writes have one address.
_SINGLE_PORTS = (32, 64, 128, 256)
#: Outputs of clocked cells, by the first letters of the cell and of the pin.
_STARTS: Mapping[tuple[str, str], float] = {
    ("FD", "Q"): CLOCK_TO_Q,
    ("SRL", "Q"): 1.472,
    ("RAM32", "DO"): 1.19,
    ("RAM64", "DO"): 1.19,
    ("RAM128", "DO"): 1.19,
    ("RAM32", "DPO"): 1.19,
    ("RAM64", "DPO"): 1.19,
    ("RAM128", "DPO"): 1.19,
    **{(f"RAM{words}X1S", "O"): 1.19 for words in _SINGLE_PORTS},
}
#: Inputs of clocked cells.
_ENDS: Mapping[tuple[str, str], Endpoint] = {
    ("FD", "D"): Endpoint("D", SETUP),
    ("FD", "CE"): Endpoint("enable", 0.2),
    ("FD", "R"): Endpoint("enable", 0.43),
    ("FD", "S"): Endpoint("enable", 0.43),
    ("SRL", "D"): Endpoint("D", 0.173),
    ("SRL", "CE"): Endpoint("enable", 0.4),
    ("RAM32", "DI"): Endpoint("memory", 0.461),
    ("RAM64", "DI"): Endpoint("memory", 0.461),
    **{(f"RAM{words}X1S", "D"): Endpoint("memory", 0.461) for words in _SINGLE_PORTS},
    ("RAM", "WE"): Endpoint("enable", 0.654),
    ("RAM32", "ADDRD"): Endpoint("memory", 0.245),
    ("RAM64", "ADDRD"): Endpoint("memory", 0.245),
    ("RAMB", "ADDR"): Endpoint("memory", 0.566),
    ("RAMB", "DI"): Endpoint("memory", 0.737),
    ("RAMB", "EN"): Endpoint("enable", 0.443),
    ("RAMB", "WE"): Endpoint("enable", 0.532),
    ("RAMB", "REGCE"): Endpoint("enable", 0.36),
}
_ASYNCHRONOUS = ("CLR", "PRE")


def start_delay(cell: str, pin: str, parameters: Mapping[str, int]) -> float | None:
    """Return the delay from clock to output of a pin; None for an output of logic."""
    if cell == "DSP48E1":
        if parameters.get("PREG"):
            return 0.434
        return 1.69 if parameters.get("MREG") else None
    if cell.startswith("RAMB"):
        return 0.882 if parameters.get("DOA_REG") and parameters.get("DOB_REG") else 2.454
    return _lookup(_STARTS, cell, pin)


def endpoint(cell: str, pin: str, parameters: Mapping[str, int]) -> Endpoint | None:
    """Return the endpoint at a pin; None for inputs of logic, clocks and asynchronous resets."""
    if cell == "DSP48E1":
        return _dsp_endpoint(pin, parameters)
    if pin.startswith(_ASYNCHRONOUS):
        return None
    return _lookup(_ENDS, cell, pin)


def _dsp_endpoint(pin: str, parameters: Mapping[str, int]) -> Endpoint | None:
    """Return an input of a DSP slice; everything up to the slice's first register is setup."""
    if pin.startswith("CE"):
        return Endpoint("enable", 0.4)
    if pin not in ("A", "B", "C", "D"):
        return None
    registered = parameters.get("MREG", 0)
    if parameters.get(f"{pin}REG", 1):
        setup = 0.4
    elif pin == "C":
        setup = 1.3
    elif pin == "B" or not parameters.get("USE_DPORT"):
        setup = 1.74 if registered else 3.4
    elif parameters.get("ADREG"):
        setup = 1.25
    else:  # pre-adder and multiplier
        setup = 3.288 if registered else 5.0
    return Endpoint("DSP", setup)


def arc(cell: str, source: str, target: str) -> Arc | None:
    """Return the path from an input to an output of a cell of logic; None where no path is."""
    if cell.startswith("LUT") or (cell.startswith("SRL") and source.startswith("A")):
        return Arc(LUT_DELAY)
    if cell == "INV":
        return Arc(0.0, 0)
    if cell.startswith("MUXF"):
        return Arc(0.3 if source == "S" else 0.22, 0)
    if cell == "CARRY4":
        return _carry_arc(source, target)
    if cell.startswith(("RAM32", "RAM64", "RAM128", "RAM256")):
        return _memory_arc(source, target)
    return None


def _carry_arc(source: str, target: str) -> Arc | None:
    if source == "CI":  # The chain is one level, however long it is.
        return Arc(0.114 if target == "CO" else 0.3, 0)
    return Arc(0.5 if target == "CO" else 0.4)


def _memory_arc(source: str, target: str) -> Arc | None:
    """Return the read of LUT-RAM: an address port belongs to the output of the same letter."""
    if source.startswith("A") and target == "O":
        return Arc(LUT_DELAY)
    if source.startswith("ADDR") and target.startswith("DO") and source[4:] == target[2:]:
        return Arc(LUT_DELAY)
    return Arc(LUT_DELAY) if source.startswith("DPRA") and target == "DPO" else None


def _lookup(table: Mapping[tuple[str, str], _T], cell: str, pin: str) -> _T | None:
    found = [key for key in table if cell.startswith(key[0]) and pin.startswith(key[1])]
    return table[max(found, key=lambda key: len(key[0]))] if found else None
