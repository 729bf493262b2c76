"""Compile C++ into a shared library, several files at once, without make."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hyq_hls.errors import CompilationError
from hyq_hls.support import processes

#: Errors shown in a message; the log has all.
_SHOWN = 5
#: Generated C++ that the compiler reads in about the time that it needs for the headers.
_GROUP_BYTES = 400_000
#: Files from which on it saves time to compile their headers once.
_MANY_FILES = 4


@dataclass
class Log:
    """Runs commands and keeps what they say in one file.

    Attributes:
        path: the file.
        parts: what the commands said so far.
    """

    path: Path
    parts: list[str] = field(default_factory=list)

    def run(
        self,
        command: Sequence[str | Path],
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Run a command.

        Args:
            command: the program and its arguments.
            env: its environment; by default ours, with messages in English.
            cwd: the folder in which it runs.
            names: texts in its messages that are replaced, with what replaces them.

        Raises:
            CompilationError: it failed or did not start; shows its first errors.
        """
        words = [str(word) for word in command]
        try:
            result = processes.run(words, env=env or {**os.environ, "LC_ALL": "C"}, cwd=cwd)
        except OSError as error:
            raise CompilationError(f"cannot run {words[0]}: {error}") from error
        output = result.stdout + result.stderr
        for found, meant in (names or {}).items():
            output = output.replace(found, meant)
        self.parts.append(f"$ {' '.join(words)}\n{output}")
        if result.returncode:
            self.write()
            raise CompilationError(
                f"{Path(words[0]).name} failed, see {self.path}:\n" + "\n".join(_errors(output))
            )

    def write(self) -> None:
        """Write what was said so far."""
        self.path.write_text("".join(self.parts), encoding="utf-8")


def _errors(output: str) -> list[str]:
    lines = output.splitlines()
    said = [line for line in lines if "Exiting due to" not in line]
    # Verilator's warnings are fatal, and it may quote a source line with any word in it.
    found = (
        [line for line in said if line.startswith("%Error")]
        or [line for line in said if line.startswith("%Warning")]
        or [line for line in said if "error" in line.lower()]
    )
    return (found or lines[-_SHOWN:])[:_SHOWN]


def compiler() -> str:
    """Return ``$CXX``, else ``g++``.

    Raises:
        CompilationError: it is not there.
    """
    name = os.environ.get("CXX") or "g++"
    if shutil.which(name) is None:
        raise CompilationError(
            f"{name} was not found; co-simulation needs a C++17 compiler: install g++ "
            "(Debian, Ubuntu: apt install g++) or set CXX"
        )
    return name


def compiler_version() -> str:
    """Return the first line of ``--version``."""
    result = subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=False)
    return result.stdout.partition("\n")[0]


def grouped(sources: Sequence[Path], folder: Path, name: str) -> list[Path]:
    """Write files that include small sources together: each alone costs a second for headers."""
    groups: list[list[Path]] = []
    room = 0
    for source in sources:
        size = source.stat().st_size
        if not groups or size > room:
            groups.append([])
            room = _GROUP_BYTES
        groups[-1].append(source)
        room -= size
    files = []
    for i, group in enumerate(groups):
        files.append(folder / f"{name}_{i}.cpp")
        # Relative names: a folder around them may have any letter in its name.
        inside = (os.path.relpath(source, folder) for source in group)
        files[-1].write_text("".join(f'#include "{source}"\n' for source in inside))
    return files


def with_headers(
    groups: Sequence[tuple[Sequence[Path], Sequence[str]]], header: Path, folder: Path, log: Log
) -> list[tuple[Path, list[str]]]:
    """Return each source with its flags; where many share flags, their header is compiled once.

    The headers of a large model take longer than one of its files. A compiler that cannot use the
    compiled header reads the header itself.

    Args:
        groups: sources and flags that they share.
        header: what all of them include first; an old Verilator does not write it.
        folder: where the compiled headers go.
        log: runs the compiler.
    """
    compiled: list[tuple[Path, Sequence[str]]] = []
    jobs: list[tuple[Path, list[str]]] = []
    for sources, flags in groups:
        shared: list[str] = []
        if len(sources) >= _MANY_FILES and header.is_file():
            copy = folder / f"headers{len(compiled)}.h"
            copy.write_text(f'#include "{os.path.relpath(header, folder)}"\n')
            compiled.append((copy, flags))
            shared = ["-include", str(copy)]
        jobs += [(source, [*flags, *shared]) for source in sources]

    def compile_header(item: tuple[Path, Sequence[str]]) -> None:
        copy, flags = item
        log.run([compiler(), *flags, "-x", "c++-header", copy, "-o", f"{copy}.gch"])

    processes.in_parallel(compile_header, compiled)
    return jobs


def compile_objects(
    sources: Sequence[tuple[Path, Sequence[str]]], folder: Path, log: Log
) -> list[Path]:
    """Compile each source with its flags to ``folder``; one program per core."""

    def compile_one(item: tuple[Path, Sequence[str]]) -> Path:
        source, flags = item
        target = folder / f"{source.stem}.o"
        log.run([compiler(), *flags, "-c", source, "-o", target])
        return target

    return processes.in_parallel(compile_one, sources)


def runtime_objects(
    sources: Sequence[Path],
    headers: Sequence[Path],
    flags: Sequence[str],
    folder: Path,
    log: Log,
) -> list[Path]:
    """Compile Verilator's own C++, once per user, compiler and flags.

    They lie in the user's cache, or in ``folder`` where that cannot be written. ``headers`` are
    ours that the sources include.
    """
    key = hashlib.sha256(repr((compiler_version(), sorted(flags))).encode())
    for path in (*sources, *headers):
        key.update(path.read_bytes())
    name = f"verilated-{key.hexdigest()[:16]}"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hyq_hls"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
    except OSError:  # a read-only home: these builds are just slower
        return compile_objects([(s, flags) for s in sources], folder, log)
    try:
        objects = [cache / name / f"{source.stem}.o" for source in sources]
        if not all(path.is_file() for path in objects):
            compile_objects([(s, flags) for s in sources], scratch, log)
            (cache / name).mkdir(exist_ok=True)
            for path in objects:  # another process may put the same files there
                (scratch / path.name).replace(path)
        return objects
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
