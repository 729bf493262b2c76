"""The resources of a part."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Programmable logic of a part.

    Attributes:
        name: short name, such as ``xc7z020``.
        device: name with package and speed grade, as vendor tools want it.
        family: such as ``zynq-7000``, ``artix-7``, ``zynq-ultrascale+``, ``virtex-ultrascale+``.
        luts: look-up tables of six inputs.
        ffs: flip-flops.
        dsps: DSP slices.
        bram36: block RAMs of 36 Kb; each is two of 18 Kb.
        uram: UltraRAMs of 288 Kb.
        min_clock_mhz, max_clock_mhz: clocks at which designs of this kind usually close timing; no
            data-sheet values.
        boards: boards that carry it.
        source: the vendor's data sheet.
    """

    name: str
    device: str
    family: str
    luts: int
    ffs: int
    dsps: int
    bram36: int
    uram: int
    min_clock_mhz: float
    max_clock_mhz: float
    boards: tuple[str, ...]
    source: str
