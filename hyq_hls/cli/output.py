"""A command prints results, what it does meanwhile, and results as JSON."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare ``--json``, by which a command prints its result for programs."""
    parser.add_argument(
        "--json", action="store_true", help="print the result as one JSON object, nothing else"
    )


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Declare ``--quiet``, which leaves results and errors alone."""
    parser.add_argument(
        "--quiet", action="store_true", help="print results and errors only, no progress"
    )


class Output:
    """Prints for people or, with ``--json``, for programs.

    Attributes:
        progress: whether progress bars are shown.

    Args:
        options: the parsed options; ``json`` and ``quiet`` count.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._json = bool(getattr(options, "json", False))
        self._quiet = bool(getattr(options, "quiet", False))
        self.progress = not self._quiet

    def say(self, text: object) -> None:
        """Print what happens: on the error stream with ``--json``, not at all with ``--quiet``."""
        if not self._quiet:
            print(text, flush=True, file=sys.stderr if self._json else sys.stdout)

    def result(self, text: object) -> None:
        """Print a result for people; with ``--json`` it is a part of :meth:`finish`."""
        if not self._json:
            print(text, flush=True)

    def finish(self, data: dict[str, Any]) -> None:
        """Print the whole result as a JSON object, where that was asked for."""
        if self._json:
            print(json.dumps(plain(data), indent=1, allow_nan=False))


def plain(value: Any) -> Any:
    """Return a value in the types of JSON; a number that is not finite becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
