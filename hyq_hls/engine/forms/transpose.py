"""Transpose: heads behind keys where heads are mixed, or channels in the place of pixels."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.engine.forms.attended import check_byte
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Transpose


@dataclass(frozen=True)
class Turned:
    """Codes whose last two axes change places.

    Scores do not move in the engine. Of other tensors, pixels become weights, as keys do, and meet
    ones, so that a channel becomes a pixel.

    Attributes:
        moves: whether the codes move.
    """

    moves: bool

    def execute(self, codes: Codes) -> Codes:
        """Return the stored codes in their new places."""
        turned: Codes = codes.swapaxes(-1, -2)
        return turned


def transpose(operation: Transpose, x: TensorType) -> Turned:
    """Return the turned codes.

    Raises:
        ConversionError: a code that moves has more than a byte, or the tensor has other axes.
    """
    del operation
    if len(x.shape) == 4:
        return Turned(moves=False)
    if len(x.shape) != 3:
        raise ConversionError(
            f"a transpose of {x.shape}; the engine turns scores (pixels, queries, heads, keys), "
            "maps and tokens (rows, pixels, channels); choose the streaming architecture"
        )
    check_byte(x, "transposed codes")
    return Turned(moves=True)
