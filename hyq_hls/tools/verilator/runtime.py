"""Verilator's own C++ and headers, compiled once per user, compiler and flags.

They lie in the user's cache, ``~/.cache/hyq_hls``. A compiled header has some 80 MB.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from hyq_hls.tools.verilator.compiler import Log, compile_objects, compiler, compiler_version

#: Seconds after which what nobody used is removed from the cache.
_WEEK = 7 * 24 * 3600


def runtime_objects(
    sources: Sequence[Path],
    headers: Sequence[Path],
    flags: Sequence[str],
    folder: Path,
    log: Log,
) -> list[Path]:
    """Compile Verilator's own C++, once per user, compiler and flags.

    Args:
        sources: what is compiled.
        headers: headers of ours that the sources include.
        flags: flags of the compiler.
        folder: where the objects go if the user's cache cannot be written.
        log: runs the compiler.
    """

    def compile_to(target: Path) -> None:
        compile_objects([(source, flags) for source in sources], target, log)

    key = _key([*sorted(flags), *(path.read_bytes() for path in (*sources, *headers))])
    names = [f"{source.stem}.o" for source in sources]
    return _kept(f"verilated-{key}", names, compile_to, folder)


def runtime_header(
    names: Sequence[str], include: Path, flags: Sequence[str], folder: Path, log: Log
) -> list[str]:
    """Compile headers, once per user, compiler and flags, and return the flags that include them.

    They are most of the work for a small model. A compiler that cannot use the compiled header
    reads the header itself.

    Args:
        names: headers, as ``#include <name>`` finds them with ``flags``.
        include: folder of the headers; where one of them is new, they are compiled anew.
        flags: flags of the compiler; those of the file that includes the header differ from them
            in macros alone.
        folder: where the header goes if the user's cache cannot be written.
        log: runs the compiler.
    """

    def compile_to(target: Path) -> None:
        header = target / "runtime.h"
        header.write_text("".join(f"#include <{name}>\n" for name in names))
        log.run([compiler(), *flags, "-x", "c++-header", header, "-o", f"{header}.gch"])

    # clang refuses a compiled header that is older than its sources, so their times count.
    times = [(str(path), path.stat().st_mtime_ns) for path in sorted(include.rglob("*.h"))]
    key = _key([repr((names, list(flags), times))])
    header, _ = _kept(f"headers-{key}", ["runtime.h", "runtime.h.gch"], compile_to, folder)
    return ["-include", str(header)]


def _key(parts: Sequence[str | bytes]) -> str:
    key = hashlib.sha256(compiler_version().encode())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        key.update(hashlib.sha256(data).digest())
    return key.hexdigest()[:16]


def _kept(
    name: str, files: Sequence[str], make: Callable[[Path], None], folder: Path
) -> list[Path]:
    """Return files of the user's cache, which ``make`` writes into a folder where they are not yet.

    They are made in ``folder`` where the cache cannot be written.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hyq_hls"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
    except OSError:  # a read-only home: these builds are just slower
        (folder / name).mkdir(exist_ok=True)
        make(folder / name)
        return [folder / name / file for file in files]
    try:
        kept = [cache / name / file for file in files]
        if not all(path.is_file() for path in kept):
            _remove_unused(cache)
            make(scratch)
            (cache / name).mkdir(exist_ok=True)
            for path in kept:  # another process may put the same files there
                (scratch / path.name).replace(path)
        os.utime(cache / name)  # It was used now.
        return kept
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _remove_unused(cache: Path) -> None:
    """Remove what older compilers and flags left, and what an ended process left half made."""
    for kind in ("verilated", "headers"):
        for folder in cache.glob(f"*{kind}-*"):
            with suppress(FileNotFoundError):  # another process tidies up too
                if folder.stat().st_mtime < time.time() - _WEEK:
                    shutil.rmtree(folder, ignore_errors=True)
