"""A part that its user describes in a file."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from hyq_hls.errors import ConversionError
from hyq_hls.parts.part import Part
from hyq_hls.support import is_file, user_path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PART_SUFFIX = ".toml"
_TEXTS = {"name": "xc7k325t", "device": "xc7k325tffg900-2", "family": "kintex-7"}
#: Counts, with the least that a design can do with.
_COUNTS = {"luts": 1, "ffs": 1, "dsps": 0, "bram36": 0, "uram": 0}
_OPTIONAL = {"uram": 0, "boards": (), "source": "the file of its user"}
_FIELDS = (*_TEXTS, *_COUNTS, "clock_mhz", "boards", "source")
_NAME = re.compile(r"[a-z0-9][a-z0-9.+_-]*")


def load(path: str | os.PathLike[str]) -> Part:
    """Read a part from a TOML file; docs/boards.md has an example.

    Args:
        path: the file, with ``name``, ``device``, ``family``, ``luts``, ``ffs``, ``dsps``,
            ``bram36`` and ``clock_mhz``, and if you like ``uram``, ``boards`` and ``source``.

    Raises:
        ConversionError: there is no such file, or a field is missing, unknown or unusable.
    """
    file = user_path(path)
    if not is_file(file):
        raise ConversionError(f"part={str(path)!r}: there is no such file")
    try:
        with file.open("rb") as stream:
            fields = tomllib.load(stream)
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise ConversionError(f"{path}: a TOML file is wanted: {error}") from error
    return _part(str(path), fields)


def part_of_fields(fields: Mapping[str, Any]) -> Part:
    """Return the part that :func:`fields_of_part` described.

    Raises:
        ConversionError: a field is missing, unknown or unusable.
    """
    return _part("part", fields)


def fields_of_part(part: Part) -> dict[str, Any]:
    """Return the fields of a file for a part."""
    plain = {name: getattr(part, name) for name in (*_TEXTS, *_COUNTS, "source")}
    clocks = [part.min_clock_mhz, part.max_clock_mhz]
    return {**plain, "clock_mhz": clocks, "boards": list(part.boards)}


def _part(where: str, fields: Mapping[str, Any]) -> Part:
    unknown = sorted(set(fields) - set(_FIELDS))
    missing = [name for name in _FIELDS if name not in fields and name not in _OPTIONAL]
    for problem, names in (("unknown", unknown), ("missing", missing)):
        if names:
            raise ConversionError(
                f"{where}: {', '.join(names)} {'is' if len(names) == 1 else 'are'} {problem}; a "
                f"part has the fields {', '.join(_FIELDS)}, of which {', '.join(_OPTIONAL)} may "
                "be left out"
            )
    known = {**_OPTIONAL, **fields}
    for name, example in _TEXTS.items():
        _check(where, name, known[name], _is_name(known[name]), f"a text such as {example!r}")
    for name, least in _COUNTS.items():
        count = known[name]
        good = isinstance(count, int) and not isinstance(count, bool) and count >= least
        _check(where, name, count, good, f"a whole number of {least} or more")
    clocks, boards, source = known["clock_mhz"], known["boards"], known["source"]
    _check(where, "clock_mhz", clocks, _are_clocks(clocks), "two numbers such as [50, 250]")
    good = isinstance(boards, (list, tuple)) and all(isinstance(b, str) for b in boards)
    _check(where, "boards", boards, good, 'a list of texts such as ["genesys-2"]')
    _check(where, "source", source, isinstance(source, str), 'a text such as "DS180"')
    return Part(
        **{name: known[name] for name in (*_TEXTS, *_COUNTS)},
        min_clock_mhz=float(clocks[0]),
        max_clock_mhz=float(clocks[1]),
        boards=tuple(boards),
        source=source,
    )


def _check(where: str, name: str, found: Any, good: bool, wanted: str) -> None:
    if not good:
        raise ConversionError(f"{where}: {name} = {found!r}: {wanted} is wanted")


def _is_name(value: Any) -> bool:
    # The name of a device goes into scripts of Tcl, where brackets and dollars mean something.
    return isinstance(value, str) and _NAME.fullmatch(value.lower()) is not None


def _are_clocks(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return False
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) for v in value):
        return False
    return bool(0 < value[0] < value[1] < float("inf"))
