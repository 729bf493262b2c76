"""Product of two tensors, element by element; the second may hold for several positions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import centred, check_affine, check_zero_points, product_bounds


@dataclass(frozen=True, eq=False)
class Multiply(Operation):
    """``y = requantize((a - zero_point_a) * (b - zero_point_b))``, element by element.

    The second operand has as many positions as the first, or each of its positions holds for
    equally many positions of the first, in C order: one vector for all positions of a map is the
    gate of a squeeze-excitation. It has all channels, or one that holds for all.

    Attributes:
        zero_points: zero points of each input, (1,) or (C,).
        requantize: accumulator to output code.

    Raises:
        GraphError: not one vector of zero points for each input.
    """

    name: ClassVar[str] = "multiply"
    arity: ClassVar[int | None] = 2

    zero_points: tuple[tuple[int, ...], ...]
    requantize: Requantize

    def __post_init__(self) -> None:
        if len(self.zero_points) != self.arity:
            raise GraphError(
                f"multiply: zero_points for {self.arity} inputs are wanted, found "
                f"{len(self.zero_points)}"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return a tensor of the shape of the first input.

        Raises:
            GraphError: shapes, zero points or lengths do not fit.
        """
        a, b = inputs
        if b.channels not in (1, a.channels) or a.words % b.words:
            raise GraphError(
                f"a second input with {a.channels} channels or one, whose positions divide the "
                f"{a.words} of the first, is wanted; found {a.shape} and {b.shape}"
            )
        for letter, x, zero in zip("ab", inputs, self.zero_points, strict=True):
            check_affine(x, f"input {letter}")
            check_zero_points(zero, x, f"input {letter}")
        self.requantize.check(self.accumulator(a, b), a.channels)
        return TensorType(a.shape, self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        a, b = (
            (x - np.asarray(zero)).reshape(len(x), -1, x.shape[-1])
            for x, zero in zip(codes, self.zero_points, strict=True)
        )
        factors = np.repeat(b, a.shape[1] // b.shape[1], axis=1)
        return self.requantize(a * factors).reshape(codes[0].shape)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return product_bounds(*map(centred, inputs))

    def macs(self, *inputs: TensorType) -> int:
        return inputs[0].size
