"""Parts and boards: what they hold, and the device names that vendor tools want."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from hyq_hls.errors import ConversionError
from hyq_hls.parts.file import PART_SUFFIX, load
from hyq_hls.parts.part import Part

__all__ = ["Part", "all_parts", "load", "part"]

_DATA = Path(__file__).with_name("parts.json")
#: Suffixes that follow the short name in a device name: ``clg400-1``, ``-ffvb1156-2-e``.
_PACKAGE_AND_GRADE = re.compile(r"-?[a-z]+\d+(-[a-z0-9]+)+")


def part(name: str | os.PathLike[str]) -> Part:
    """Return a part by its short name, by a device of it, by a board that carries it, or by a file.

    Args:
        name: for example ``xc7z020``, ``xc7z020clg484-1`` or ``zedboard``, in any case; or a file
            ``*.toml`` that describes a part, which :func:`load` reads.

    Returns:
        The part; its device is the one that was named, or that the board carries.

    Raises:
        ConversionError: the part is unknown; the nearest names are given. Or the file describes no
            part.
    """
    if isinstance(name, os.PathLike) or (isinstance(name, str) and name.endswith(PART_SUFFIX)):
        return load(name)
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
        f"unknown part {name!r}; did you mean {', '.join(near)}? A part, a device of it, a board "
        f"or a file *{PART_SUFFIX} that describes a part is wanted"
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
