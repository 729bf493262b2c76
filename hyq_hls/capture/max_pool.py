"""Max pooling of a map, whose border never is the maximum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from hyq_hls.capture.float_op import FloatOp, Shape


@dataclass(frozen=True, eq=False, repr=False)
class MaxPool(FloatOp):
    """Maximum over the positions of a window that lie inside of the map ``(H, W, C)``.

    Attributes:
        kernel: height and width of the window.
        stride: vertical and horizontal step.
        padding: rows above and below, columns left and right.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return ``(H', W', C)`` for ``(H, W, C)``."""
        self._expect(len(shapes) == 1 and len(shapes[0]) == 3, shapes, "(H, W, C)")
        axes = zip(shapes[0][:2], self.kernel, self.stride, self.padding, strict=True)
        height, width = ((n + 2 * p - k) // s + 1 for n, k, s, p in axes)
        self._expect(min(height, width) > 0, shapes, f"a map not smaller than {self.kernel}")
        return (height, width, shapes[0][2])

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Map ``(B, H, W, C)`` to ``(B, H', W', C)``."""
        (x,) = inputs
        found = functional.max_pool2d(x.permute(0, 3, 1, 2), self.kernel, self.stride, self.padding)
        return found.permute(0, 2, 3, 1)
