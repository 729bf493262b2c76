"""Positions of constant codes before or behind those of a tensor: class tokens and registers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import centred, check_affine, check_zero_points, freeze


@dataclass(frozen=True, eq=False)
class ConcatConstant(Operation):
    """``y = [constant, requantize(x - zero_point)]`` along the last axis of positions.

    With ``first`` false, the constants come last. Every row of positions gets the same constants.
    A ``Constant`` and ``ConcatPositions`` give the same codes, but a join of two streams needs a
    FIFO for a whole frame.

    Attributes:
        constant: codes of the output, (positions, channels).
        first: whether the constants come before the tensor.
        zero_point: zero point of the input, (1,) or (C,).
        requantize: from the centred codes of the input to those of the output.

    Raises:
        GraphError: no constants, or constants that are no codes of the output.
    """

    name: ClassVar[str] = "concat_constant"

    constant: Codes
    first: bool
    zero_point: tuple[int, ...]
    requantize: Requantize

    def __post_init__(self) -> None:
        freeze(self, "constant", 2)
        q = self.requantize.quantization
        if not self.constant.size:
            raise GraphError(
                f"concat_constant has constants of shape {self.constant.shape}; at least one "
                "position with one channel is wanted"
            )
        if self.constant.min() < q.qmin or self.constant.max() > q.qmax:
            raise GraphError(
                f"constants in [{self.constant.min()}, {self.constant.max()}] are no codes of the "
                f"output, whose codes lie in [{q.qmin}, {q.qmax}]"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return the type of the input with more positions.

        Raises:
            GraphError: the input has no axis of positions, other channels, or other zero points.
        """
        (x,) = inputs
        check_affine(x)
        count, channels = self.constant.shape
        if len(x.shape) < 2 or x.channels != channels:
            raise GraphError(
                f"positions with {channels} channels are wanted, found an input {x.shape}"
            )
        check_zero_points(self.zero_point, x)
        self.requantize.check(self.accumulator(x), channels)
        *rows, positions, _ = x.shape
        return TensorType((*rows, positions + count, channels), self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        tensor = self.requantize(x - np.asarray(self.zero_point))
        constant = np.broadcast_to(self.constant, (*x.shape[:-2], *self.constant.shape))
        parts = (constant, tensor) if self.first else (tensor, constant)
        return np.concatenate(parts, axis=-2)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return centred(inputs[0])
