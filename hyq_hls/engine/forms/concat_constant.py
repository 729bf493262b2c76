"""Constant positions beside a tensor: they are copied from DRAM, and the tensor is requantized."""

from __future__ import annotations

import numpy as np

from hyq_hls.engine.forms.moves import Move, Moves, positions
from hyq_hls.engine.forms.requantize import requantized
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import ConcatConstant


def concat_constant(operation: ConcatConstant, x: TensorType) -> Moves:
    """Return the constant positions of every row, and those of the tensor."""
    places = positions(operation.output_type(x))
    count, first = len(operation.constant), operation.first
    constants, others = (
        (places[..., :count], places[..., count:])
        if first
        else (places[..., -count:], places[..., :-count])
    )
    rows = constants.size // count
    stored = operation.constant - operation.requantize.quantization.qmin
    own = Move(np.tile(np.arange(count), rows), constants.ravel(), None, stored)
    sums = requantized(operation.requantize, operation.zero_point, x)
    return Moves((own, Move(positions(x).ravel(), others.ravel(), sums=sums)))
