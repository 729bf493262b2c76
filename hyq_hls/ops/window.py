"""A window that slides over a padded map: convolutions and poolings share its geometry."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Codes, Operation


class Window(Operation):
    """An operation that computes each position of its result from a window of its input.

    Attributes:
        stride: vertical and horizontal step.
        padding: rows above and below, columns left and right.
        pad_value: code of the border, (1,) or (C,).
        dilation: rows and columns from one tap of the window to the next.
    """

    stride: tuple[int, int]
    padding: tuple[int, int]
    pad_value: tuple[int, ...]
    dilation: tuple[int, int] = (1, 1)

    @property
    @abstractmethod
    def window(self) -> tuple[int, int]:
        """Taps of the window, vertically and horizontally."""

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns of the map from the first tap of a window to its last."""
        (height, width), (down, right) = self.window, self.dilation
        return (height - 1) * down + 1, (width - 1) * right + 1

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the output.

        Raises:
            GraphError: nothing is left.
        """
        if min(*self.stride, *self.window, *self.dilation) < 1 or min(self.padding) < 0:
            raise GraphError(
                f"window {self.window}, stride {self.stride} and dilation {self.dilation} must be "
                f"positive, padding {self.padding} not negative"
            )
        sizes = []
        axes = zip((height, width), self.extent, self.stride, self.padding, strict=True)
        for what, (size, kernel, stride, pad) in zip(("height", "width"), axes, strict=True):
            if pad > kernel:
                raise GraphError(
                    f"padding {pad} is more than the {what} {kernel} of the window, which sees "
                    f"nothing else there; use at most {kernel}"
                )
            if stride > size + 2 * pad:
                raise GraphError(
                    f"stride {stride} leaves the padded {what} {size + 2 * pad} of the map after "
                    f"one window; a stride of {size + 2 * pad} gives the same"
                )
            sizes.append((size + 2 * pad - kernel) // stride + 1)
        h, w = sizes
        if min(h, w) < 1:
            raise GraphError(
                f"window {self.extent} with padding {self.padding} is larger than the map of "
                f"{(height, width)}"
            )
        return h, w

    def windows(self, x: Codes) -> Codes:
        """Return windows (B, H', W', C, kernel height, kernel width) of maps (B, H, W, C)."""
        (ph, pw), (b, h, w, c) = self.padding, x.shape
        padded = np.empty((b, h + 2 * ph, w + 2 * pw, c), dtype=np.int64)
        padded[:] = np.asarray(self.pad_value)
        padded[:, ph : ph + h, pw : pw + w] = x
        views = np.lib.stride_tricks.sliding_window_view(padded, self.extent, axis=(1, 2))
        (down, right), (rows, columns) = self.stride, self.dilation
        return views[:, ::down, ::right, :, ::rows, ::columns]
