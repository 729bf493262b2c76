"""Programs whose output is a log: where one fails, the error shows the end of its log."""

from __future__ import annotations

import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from hyq_hls.errors import CompilationError
from hyq_hls.support.processes import run

#: Lines of the log that an error shows.
_SHOWN = 8


def run_logged(
    tool: str,
    command: Sequence[str],
    log: Path,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a program, and keep all that it prints.

    Args:
        tool: name of the program in messages.
        command: the program and its arguments.
        log: file for its output.
        cwd: folder that it runs in.
        environment: its environment variables; None hands over our own.

    Raises:
        CompilationError: the program cannot be started, or it failed; the log's last lines are
            shown.
    """
    try:
        with log.open("w", encoding="utf-8") as stream:
            status = run(
                command, cwd=cwd, env=environment, stdout=stream, stderr=subprocess.STDOUT
            ).returncode
    except OSError as error:
        raise CompilationError(f"cannot run {tool} in {cwd}, with log {log}: {error}") from error
    if status:
        raise log_error(f"{tool} failed with status {status}", log)


def log_error(what: str, log: Path) -> CompilationError:
    """Return an error that says what happened, names the log, and shows its last lines."""
    with log.open(encoding="utf-8", errors="replace") as stream:
        lines = deque((line for line in stream if line.strip()), maxlen=_SHOWN)
    return CompilationError(f"{what}, see {log}:\n{''.join(lines).rstrip()}")
