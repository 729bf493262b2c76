"""Dataclasses from tables of TOML: fields give the types, and messages name file and key."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hyq_hls.errors import InputError

Section = TypeVar("Section")
_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def parsed(cls: type[Section], table: Mapping[str, Any], place: str) -> Section:
    """Return a section of a table.

    Args:
        cls: dataclass of the section.
        table: keys and values.
        place: file and section, for messages.

    Raises:
        InputError: a key is unknown, or a value has another type.
    """
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]  # a dataclass
    hints = get_type_hints(cls)
    values = {}
    for key, value in table.items():
        if key not in known:
            raise InputError(f"{place} has no key {key!r}; {nearest(key, known)}")
        try:
            values[key] = _typed(hints[key], value)
        except TypeError as error:
            raise InputError(
                f"{place} {key} = {shown(value)}: {wanted(hints[key])} is wanted; write for "
                f"example {key} = {shown(example(known[key]))}"
            ) from error
    return cls(**values)


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """Return a sentence that names the nearest of the known names, or all."""
    near = get_close_matches(name, known, n=1)
    asked = f"did you mean {near[0]!r}? " if near else ""
    return f"{asked}known are {', '.join(known)}"


def example(key: Field[Any]) -> Any:
    """Return a value that a key may have: its default, or an example where it has none."""
    if "example" in key.metadata:
        return key.metadata["example"]
    return key.default_factory() if key.default_factory is not MISSING else key.default


def is_set(key: Field[Any]) -> bool:
    """Return whether a key has a value by default."""
    return "example" not in key.metadata


def meanings(cls: type[Any]) -> dict[str, str]:
    """Return what the docstring of a section says of each key; nothing where Python strips it."""
    text = inspect.getdoc(cls) or ""
    section = re.search(r"^Attributes:\n((?: .*\n?|\n)*)", text, re.MULTILINE)
    entries = re.split(r"^    (\w+): ", section[1] if section else "", flags=re.MULTILINE)[1:]
    pairs = zip(entries[::2], entries[1::2], strict=True)
    return {name: " ".join(words.split()) for name, words in pairs}


def wanted(hint: Any) -> str:
    """Return the words for a type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(wanted(a) for a in arguments if a is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(shown(a) for a in arguments)
    if origin is tuple:
        return f"a list, each entry {wanted(arguments[0])},"
    if origin is dict:
        return f"a table, each entry {wanted(arguments[1])},"
    return _WORDS.get(hint, "a value")


def shown(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {shown(entry)}" for key, entry in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    return str(value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else f'"{key}"'


def _typed(hint: Any, value: Any) -> Any:
    """Return a value of a type; raises ``TypeError`` for another one."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (a for a in arguments if a is not NoneType)
        return _typed(inner, value)
    if origin is tuple and isinstance(value, list):
        return tuple(_typed(arguments[0], entry) for entry in value)
    if origin is dict and isinstance(value, dict):
        return {key: _typed(arguments[1], entry) for key, entry in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    fits = value in arguments if origin is Literal else type(value) is hint  # true is no number
    if not (fits or hint is Any):
        raise TypeError
    return value
