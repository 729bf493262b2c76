"""A situation, the place where it is tried, and what came of it."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import tempfile
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hyq_hls import QuantConfig, QuantizedModel, convert, quantize
from hyq_hls.cli import main
from hyq_hls.errors import HyqError

#: What can come of a situation. The last three are faults.
OUTCOMES = ("clear", "wrong", "traceback", "hang")

_MODEL_FILE = """
import torch
from torch import nn

def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
                         nn.Flatten(), nn.Linear(4, 5)).eval()

def number():
    return 3

def fails():
    raise RuntimeError("no checkpoint")

LIST = []
"""


class Wrong(Exception):
    """The program did something else than it should."""


@dataclass(frozen=True)
class Situation:
    """One thing that happens.

    Attributes:
        name: what happens, in some words.
        act: lets it happen; raises :class:`Wrong` where the result is not right.
        says: text of the message that refuses it; empty where it may work or be refused; None
            where it must work.
    """

    name: str
    act: Callable[[Place], object]
    says: str | None = ""


class Place:
    """A folder with a model, images and networks, in which situations are tried.

    Args:
        folder: an empty folder, which becomes the current one.

    Attributes:
        folder: the folder.
        accelerator: the project in its folder ``net``, not compiled.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        os.chdir(self.folder)
        (self.folder / "model.py").write_text(_MODEL_FILE)
        (self.folder / "syntax.py").write_text("def f(:\n")
        (self.folder / "text.npy").write_text("hello")
        (self.folder / "notes").mkdir()
        (self.folder / "notes" / "thesis.tex").write_text("mine")
        np.save("images.npy", self.images)
        np.save("scalar.npy", np.array(3))
        np.save("flat.npy", np.zeros((5, 7), np.uint8))
        np.save("empty.npy", np.zeros((0, 8, 8, 3), np.uint8))
        np.save("objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
        np.save("words.npy", np.array([["a", "b"]]))
        np.save("nan.npy", np.full((2, 8, 8, 3), np.nan))
        np.savez("named.npz", pictures=np.zeros(3))
        self.qmodel.save("net.hyq")
        (self.folder / "half.hyq").write_bytes(Path("net.hyq").read_bytes()[:900])
        (self.folder / "void.hyq").write_bytes(b"")
        self.accelerator = convert(self.qmodel, output_dir="net", part="xc7z020")

    @cached_property
    def images(self) -> np.ndarray:
        """Random bytes (12, 8, 8, 3)."""
        return np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)

    @cached_property
    def module(self) -> nn.Module:
        """A small trained network."""
        torch.manual_seed(0)
        layers = (nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(*layers, nn.Linear(4, 5)).eval()

    @cached_property
    def qmodel(self) -> QuantizedModel:
        """The network in integers; not to be changed."""
        return quantize(self.module, self.images, QuantConfig(), progress=False)

    def fresh(self, name: str = "new") -> Path:
        """Return the path of a folder that does not exist."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / name


def command(place: Place, line: str | Sequence[str]) -> str:
    """Run a command line in this process and return what it printed.

    Raises:
        HyqError: it ended with status 2 and one message, which this error has.
        Wrong: it ended in another way.
    """
    words = shlex.split(line) if isinstance(line, str) else list(line)
    output, errors = io.StringIO(), io.StringIO()
    os.chdir(place.folder)
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = main(words)
        except SystemExit as end:
            status = int(end.code or 0)
    said = errors.getvalue()
    found = [text for text in said.splitlines() if ": error: " in text]
    if status == 2 and len(found) == 1 and "Traceback" not in said:
        raise HyqError(said[said.index(": error: ") :])
    if status:
        raise Wrong(f"status {status}, {said[-300:]!r}")
    return output.getvalue()


def attempt(situation: Situation, place: Place) -> tuple[str, str]:
    """Let a situation happen; return its outcome and what was said."""
    try:
        os.chdir(place.folder)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            situation.act(place)
    except HyqError as error:
        message = str(error)
        if situation.says is None or situation.says not in message:
            return "wrong", f"refused, but {situation.says!r} is wanted: {message}"
        return ("clear", message) if message.strip() else ("wrong", "an empty message")
    except Wrong as error:
        return "wrong", str(error)
    except BaseException:
        return "traceback", traceback.format_exc()
    return ("wrong", f"it works, but {situation.says!r} is wanted") if situation.says else (
        "clear", "it works"
    )  # fmt: skip
