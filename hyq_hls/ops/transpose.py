"""Transpose: rows and columns of every matrix are exchanged, as heads and keys of attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import TensorType


@dataclass(frozen=True, eq=False)
class Transpose(Operation):
    """``y[..., j, i] = x[..., i, j]``; codes do not change.

    Scores (P, N, heads, M) become (P, N, M, heads), so that a dense layer mixes the heads at every
    query and key.
    """

    name: ClassVar[str] = "transpose"

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return the type with the last two axes exchanged.

        Raises:
            GraphError: there is one axis only, or codes differ in scale from channel to channel.
        """
        (x,) = inputs
        if len(x.shape) < 2:
            raise GraphError(f"two axes or more (..., I, J) are wanted, found {x.shape}")
        if x.quantization.per_channel:
            raise GraphError(
                "a transpose moves codes between channels, so that one scale and one zero point "
                "are wanted; found one for each channel"
            )
        *lead, rows, columns = x.shape
        return TensorType((*lead, columns, rows), x.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        transposed: Codes = x.swapaxes(-1, -2).copy()
        return transposed

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        return Bounds(q.qmin, q.qmax)
