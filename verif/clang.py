"""The clang of the checks: integers of exact width, and LLVM's form of the C++.

The development environment has it in the package ``ziglang``, whose version is pinned, so that the
same C++ gives the same figures everywhere. Without it, ``clang++`` of the ``PATH`` serves.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from verif.subset.unit import system_includes

#: The first version that has _BitInt in C++ and opaque pointers in its text.
_OLDEST = 16
#: The second ``ap_int.h``.
BITINT = Path(__file__).resolve().parent / "bitint"


class ClangError(Exception):
    """There is no clang, or it refuses the C++."""


@lru_cache
def clang() -> tuple[str, ...]:
    """Return the words of the command that starts clang.

    Raises:
        ClangError: neither the package nor a ``clang++`` that is new enough was found.
    """
    if importlib.util.find_spec("ziglang") is not None:
        # A named target makes zig forget /usr/include, which it would put before the C++ library.
        target = f"{platform.machine().replace('arm64', 'aarch64')}-linux-gnu"
        return sys.executable, "-m", "ziglang", "c++", "-target", target, "-fno-sanitize=all"
    found = shutil.which("clang++")
    wanted = f"pip install ziglang, or clang++ {_OLDEST} or newer on the PATH is wanted"
    if found is None:
        raise ClangError(f"found no clang; {wanted}")
    text = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version (\d+)", text)
    if version is None or int(version[1]) < _OLDEST:
        raise ClangError(f"{found} is {text.splitlines()[0]}; {wanted}")
    return (found,)


def run_clang(arguments: Sequence[str | Path], folder: Path | None = None) -> None:
    """Run clang as a compiler of C++14.

    Args:
        arguments: those of clang.
        folder: where it runs; the current folder when None.

    Raises:
        ClangError: there is no clang, or the C++ has an error; the message is that of clang.
    """
    command = [*clang(), "-std=c++14", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if result.returncode:
        raise ClangError(result.stderr.strip())


def compile_library(
    source: Path, library: Path, include: Sequence[Path], flags: Sequence[str]
) -> None:
    """Compile C++ with the ``ap_int.h`` on ``_BitInt`` and link it with g++ to a shared library.

    The C++ library is that of g++, so that nothing else must be built or installed.

    Args:
        source: the C++ file.
        library: the file to write.
        include: further folders of headers.
        flags: further arguments of clang.

    Raises:
        ClangError: there is no clang, or the C++ does not compile.
    """
    folders = [f"-I{folder}" for folder in (BITINT, *include)]
    gxx = [word for folder in _library_headers() for word in ("-isystem", folder)]
    target = library.with_suffix(".o")
    fixed = ("-nostdinc++", "-nostdlibinc", "-fPIC", "-c", "-o", target)
    run_clang([*flags, *folders, *gxx, *fixed, source])
    subprocess.run(["g++", "-shared", str(target), "-o", str(library), "-pthread"], check=True)


def _library_headers() -> list[str]:
    """Return the header folders of g++ without those of the compiler itself; clang has its own."""
    return [f for f in system_includes() if not re.search(r"/gcc/.*/include(-fixed)?$", f)]
