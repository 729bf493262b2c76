"""Unfold: a map becomes tokens, pixels of a patch apart, as MobileViT does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.types import TensorType


def check_patch(patch: tuple[int, int], height: int, width: int) -> None:
    """Raise ``GraphError`` unless the patch divides the map."""
    ph, pw = patch
    if min(ph, pw, height, width) < 1 or height % ph or width % pw:
        raise GraphError(
            f"patch {ph} x {pw} does not divide a map of {height} x {width}; choose an image size "
            "whose map is a multiple of the patch"
        )


@dataclass(frozen=True, eq=False)
class Unfold(Operation):
    """Pixel ``(i*ph + a, j*pw + b)`` of a map becomes token ``(a*pw + b, i*(W/pw) + j)``.

    The shape goes from (H, W, C) to (P, N, C), with P = ph * pw pixels of a patch and N patches.
    Codes do not change.

    Attributes:
        patch: height and width of a patch (ph, pw); it divides the map.
    """

    name: ClassVar[str] = "unfold"

    patch: tuple[int, int]

    def output_type(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        if len(x.shape) != 3:
            raise GraphError(f"a map (H, W, C) is wanted, found {x.shape}")
        height, width, channels = x.shape
        check_patch(self.patch, height, width)
        pixels = self.patch[0] * self.patch[1]
        return TensorType((pixels, height * width // pixels, channels), x.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        (ph, pw), (batch, height, width, channels) = self.patch, x.shape
        x = x.reshape(batch, height // ph, ph, width // pw, pw, channels)
        tokens: Codes = x.transpose(0, 2, 4, 1, 3, 5).reshape(batch, ph * pw, -1, channels)
        return tokens

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        return Bounds(q.qmin, q.qmax)
