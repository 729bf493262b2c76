"""Sites of a 7-series part that a netlist takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hyq_hls.errors import CompilationError

#: Sites of a cell; cells without a name here are counted nowhere (BUFG, MUXF7, MUXF8, IBUF).
_LUTS = {f"LUT{n}": 1 for n in range(1, 7)} | {
    # LUT-RAM and shift registers: a LUT that is a memory.
    "RAM32X1S": 1,
    "RAM64X1S": 1,
    "RAM128X1S": 2,
    "RAM256X1S": 4,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "RAM32M": 4,
    "RAM64M": 4,
    "SRL16E": 1,
    "SRLC32E": 1,
    "INV": 0,  # absorbed by the LUT or the register behind it
}
_CELLS: dict[str, dict[str, int]] = {
    "lut": _LUTS,
    "ff": dict.fromkeys(("FDRE", "FDSE", "FDCE", "FDPE"), 1),
    "dsp": {"DSP48E1": 1},
    "bram18": {"RAMB18E1": 1, "RAMB36E1": 2},
    "carry": {"CARRY4": 1},
}
_UNCOUNTED = frozenset({"BUFG", "MUXF7", "MUXF8", "$scopeinfo"})


@dataclass(frozen=True)
class Utilization:
    """Sites of a 7-series part.

    Attributes:
        lut: look-up tables, LUT-RAM and shift registers included.
        ff: flip-flops.
        dsp: DSP48E1 slices.
        bram18: halves of a 36 Kbit block RAM; a RAMB36E1 is two.
        carry: CARRY4 chains of four bits.
        delay_ns: longest path through logic between registers, **without wires**; 0 when there is
            none. An estimate before placement: see docs/area.md.
    """

    lut: int = 0
    ff: int = 0
    dsp: int = 0
    bram18: int = 0
    carry: int = 0
    delay_ns: float = 0.0

    @property
    def bram36(self) -> float:
        """Block RAMs of 36 Kbit, as parts are rated."""
        return self.bram18 / 2

    def __add__(self, other: Utilization) -> Utilization:
        """Add two circuits that stand side by side; the slower one decides the delay."""
        sums = {n: getattr(self, n) + getattr(other, n) for n in _CELLS}
        return Utilization(**sums, delay_ns=max(self.delay_ns, other.delay_ns))


def count_cells(cells: Mapping[str, int], delay_ns: float = 0.0) -> Utilization:
    """Count the sites that the cells of a netlist take.

    Raises:
        CompilationError: a cell is none of the 7 series' that are known here.
    """
    known = _UNCOUNTED.union(*_CELLS.values())
    unknown = sorted(set(cells) - known)
    if unknown:
        raise CompilationError(f"cells {unknown[:5]} of the netlist are not known; count them")
    counts = {
        name: sum(sites.get(cell, 0) * count for cell, count in cells.items())
        for name, sites in _CELLS.items()
    }
    return Utilization(**counts, delay_ns=delay_ns)
