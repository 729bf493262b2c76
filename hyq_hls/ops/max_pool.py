"""Max pooling with exact borders: the largest code of those that lie inside of the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import check_affine, plain_pair
from hyq_hls.ops.window import Window


@dataclass(frozen=True, eq=False)
class MaxPool(Window):
    """``y`` is the largest code of a window, channel by channel.

    Scales are positive, so the largest code stands for the largest value, and the result has the
    quantization of the input. The border is the smallest code, which never wins.

    Attributes:
        kernel: height and width of the window.
        stride: vertical and horizontal step.
        padding: rows above and below, columns left and right; at most half of the kernel.
        pad_value: smallest code of the input, (1,), which is the code of the border.

    Raises:
        GraphError: the geometry does not fit.
    """

    name: ClassVar[str] = "max_pool"

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    pad_value: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "padding"):
            plain_pair(self, name)
        if any(2 * pad > size for pad, size in zip(self.padding, self.kernel, strict=True)):
            raise GraphError(
                f"padding {self.padding} is more than half of the window {self.kernel}, so that a "
                "window may lie outside of the map; use at most half"
            )

    @property
    def window(self) -> tuple[int, int]:
        return self.kernel

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return the map of maxima.

        Raises:
            GraphError: the input is no map, or has another smallest code.
        """
        (x,) = inputs
        check_affine(x)
        if len(x.shape) != 3:
            raise GraphError(f"a map (H, W, C) is wanted, found {x.shape}")
        if self.pad_value != (x.quantization.qmin,):
            raise GraphError(
                f"the smallest code of the input is {x.quantization.qmin}, the operation was built "
                f"for a border of {self.pad_value}"
            )
        height, width = self.output_size(*x.shape[:2])
        return TensorType((height, width, x.channels), x.quantization)

    def reference(self, *codes: Codes) -> Codes:
        found: Codes = self.windows(codes[0]).max(axis=(-1, -2))
        return found

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        return Bounds(q.qmin, q.qmax)
