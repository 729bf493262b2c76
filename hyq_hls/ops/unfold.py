"""Unfold: a map becomes tokens, pixels of a patch apart, as MobileViT does."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.folding import Folding
from hyq_hls.graph.kernel import Kernel, Memory
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


def reorder_kernel(map_shape: tuple[int, ...], patch: tuple[int, int], folding: Folding) -> Kernel:
    """Sizes of a reorder buffer that holds a map (H, W, C)."""
    height, width, channels = map_shape
    return Kernel(
        constants={
            "height": height,
            "width": width,
            "channels": channels,
            "patch_height": patch[0],
            "patch_width": patch[1],
            "in_lanes": folding.inputs,
            "out_lanes": folding.outputs,
        }
    )


@dataclass(frozen=True, eq=False)
class Unfold(Operation):
    """Pixel ``(i*ph + a, j*pw + b)`` of a map becomes token ``(a*pw + b, i*(W/pw) + j)``.

    (H, W, C) to (P, N, C), P = ph * pw pixels of a patch, N patches. Codes do not change.

    Args:
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
        return x.transpose(0, 2, 4, 1, 3, 5).reshape(batch, ph * pw, -1, channels)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        return Bounds(q.qmin, q.qmax)

    def frames_inside(self, *inputs: TensorType) -> Fraction:
        return 1 + Fraction(1, inputs[0].words)

    def memories(self, folding: Folding, *inputs: TensorType) -> list[Memory]:
        (x,) = inputs
        return [Memory(folding.inputs * x.quantization.bits, 2 * x.size // folding.inputs)]

    def cycles(self, folding: Folding, *inputs: TensorType) -> int:
        return inputs[0].size // folding.inputs

    def latency(self, folding: Folding, *inputs: TensorType) -> int:
        return 2 * self.cycles(folding, *inputs)  # store a frame, then send it

    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        return reorder_kernel(inputs[0].shape, self.patch, folding)
