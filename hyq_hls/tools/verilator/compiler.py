"""Compile C++ into a shared library, several files at once, without make."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hyq_hls.errors import CompilationError
from hyq_hls.support import processes

#: Errors shown in a message; the log has all.
_SHOWN = 5
#: Generated C++ that the compiler reads in about the time that it needs for the headers.
_FEWEST_BYTES = 400_000
#: Generated C++ for which the compiler takes about a gigabyte of memory.
_MOST_BYTES = 2_000_000


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


def grouped(
    sources: Sequence[Path], folder: Path, name: str, cores: int | None = None
) -> list[Path]:
    """Write files that include sources together, because each alone costs time for headers.

    Args:
        sources: C++ files.
        folder: where the files go.
        name: how their names begin.
        cores: how many of them should be compiled at a time; by default one for each core.
    """
    total = sum(source.stat().st_size for source in sources)
    share = total // (cores or os.cpu_count() or 1) + 1
    groups: list[list[Path]] = []
    room = 0
    for source in sources:
        size = source.stat().st_size
        if not groups or size > room:
            groups.append([])
            room = max(_FEWEST_BYTES, min(share, _MOST_BYTES))
        groups[-1].append(source)
        room -= size
    files = []
    for i, group in enumerate(groups):
        files.append(folder / f"{name}_{i}.cpp")
        # Relative names: a folder around them may have any letter in its name.
        inside = (os.path.relpath(source, folder) for source in group)
        files[-1].write_text("".join(f'#include "{source}"\n' for source in inside))
    return files


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
