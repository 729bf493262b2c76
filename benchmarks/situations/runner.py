"""Tries situations in a process of their own, which may hang or die."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.situations.situation import Place, Situation, attempt

Outcome = dict[str, str]
#: Seconds that a situation may take, compilers included, on a machine that does other work too.
LIMIT = 180
#: Seconds until the place is ready.
_START = 600
#: Bytes of memory beyond which a situation counts as wrong.
_MEMORY = 12 << 30


def try_all(group: str, count: int, progress: Callable[[int], object]) -> list[Outcome]:
    """Return name, outcome and message of all situations of a group, in their order.

    Args:
        group: module of this package with a function ``situations``.
        count: number of its situations.
        progress: called with 1 after each.
    """
    outcomes: list[Outcome] = []
    while len(outcomes) < count:
        here, there = multiprocessing.Pipe(duplex=False)
        worker = multiprocessing.get_context("spawn").Process(
            target=_work, args=(group, len(outcomes), there), daemon=False
        )
        worker.start()
        there.close()
        if not here.poll(_START):
            worker.kill()
            raise SystemExit(f"{group}: the place was not ready after {_START} s")
        name = str(here.recv())
        while name:
            try:
                if not here.poll(LIMIT):
                    worker.kill()
                    outcomes.append({"situation": name, "outcome": "hang", "message": ""})
                    progress(1)
                    break
                outcome, message, following = here.recv()
            except EOFError:
                worker.join()
                died = f"the process ended with status {worker.exitcode}"
                outcomes.append({"situation": name, "outcome": "traceback", "message": died})
                progress(1)
                break
            outcomes.append({"situation": name, "outcome": outcome, "message": message})
            progress(1)
            name = following
        worker.join()
    return outcomes


def of_group(group: str) -> Sequence[Situation]:
    """Return the situations of a module of this package."""
    found: Sequence[Situation] = import_module(f"benchmarks.situations.{group}").situations()
    return found


def _work(group: str, first: int, parent: Connection) -> None:
    """Send the name of the first situation, then outcome, message and the name of the next."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY if hard < 0 else min(hard, _MEMORY), hard))
    with tempfile.TemporaryDirectory(prefix="robustness-") as folder:
        place, todo = Place(Path(folder)), of_group(group)[first:]
        parent.send(todo[0].name)
        for situation, following in zip(todo, [*(s.name for s in todo[1:]), ""], strict=True):
            parent.send((*attempt(situation, place), following))
        os.chdir("/")
