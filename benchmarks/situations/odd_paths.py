"""Odd names of folders: a network is saved, loaded and converted there, opened, and compiled once.

Every path works, or the message says why not.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.situations.situation import Place, Situation, Wrong
from hyq_hls import Accelerator, convert, load

NAMES = (
    *("a b", " a", "a ", "'", '"', "`x`", "$HOME", "$(x)", "#a", "%s", "{a}", "*?"),
    *("-rf", "--output", "a;b", "a&b", "a\\b", "größe", "日本語", "a\nb", "x" * 250, ".hidden", "~a", "a=b,c"),
)  # fmt: skip


def journey(name: str, compiled: bool, place: Place) -> None:
    """Go the way from a file to an opened project in a folder of this name.

    Raises:
        Wrong: codes differ, or something was written beside the folder.
    """
    root = place.fresh().parent
    os.chdir(root)
    Path(f"./{name}").mkdir()
    # A leading ~ is the home folder, except after ./
    folder = f"./{name}"
    loaded = load(place.qmodel.save(f"{folder}/net.hyq"))
    made = convert(loaded, output_dir=f"{folder}/p")
    opened = Accelerator.open(f"{folder}/p")
    codes = place.qmodel.codes(place.images)
    if not np.array_equal(opened.qmodel.codes(place.images), codes):
        raise Wrong("other codes")
    if compiled and not np.array_equal(made.compile("-O0").codes(place.images), codes):
        raise Wrong("other codes of the C++")
    if os.listdir(root) != [name] or sorted(os.listdir(root / name)) != ["net.hyq", "p"]:
        raise Wrong(f"left over: {os.listdir(root)}, {os.listdir(root / name)}")


def situations() -> list[Situation]:
    """Return all of them; the oddest is compiled too."""
    return [
        Situation(ascii(name)[:40], partial(journey, name, name == "$HOME"), None) for name in NAMES
    ]
