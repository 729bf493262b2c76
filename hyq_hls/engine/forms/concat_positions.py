"""Concatenated positions: both inputs are requantized on the way to their places."""

from __future__ import annotations

from hyq_hls.engine.forms.moves import Move, Moves, positions
from hyq_hls.engine.forms.requantize import requantized
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import ConcatPositions


def concat_positions(operation: ConcatPositions, *inputs: TensorType) -> Moves:
    """Return the positions of both inputs."""
    places = positions(operation.output_type(*inputs))
    found, start = [], 0
    for which, (x, requantize, zero) in enumerate(
        zip(inputs, operation.requantize, operation.zero_points, strict=True)
    ):
        stop = start + x.shape[operation.axis]
        own = places.take(range(start, stop), operation.axis).ravel()
        sums = requantized(requantize, zero, x)
        found.append(Move(positions(x).ravel(), own, which, sums=sums))
        start = stop
    return Moves(tuple(found))
