"""Parts and boards: what they hold, and the device names that vendor tools want."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from hyq_hls.errors import ConversionError

_DATA = Path(__file__).with_name("parts.json")
#: Suffixes that follow the short name in a device name: ``clg400-1``, ``-ffvb1156-2-e``.
_PACKAGE_AND_GRADE = re.compile(r"-?[a-z]+\d+(-[a-z0-9]+)+")


@dataclass(frozen=True)
class Part:
    """Programmable logic of a part.

    Attributes:
        name: short name, such as ``xc7z020``.
        device: name with package and speed grade, as vendor tools want it.
        family: ``zynq-7000``, ``zynq-ultrascale+``, ``kintex-ultrascale``, ``virtex-ultrascale+``.
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


def part(name: str) -> Part:
    """Return a part by its short name, the name of a device of it, or the name of a board.

    Args:
        name: for example ``xc7z020``, ``xc7z020clg484-1`` or ``zedboard``; in any case.

    Returns:
        The part; its device is the one that was named, or that the board carries.

    Raises:
        ConversionError: the part is unknown; the nearest names are given.
    """
    if not isinstance(name, str):
        raise ConversionError(f"part={name!r}: the name of a part or board is wanted")
    wanted = name.lower()
    known, boards = _tables()
    if wanted in known:
        return known[wanted]
    if wanted in boards:
        short, device = boards[wanted]
        return replace(known[short], device=device)
    for short, found in known.items():
        if wanted.startswith(short) and _PACKAGE_AND_GRADE.fullmatch(wanted, len(short)):
            # Vendor tools tell cases apart: all is small but the L of a low-power grade.
            return replace(found, device=re.sub(r"(?<=-\d)lv?", _upper, wanted))
    names = sorted([*known, *boards])
    near = get_close_matches(wanted, names, n=3, cutoff=0.4) or names
    raise ConversionError(
        f"unknown part {name!r}; did you mean {', '.join(near)}? A part, a device of it or a board "
        "is wanted"
    )


def all_parts() -> tuple[Part, ...]:
    """Return every known part, from the fewest look-up tables to the most."""
    return tuple(sorted(_tables()[0].values(), key=lambda p: p.luts))


def _upper(found: re.Match[str]) -> str:
    return found.group().upper()


@cache
def _tables() -> tuple[dict[str, Part], dict[str, tuple[str, str]]]:
    """Return the parts by short name; short name and device by board."""
    parts: dict[str, Part] = {}
    boards: dict[str, tuple[str, str]] = {}
    for entry in json.loads(_DATA.read_text(encoding="utf-8"))["parts"]:
        low, high = entry.pop("clock_mhz")
        short = entry["name"]
        boards |= {board: (short, device) for board, device in entry["boards"].items()}
        entry["boards"] = tuple(entry["boards"])
        parts[short] = Part(**entry, min_clock_mhz=low, max_clock_mhz=high)
    return parts, boards
