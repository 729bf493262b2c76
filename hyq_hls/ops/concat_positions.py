"""Concatenation of positions on a common grid of codes: tokens behind tokens, maps side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import plain_integers
from hyq_hls.ops.concat import Concat


@dataclass(frozen=True, eq=False)
class ConcatPositions(Concat):
    """``y = [requantize_a(a - zero_point_a), requantize_b(b - zero_point_b)]`` on one axis.

    All codes of an input have one scale and one zero point.

    Attributes:
        axis: the axis without the batch, which is not that of the channels.

    Raises:
        GraphError: not two of each, or codes of different scales, zero points or widths.
    """

    name: ClassVar[str] = "concat_positions"

    axis: int

    def __post_init__(self) -> None:
        super().__post_init__()
        plain_integers(self, "axis")
        first, second = (r.quantization for r in self.requantize)
        if first != second or first.per_channel:
            raise GraphError(
                "both inputs must go to codes of one scale and one zero point for all channels, "
                f"found {first} and {second}"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return the type of the inputs with the positions of both.

        Raises:
            GraphError: the inputs differ in another axis, or do not fit the parameters.
        """
        a, b = inputs
        others = [x.shape[: self.axis] + x.shape[self.axis + 1 :] for x in inputs]
        if not 0 <= self.axis < len(a.shape) - 1 or others[0] != others[1]:
            raise GraphError(
                f"inputs that differ in axis {self.axis} only, which is an axis of positions, are "
                f"wanted, found {a.shape} and {b.shape}"
            )
        self.check_parts(inputs)
        if any(len(zero) > 1 for zero in self.zero_points):
            raise GraphError(
                "one zero point for all channels of an input is wanted, found "
                f"{[len(zero) for zero in self.zero_points]}"
            )
        shape = list(a.shape)
        shape[self.axis] += b.shape[self.axis]
        return TensorType(tuple(shape), self.requantize[0].quantization)

    def reference(self, *codes: Codes) -> Codes:
        return np.concatenate(self.requantized(codes), axis=1 + self.axis)
