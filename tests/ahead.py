"""C++ headers that are compiled ahead: g++ needs longer for them than for most tests' own code."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path


def headers_ahead(flags: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the arguments of g++ that include headers which this process compiles once.

    Args:
        flags: the other arguments of g++, macros apart; g++ takes the result only with the same.
        names: headers, as ``#include <name>`` finds them.
    """
    return ["-include", str(_compiled(tuple(flags), tuple(names))), "-Winvalid-pch"]


@cache
def _compiled(flags: tuple[str, ...], names: tuple[str, ...]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hyq-headers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    header = folder / "ahead.h"
    header.write_text("".join(f"#include <{name}>\n" for name in names))
    command = ["g++", *flags, "-x", "c++-header", str(header), "-o", f"{header}.gch"]
    subprocess.run(command, check=True)
    return header
