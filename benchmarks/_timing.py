"""Timing that the benchmark scripts share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def shortest(run: Callable[[], object], repeats: int) -> float:
    """Return the seconds of the fastest of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def alternated(runs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the CPU seconds of the fastest of several runs of each, taken in turns.

    So a machine that others use is as busy for one as for the other.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    return {name: min(found) for name, found in seconds.items()}
