"""Upsample: a map of twice the height and width, whose codes keep their scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import check_affine

UpsampleMode = Literal["bilinear", "nearest"]


@dataclass(frozen=True, eq=False)
class Upsample(Operation):
    """``y = (9*a + 3*b + 3*c + d + 8) >> 4``, or ``y = a``, for twice the height and width.

    The four codes lie around the pixel of the result: ``a`` is the nearest, ``b`` lies in the other
    column, ``c`` in the other row, ``d`` in both. A border repeats its codes. The factors sum up to
    16, so that codes keep scale and zero point, and no code saturates. PyTorch calls this
    ``scale_factor=2`` without aligned corners.

    Attributes:
        mode: ``bilinear``, or ``nearest`` for copies.

    Raises:
        GraphError: there is no such mode.
    """

    name: ClassVar[str] = "upsample"

    mode: UpsampleMode

    def __post_init__(self) -> None:
        if self.mode not in get_args(UpsampleMode):
            raise GraphError(
                f"upsample mode {self.mode!r} is unknown; choose one of "
                f"{', '.join(get_args(UpsampleMode))}"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return the map (2H, 2W, C).

        Raises:
            GraphError: the input is no map, or has exponents as codes between which nothing lies.
        """
        (x,) = inputs
        if len(x.shape) != 3:
            raise GraphError(f"a map (H, W, C) is wanted, found {x.shape}")
        if self.mode == "bilinear":
            check_affine(x)
        height, width, channels = x.shape
        return TensorType((2 * height, 2 * width, channels), x.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        if self.mode == "nearest":
            return np.repeat(np.repeat(x, 2, axis=1), 2, axis=2)
        sixteenths: Codes = _doubled(_doubled(x, 1), 2)
        return (sixteenths + 8) >> 4

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        if self.mode == "nearest":
            return Bounds(q.qmin, q.qmax)
        return Bounds(16 * q.qmin, 16 * q.qmax + 8)


def _doubled(x: Codes, axis: int) -> Codes:
    """Return twice as many lines along an axis, each as ``3 * nearer + farther``."""
    last = x.shape[axis] - 1
    places = np.arange(last + 1)
    before = x.take(np.maximum(places - 1, 0), axis)
    after = x.take(np.minimum(places + 1, last), axis)
    pairs = np.stack((3 * x + before, 3 * x + after), axis + 1)
    return pairs.reshape(*x.shape[:axis], -1, *x.shape[axis + 1 :])
