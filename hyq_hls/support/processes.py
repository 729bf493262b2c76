"""Programs of others, which end when we are interrupted, together with all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Seconds that a program has to end by itself, and to remove its files.
_GRACE = 3.0
#: The programs that belong to the pool of this thread.
_thread = threading.local()


class _Pool:
    """The programs that the threads of a pool run at the moment.

    Attributes:
        running: the programs.
        ended: whether the pool is ending: no program starts any more.
    """

    def __init__(self) -> None:
        self.running: set[subprocess.Popen[str]] = set()
        self.ended = False
        self._lock = threading.Lock()

    def start(self, command: Sequence[str], options: dict[str, Any]) -> subprocess.Popen[str]:
        with self._lock:
            if self.ended:
                raise KeyboardInterrupt
            # A session of its own, so that a signal reaches also what the program has started.
            process = subprocess.Popen(command, text=True, start_new_session=True, **options)
            self.running.add(process)
            return process

    def end(self) -> None:
        with self._lock:
            self.ended = True
            for process in list(self.running):
                end_group(process)


def run(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program as ``subprocess.run`` does; any exception here ends it.

    Args:
        command: the program and its arguments.
        options: options of ``subprocess.Popen``; without ``stdout``, all output is captured.

    Raises:
        OSError: it cannot be started.
    """
    words = [str(word) for word in command]
    if "stdout" not in options:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "errors": "replace"}
    pool: _Pool = getattr(_thread, "pool", None) or _Pool()
    with pool.start(words, {"stdin": subprocess.DEVNULL, **options}) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            end_group(process)
            raise
        finally:
            pool.running.discard(process)
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def end_group(process: subprocess.Popen[str]) -> None:
    """End a program and all that it started: politely, then by force."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Call ``function`` for all items, in as many threads as there are cores.

    The first exception, also Ctrl-C, ends the programs that the calls run, and no other call
    begins.
    """
    pool = _Pool()

    def join() -> None:
        _thread.pool = pool

    with ThreadPoolExecutor(os.cpu_count(), initializer=join) as executor:
        try:
            return list(executor.map(function, items))
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            pool.end()
            raise
