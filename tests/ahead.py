"""C++ headers that are compiled ahead: g++ needs longer for them than for most tests' own code."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import hls4ml

from hyq_hls.tools.gxx import CSIM_FLAGS, compile_project
from hyq_hls.tools.verilator.compiler import Log
from hyq_hls.tools.verilator.runtime import runtime_header

#: The folder of ``ap_int.h``, as generated projects have it.
AP_TYPES = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"
_STANDARD = ("exception", "map", "stdexcept", "string", "vector")


def types_ahead(flags: Sequence[str]) -> list[str]:
    """Return the arguments of g++ that include the vendor's types, compiled once.

    Args:
        flags: the other arguments of g++; g++ takes the result only with the same, macros apart.
    """
    every = ["-isystem", str(AP_TYPES), *(flag for flag in flags if not flag.startswith("-D"))]
    folder = Path(tempfile.gettempdir())
    names = ("ap_int.h", *_STANDARD)
    header = runtime_header(names, AP_TYPES, every, folder, Log(folder / "hyq-headers.log"))
    return [*header, "-Winvalid-pch"]


def quick_project(
    folder: Path, project: str, flags: tuple[str, ...] = (), library: str = ""
) -> Path:
    """Compile a project as :func:`compile_project` does, with its types compiled ahead."""
    ahead: list[str] = []
    if "CXX" not in os.environ and shutil.which("g++"):
        fixed = [flag for flag in CSIM_FLAGS.split() if not flag.startswith("-I")]
        ahead = types_ahead([*fixed, *flags])
    return compile_project(folder, project, (*flags, *ahead), library)
