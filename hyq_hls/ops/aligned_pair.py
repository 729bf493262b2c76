"""The base of operations on two tensors whose codes are brought to a common scale first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import check_affine, check_zero_points


@dataclass(frozen=True, eq=False)
class AlignedPair(Operation):
    """The terms ``multiplier_i * (x_i - zero_point_i)`` of two inputs, which a subclass combines.

    The multipliers bring the inputs to a common scale: ``scale_i = multiplier_i * common scale``.
    They are powers of two, and shifts in hardware, when all scales are.

    Attributes:
        multipliers: multipliers of each input, positive int64 (1,) or (C,).
        zero_points: zero points of each input, (1,) or (C,).
        requantize: accumulator to output code.

    Raises:
        GraphError: not one multiplier vector and one zero point vector for each input, or a
            multiplier that is no positive integer.
    """

    arity: ClassVar[int | None] = 2

    multipliers: tuple[Codes, ...]
    zero_points: tuple[tuple[int, ...], ...]
    requantize: Requantize

    def __post_init__(self) -> None:
        for what in ("multipliers", "zero_points"):
            if len(getattr(self, what)) != self.arity:
                raise GraphError(
                    f"{self.name}: {what} for {self.arity} inputs are wanted, found "
                    f"{len(getattr(self, what))}"
                )
        object.__setattr__(self, "multipliers", tuple(map(self._multiplier, self.multipliers)))

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return a tensor of the shape of both inputs.

        A vector and a map of one position fit; the result has the shape of the first.

        Raises:
            GraphError: shapes, zero points or lengths do not fit.
        """
        a, b = inputs
        if a.shape != b.shape and (a.size, b.size) != (a.channels, a.channels):
            raise GraphError(f"two inputs of one shape are wanted, found {a.shape} and {b.shape}")
        for letter, x, zero, factor in zip(
            "ab", inputs, self.zero_points, self.multipliers, strict=True
        ):
            check_affine(x, f"input {letter}")
            check_zero_points(zero, x, f"input {letter}")
            if factor.size not in (1, x.channels):
                raise GraphError(
                    f"input {letter} has {factor.size} multipliers for {x.channels} channels; one, "
                    "or one per channel, is wanted"
                )
        self.requantize.check(self.accumulator(a, b), a.channels)
        return TensorType(a.shape, self.requantize.quantization)

    def terms(self, *codes: Codes) -> tuple[Codes, Codes]:
        """Return the term of each input, in the shape of the first."""
        a, b = (
            (factor * (x - np.asarray(zero))).reshape(codes[0].shape)
            for x, zero, factor in zip(codes, self.zero_points, self.multipliers, strict=True)
        )
        return a, b

    def term_bounds(self, *inputs: TensorType) -> list[tuple[NDArray[np.object_], ...]]:
        """Return the smallest and the largest term (C,) of each input, as Python's integers.

        A zero point is a code, so that zero lies between them.
        """
        found = []
        for x, zero, factor in zip(inputs, self.zero_points, self.multipliers, strict=True):
            exact, z = factor.astype(object), np.asarray(zero, dtype=object)
            ends = (exact * (end - z) for end in (x.quantization.qmin, x.quantization.qmax))
            found.append(tuple(np.broadcast_to(end, x.channels) for end in ends))
        return found

    def _multiplier(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        array = np.atleast_1d(np.asarray(values))
        integers = np.issubdtype(array.dtype, np.integer)
        if array.ndim != 1 or not integers or array.min(initial=1) < 1:
            raise GraphError(
                f"{self.name}: multipliers are vectors of positive integers, found {array.dtype} "
                f"{array}; make the common scale the smallest one"
            )
        array = array.astype(np.int64)
        array.setflags(write=False)
        return array


def bounds_of(low: NDArray[np.object_], high: NDArray[np.object_]) -> Bounds:
    """Return the bounds of the values between ``low`` and ``high`` (C,) of all channels."""
    return Bounds(int(low.min()), int(high.max()))
