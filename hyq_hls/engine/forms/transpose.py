"""Transpose of scores: heads behind keys, where heads are mixed."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops import Transpose


@dataclass(frozen=True)
class Turned:
    """Codes whose heads and keys change places; in the engine they do not move."""

    def execute(self, codes: Codes) -> Codes:
        """Return the stored codes in their new places."""
        turned: Codes = codes.swapaxes(-1, -2)
        return turned


def transpose(operation: Transpose, x: TensorType) -> Turned:
    """Return the turned scores.

    Raises:
        ConversionError: the tensor is none of scores.
    """
    del operation
    if len(x.shape) != 4:
        raise ConversionError(
            f"a transpose of {x.shape}; the engine turns scores (pixels, queries, heads, keys) "
            "alone, around a dense layer that mixes heads; choose the streaming architecture"
        )
    return Turned()
