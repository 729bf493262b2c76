"""Average pooling with exact borders: a mean over the positions that lie inside of the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import (
    centred,
    check_affine,
    check_zero_points,
    freeze,
    plain_integers,
    plain_pair,
)
from hyq_hls.ops.window import Window


@dataclass(frozen=True, eq=False)
class AveragePool(Window):
    """``y = requantize(factor[n - 1] * sum(x - zero) - centre * (x[centre] - zero))``.

    The sum is that of a window, of which n positions lie inside of the map; a border counts
    nothing. A factor stands for ``1 / n``, so that corners and edges have means of their own. The
    token mixer of PoolFormer and EfficientFormer, ``pool(x) - x``, has the number ``centre`` for 1.

    Attributes:
        kernel: height and width of the window.
        stride: vertical and horizontal step.
        padding: rows above and below, columns left and right; at most half of the kernel.
        pad_value: zero point of the input, (1,) or (C,).
        factor: positive factors (kernel height * kernel width,) of windows with 1, 2, ... positions
            inside.
        centre: factor by which the code in the middle of the window is subtracted; 0 or more. Where
            it is not 0, the result has the size of the input.
        requantize: accumulator to output code.

    Raises:
        GraphError: factors or geometry do not fit.
    """

    name: ClassVar[str] = "average_pool"

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    pad_value: tuple[int, ...]
    factor: Codes
    centre: int
    requantize: Requantize

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "padding"):
            plain_pair(self, name)
        freeze(self, "factor", 1)
        plain_integers(self, "centre")
        (kh, kw), (ph, pw) = self.kernel, self.padding
        if self.factor.size != kh * kw or self.factor.min(initial=1) < 1:
            raise GraphError(
                f"average_pool has {self.factor.size} factors from {self.factor.min(initial=1)} on "
                f"for a window {self.kernel}; one positive factor for each number of positions "
                f"inside, 1 to {kh * kw}, is wanted"
            )
        if 2 * ph > kh or 2 * pw > kw:
            raise GraphError(
                f"padding {self.padding} is more than half of the window {self.kernel}, so that a "
                "window may lie outside of the map; use at most half"
            )
        same = (2 * ph + 1, 2 * pw + 1) == (kh, kw) and self.stride == (1, 1)
        if self.centre < 0 or (self.centre and not same):
            raise GraphError(
                f"average_pool subtracts {self.centre} times the input from means of windows "
                f"{self.kernel} with stride {self.stride} and padding {self.padding}; a window "
                "around each position, and a factor of 0 or more, are wanted"
            )

    @property
    def window(self) -> tuple[int, int]:
        return self.kernel

    def inside(self, height: int, width: int) -> tuple[Codes, Codes]:
        """Return how many rows (H',) and columns (W',) of each window lie inside of the map."""
        found = []
        axes = zip((height, width), self.kernel, self.stride, self.padding, strict=True)
        for count, (size, kernel, stride, pad) in zip(
            self.output_size(height, width), axes, strict=True
        ):
            first = np.arange(count) * stride - pad
            found.append(np.minimum(first + kernel, size) - np.maximum(first, 0))
        rows, columns = found
        return rows, columns

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return the map of means.

        Raises:
            GraphError: the input is no map, or zero points or widths do not fit.
        """
        (x,) = inputs
        check_affine(x)
        if len(x.shape) != 3:
            raise GraphError(f"a map (H, W, C) is wanted, found {x.shape}")
        check_zero_points(self.pad_value, x)
        height, width = self.output_size(*x.shape[:2])
        self.requantize.check(self.accumulator(x), x.channels)
        return TensorType((height, width, x.channels), self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        zero = np.asarray(self.pad_value)
        rows, columns = self.inside(*x.shape[1:3])
        sums = (self.windows(x) - zero[:, None, None]).sum(axis=(-1, -2))
        acc = sums * self.factor[np.outer(rows, columns) - 1][..., None]
        return self.requantize(acc - self.centre * (x - zero) if self.centre else acc)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        one = centred(inputs[0]) | Bounds(0, 0)
        rows, columns = self.inside(*inputs[0].shape[:2])
        found = Bounds(0, 0)
        for n in np.unique(np.outer(rows, columns)).tolist():
            factor = int(self.factor[n - 1])
            middle = factor - self.centre
            positive, negative = factor * (n - 1) + max(middle, 0), min(middle, 0)
            found |= Bounds(
                positive * one.low + negative * one.high, positive * one.high + negative * one.low
            )
        return found

    def macs(self, *inputs: TensorType) -> int:
        height, width = self.output_size(*inputs[0].shape[:2])
        return height * width * inputs[0].channels * self.factor.size
