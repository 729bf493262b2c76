"""Which constants lie in the small memories of the engine, so that none is loaded twice."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Ring:
    """A memory that is filled from its begin to its end, and again from its begin.

    What was loaded is known by its bytes until something else takes its place.

    Attributes:
        size: words, groups or banks of the memory.
        kept: first place, and the one behind the last, that are taken if nothing else is left.
    """

    size: int
    kept: tuple[int, int] = (0, 0)
    _next: int = 0
    _held: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def find(self, data: bytes) -> int | None:
        """Return where these bytes begin, or None where they do not lie in the memory."""
        found = self._held.get(data)
        return None if found is None else found[0]

    def take(self, count: int, data: bytes | None = None) -> tuple[int, list[tuple[int, int]]]:
        """Take neighbouring places, for ``data`` or for what the engine writes itself.

        Args:
            count: how many.
            data: the bytes that will lie there; None where nobody will ask for them.

        Returns:
            The first place, and first and last plus one of all parts that are lost.
        """
        start = self._next if self._next + count <= self.size else 0
        if start < self.kept[1] and self.kept[0] < start + count:
            start = self.kept[1] if self.kept[1] + count <= self.size else 0
        stop = start + count
        lost = [(start, stop)]
        for key, (first, last) in list(self._held.items()):
            if first < stop and start < last:
                del self._held[key]
                lost.append((first, last))
        self._next = stop
        if data is not None:
            self._held[data] = (start, stop)
        return start, lost
