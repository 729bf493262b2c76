"""Places in DRAM of everything that lives between two nodes."""

from __future__ import annotations

from hyq_hls.engine.compiler.emitter import ALIGNMENT
from hyq_hls.engine.layout import ceil_div


class Scratch:
    """Places of tensors that live for a while: the first gap that is large enough.

    Attributes:
        size: bytes that were ever needed.
    """

    def __init__(self) -> None:
        self.size = 0
        self._taken: list[tuple[int, int]] = []

    def take(self, size: int) -> int:
        """Return the offset of ``size`` bytes that nobody else has."""
        needed, start = ceil_div(size, ALIGNMENT) * ALIGNMENT, 0
        for begin, end in self._taken:
            if start + needed <= begin:
                break
            start = end
        self._taken.append((start, start + needed))
        self._taken.sort()
        self.size = max(self.size, start + needed)
        return start

    def give(self, start: int) -> tuple[int, int]:
        """Give bytes back; return their first and last plus one."""
        found = next(pair for pair in self._taken if pair[0] == start)
        self._taken.remove(found)
        return found
