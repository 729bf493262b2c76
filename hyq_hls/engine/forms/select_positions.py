"""Selected positions: copies of those that stay."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.moves import Move, Moves, positions
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import SelectPositions


def select_positions(operation: SelectPositions, x: TensorType) -> Moves:
    """Return the positions that stay, in their order."""
    chosen = positions(x)[np.ix_(operation.rows, operation.columns)].ravel()
    return Moves((Move(chosen, np.arange(chosen.size)),))
