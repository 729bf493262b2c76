"""A ``hyq.toml`` with every key: those with a default are set, and the others are comments."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_type_hints

from hyq_hls.cli.workflow.schema import example, is_set, meanings, shown
from hyq_hls.cli.workflow.sections import Settings

_WIDTH = 96
_OPENING = """\
# What `hyq-hls build` does. Every key may be left out. A value below is the default; a key in a
# comment has none, and its value is an example. Paths are relative to the folder of this file."""


def template() -> str:
    """Return the text of a configuration file that has every key, with its meaning."""
    lines = [_OPENING]
    for section, cls in get_type_hints(Settings).items():
        title = meanings(Settings).get(section, "")
        lines += ["", *_comment(title), f"[{section}]", *_keys(cls)]
    return "\n".join(lines) + "\n"


def _keys(cls: type[Any]) -> Iterator[str]:
    texts = meanings(cls)
    for key in fields(cls):
        yield from _comment(texts.get(key.name, ""))
        start = "" if is_set(key) else "# "
        yield f"{start}{key.name} = {shown(example(key))}"


def _comment(text: str) -> list[str]:
    sentence = text[:1].upper() + text[1:]
    return [f"# {line}" for line in textwrap.wrap(sentence, _WIDTH)]
