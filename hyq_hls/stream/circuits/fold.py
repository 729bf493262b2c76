"""Fold: tokens are written, the map is read."""

from __future__ import annotations

from hyq_hls.ops.fold import Fold
from hyq_hls.stream.circuits.reorder import ReorderCircuit


class FoldCircuit(ReorderCircuit[Fold]):
    """A reorder buffer behind which the map is."""

    @property
    def map_shape(self) -> tuple[int, ...]:
        return self.output.shape
