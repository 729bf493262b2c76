"""Timing that the benchmark scripts share."""

from __future__ import annotations

import time
from collections.abc import Callable


def shortest(run: Callable[[], object], repeats: int) -> float:
    """Return the seconds of the fastest of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)
