"""Fold. Tokens are written, and the map is read."""

from __future__ import annotations

from hyq_hls.ops.fold import Fold
from hyq_hls.stream.circuits.reorder import ReorderCircuit


class FoldCircuit(ReorderCircuit[Fold]):
    """A reorder buffer whose output is the map."""

    @property
    def map_shape(self) -> tuple[int, ...]:
        return self.output.shape
