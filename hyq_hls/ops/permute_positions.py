"""Positions of a tensor in another order, such as the windows of a map, shifted or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import freeze


@dataclass(frozen=True, eq=False)
class PermutePositions(Operation):
    """``y[a, b] = x[order[a, b]]``, with the positions of ``x`` counted in C order.

    The shape goes from (X, Y, C) to (A, B, C) with X * Y = A * B. Codes do not change. So windows
    become sequences of an attention, ``(windows, pixels of a window, C)``, and a map again.

    Attributes:
        order: int64 (A, B), the position of the input that each position of the output shows; every
            position is there once.

    Raises:
        GraphError: the order has other axes, or is no permutation.
    """

    name: ClassVar[str] = "permute_positions"

    order: Codes

    def __post_init__(self) -> None:
        freeze(self, "order", 2)
        if not self.order.size or not np.array_equal(
            np.sort(self.order, axis=None), np.arange(self.order.size)
        ):
            raise GraphError(
                f"permute_positions order: each of 0 .. {self.order.size - 1} once is wanted, "
                f"found {self.order.ravel().tolist()!r:.60}"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return the type of the input with the axes of the order.

        Raises:
            GraphError: the input has other axes, or another number of positions.
        """
        (x,) = inputs
        if len(x.shape) != 3 or x.words != self.order.size:
            raise GraphError(
                f"an input of {self.order.size} positions (X, Y, C) is wanted, found {x.shape}"
            )
        return TensorType((*self.order.shape, x.channels), x.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        return x.reshape(len(x), self.order.size, -1)[:, self.order]

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        return Bounds(q.qmin, q.qmax)
