"""g++: compile the C simulation of a project to a library.

A project has ``firmware/<project>.cpp`` and ``<project>_bridge.cpp``, by which Python calls it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hyq_hls.errors import CompilationError, FileFormatError
from hyq_hls.support import write_file
from hyq_hls.support.processes import run

#: C++14 is what Vitis HLS compiles by default. ``-fno-gnu-unique`` lets a library be unloaded.
#: ``-fwrapv``: a sum may leave its range until its bias is added, and wraps as it does in hardware.
CSIM_FLAGS = "-std=c++14 -O3 -fPIC -fwrapv -fno-gnu-unique -Ifirmware -Ifirmware/ap_types"
_BUILD_LIB = """#!/bin/bash
# {banner}
# Usage: ./build_lib.sh [more g++ flags, for example -DHYQ_BIT_ACCURATE]
# HYQ_LIBRARY=name.so gives the library another name.
# Several may run at a time: each builds in a folder of its own, and the library appears complete.
set -e
cd "$(dirname "$0")"
BUILD=$(mktemp -d ./.build-XXXXXX)
trap 'rm -rf "$BUILD"' EXIT
LIBRARY=$BUILD/library.so
# One translation unit: two of them would each read the same headers.
FLAGS="{flags} -include firmware/{project}.cpp"
"${{CXX:-g++}}" $FLAGS "$@" -shared {project}_bridge.cpp -o "$LIBRARY"
# The library is loaded only when it ends with the hash of all before it.
HASH=$( (sha256sum || shasum -a 256) < "$LIBRARY" 2>/dev/null)
printf '\\nhyq  %s\\n' "${{HASH%% *}}" >> "$LIBRARY"
mv -f "$LIBRARY" "${{HYQ_LIBRARY:-{project}.so}}"
"""


def build_lib_sh(banner: str, project: str) -> str:
    """Return ``build_lib.sh``, whose commands compile the C simulation with g++."""
    return _BUILD_LIB.format(banner=banner, flags=CSIM_FLAGS, project=project)


def compile_project(
    folder: Path, project: str, flags: tuple[str, ...] = (), library: str = ""
) -> Path:
    """Run the project's ``build_lib.sh`` and return the library.

    Args:
        folder: the written project.
        project: name of the top function.
        flags: more g++ flags.
        library: file name of the library; by default ``<project>.so``.

    Raises:
        CompilationError: g++ is missing, or the C++ does not compile; the first errors are shown
            and the whole log lies in ``csim_build.log``.
    """
    compiler = os.environ.get("CXX") or "g++"
    if shutil.which(compiler) is None:
        raise CompilationError(
            f"{compiler} was not found; C simulation needs a C++14 compiler: install g++ "
            "(Debian, Ubuntu: apt install g++) or set CXX"
        )
    script = folder / "build_lib.sh"
    if not script.exists():
        raise CompilationError(f"{folder} has no build_lib.sh; convert the model again")
    log = folder / "csim_build.log"
    built = folder / (library or f"{project}.so")
    try:
        result = run(
            ["./build_lib.sh", *flags],
            cwd=folder,
            # Errors are found by their English name.
            env={**os.environ, "LC_ALL": "C", "HYQ_LIBRARY": built.name},
        )
        if result.returncode:
            built.unlink(missing_ok=True)  # it is not that of these sources
        write_file(log, result.stdout + result.stderr)
    except (OSError, FileFormatError) as error:
        raise CompilationError(f"cannot compile in {folder}: {error}") from error
    if result.returncode:
        lines = result.stderr.splitlines()
        errors = [line for line in lines if "error" in line.lower()] or lines[-5:]
        raise CompilationError("\n".join([f"{compiler} failed, see {log}:", *(errors[:5])]))
    return built


def is_current(library: Path, folder: Path) -> bool:
    """Return whether a library exists and no C++ source of its project is younger."""
    sources = (*folder.glob("*.cpp"), *folder.glob("*.sh"), *(folder / "firmware").rglob("*.*"))
    last_change = max((f.stat().st_mtime_ns for f in sources), default=0)
    return library.exists() and library.stat().st_mtime_ns >= last_change
