"""Concatenation of positions: the circuit that joins channels, whose turns are longer."""

from __future__ import annotations

from fractions import Fraction
from math import prod

from hyq_hls.ops.concat_positions import ConcatPositions
from hyq_hls.stream.circuits.concat import ConcatCircuit


class ConcatPositionsCircuit(ConcatCircuit):
    """A turn of an input has all its positions behind the joined axis, one after the other."""

    operation: ConcatPositions

    @property
    def module(self) -> str:
        return "concat"

    @property
    def sizes(self) -> dict[str, int]:
        a, b = self.inputs
        axis = self.operation.axis
        turns = prod(a.shape[:axis])
        return {"words": turns, "channels_a": a.size // turns, "channels_b": b.size // turns}

    @property
    def frames_inside(self) -> Fraction:
        # The second input may wait for the whole first one.
        return 1 + Fraction(8, min(x.words for x in self.inputs))
