"""Folding: how many codes an operation takes and gives per cycle."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Folding:
    """Parallelism of one operation, in lanes of a stream word.

    A stream word carries ``lanes`` neighbouring channels of one position. An operation that
    multiplies has ``outputs * inputs`` multipliers; one that maps element by element has as many
    output lanes as input lanes.

    Attributes:
        outputs: codes of an output word.
        inputs: codes of an input word.
    """

    outputs: int = 1
    inputs: int = 1

    def __str__(self) -> str:
        return f"{self.outputs} x {self.inputs}"


def divisors(number: int) -> list[int]:
    """Return all divisors, ascending: the lanes that ``number`` channels allow."""
    return [d for d in range(1, number + 1) if number % d == 0]


def equal_lanes(channels: int) -> list[Folding]:
    """Return the foldings of an operation that gives as many codes per word as it takes."""
    return [Folding(lanes, lanes) for lanes in divisors(channels)]
