"""Fold: tokens become a map again; the inverse of unfold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.unfold import check_patch


@dataclass(frozen=True, eq=False)
class Fold(Operation):
    """Token ``(a*pw + b, i*(W/pw) + j)`` becomes pixel ``(i*ph + a, j*pw + b)`` of a map.

    The shape goes from (P, N, C) to (H, W, C). Codes do not change.

    Attributes:
        patch: height and width of a patch (ph, pw).
        height: height of the map.
        width: width of the map.

    Raises:
        GraphError: the patch does not divide the map.
    """

    name: ClassVar[str] = "fold"

    patch: tuple[int, int]
    height: int
    width: int

    def __post_init__(self) -> None:
        check_patch(self.patch, self.height, self.width)

    def output_type(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        pixels = self.patch[0] * self.patch[1]
        wanted = (pixels, self.height * self.width // pixels)
        if len(x.shape) != 3 or x.shape[:2] != wanted:
            raise GraphError(f"tokens ({wanted[0]}, {wanted[1]}, C) are wanted, found {x.shape}")
        return TensorType((self.height, self.width, x.channels), x.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        (ph, pw), (batch, *_, channels) = self.patch, x.shape
        x = x.reshape(batch, ph, pw, self.height // ph, self.width // pw, channels)
        x = x.transpose(0, 3, 1, 4, 2, 5)
        folded: Codes = x.reshape(batch, self.height, self.width, channels)
        return folded

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        return Bounds(q.qmin, q.qmax)
