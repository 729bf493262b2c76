"""Exact comparison of integers, and signal-to-noise of real values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Difference:
    r"""The first place where two levels disagree.

    Attributes:
        level: the level that disagrees with the one before it.
        node: tensor name.
        index: (image, \*position).
        expected: code of the level before.
        found: code of this level.
        count: number of differing codes in this tensor.
    """

    level: str
    node: str
    index: tuple[int, ...]
    expected: int
    found: int
    count: int

    def __str__(self) -> str:
        return (
            f"{self.level} differs first at {self.node}{list(self.index)}: expected "
            f"{self.expected}, found {self.found} ({self.count} codes differ in this tensor)"
        )


def first_difference(
    level: str, node: str, expected: NDArray[np.int64], found: NDArray[np.int64]
) -> Difference | None:
    """Return where two first differ; None when they are equal in shape and every code.

    Raises:
        ValueError: shapes differ.
    """
    if expected.shape != found.shape:
        raise ValueError(f"{node}: {level} has shape {found.shape}, {expected.shape} is wanted")
    if np.array_equal(expected, found):
        return None
    places = np.argwhere(expected != found)
    index = tuple(int(i) for i in places[0])
    return Difference(level, node, index, int(expected[index]), int(found[index]), len(places))
