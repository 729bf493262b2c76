"""Unfold. The map is written, and tokens are read."""

from __future__ import annotations

from hyq_hls.ops.unfold import Unfold
from hyq_hls.stream.circuits.reorder import ReorderCircuit


class UnfoldCircuit(ReorderCircuit[Unfold]):
    """A reorder buffer whose input is the map."""

    @property
    def map_shape(self) -> tuple[int, ...]:
        return self.inputs[0].shape
