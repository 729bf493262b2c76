"""Average pooling whose windows reach over the border of the map, which counts nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from hyq_hls.capture.float_op import FloatOp, Shape


@dataclass(frozen=True, eq=False, repr=False)
class AveragePool(FloatOp):
    """Mean over the positions of a window that lie inside of the map ``(H, W, C)``.

    Attributes:
        kernel: height and width of the window.
        stride: vertical and horizontal step.
        padding: rows above and below, columns left and right.
        less_input: whether the input is subtracted from the means, as the token mixer of PoolFormer
            (arXiv 2111.11418) does it; then the result has the size of the input.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    less_input: bool = False

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(H', W', C)`` for ``(H, W, C)``."""
        self._expect(len(shapes) == 1 and len(shapes[0]) == 3, shapes, "(H, W, C)")
        axes = zip(shapes[0][:2], self.kernel, self.stride, self.padding, strict=True)
        height, width = ((n + 2 * p - k) // s + 1 for n, k, s, p in axes)
        self._expect(min(height, width) > 0, shapes, f"a map not smaller than {self.kernel}")
        found = (height, width, shapes[0][2])
        same = found == shapes[0] or not self.less_input
        self._expect(same, shapes, "means of the size of the map")
        return found

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, H, W, C)`` to ``(B, H', W', C)``."""
        (x,) = inputs
        means = functional.avg_pool2d(
            x.permute(0, 3, 1, 2),
            self.kernel,
            self.stride,
            self.padding,
            count_include_pad=False,
        ).permute(0, 2, 3, 1)
        return means - x if self.less_input else means
