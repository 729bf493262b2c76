"""Dense and depthwise convolution share a window that slides over a padded map."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import (
    check_affine,
    check_fits,
    check_zero_points,
    dot_bounds,
    freeze,
    partial_sum_bounds,
    plain_pair,
)


@dataclass(frozen=True, eq=False)
class Convolution(Operation):
    """Weights, geometry and requantization of a convolution.

    The map is padded with the input's zero point, and ``bias`` holds ``-sum(weight * zero_point)``,
    so that raw codes are multiplied.

    Attributes:
        weight_axes: number of axes of the weights.
        weight: int64 (out channels, kernel height, kernel width, ...).
        weight_bits: width of a weight, two's complement.
        bias: int64 (out channels,), zero-point correction included.
        stride: vertical and horizontal step.
        padding: rows above and below, columns left and right.
        pad_value: zero point of the input, (1,) or (C,).
        requantize: accumulator to output code.

    Raises:
        GraphError: weights that do not fit their bits, or arrays of wrong shape.
    """

    weight_axes: ClassVar[int]

    weight: Codes
    weight_bits: int
    bias: Codes
    stride: tuple[int, int]
    padding: tuple[int, int]
    pad_value: tuple[int, ...]
    requantize: Requantize

    def __post_init__(self) -> None:
        freeze(self, "weight", self.weight_axes)
        freeze(self, "bias", 1)
        for name in ("stride", "padding"):
            plain_pair(self, name)
        check_fits(self.weight, self.weight_bits, "weights")
        if self.bias.size != self.weight.shape[0]:
            raise GraphError(f"{self.bias.size} biases for {self.weight.shape[0]} output channels")

    @property
    @abstractmethod
    def in_channels(self) -> int:
        """Channels of the input."""

    @property
    def window(self) -> tuple[int, int]:
        """Kernel height and width."""
        return self.weight.shape[1], self.weight.shape[2]

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the output.

        Raises:
            GraphError: nothing is left.
        """
        if min(*self.stride, *self.window) < 1 or min(self.padding) < 0:
            raise GraphError(
                f"window {self.window} and stride {self.stride} must be positive, padding "
                f"{self.padding} not negative"
            )
        sizes = []
        axes = zip((height, width), self.window, self.stride, self.padding, strict=True)
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
                f"window {self.window} with padding {self.padding} is larger than the map of "
                f"{(height, width)}"
            )
        return h, w

    def output_type(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check_affine(x)
        if len(x.shape) != 3 or x.channels != self.in_channels:
            raise GraphError(f"a map (H, W, {self.in_channels}) is wanted, found {x.shape}")
        check_zero_points(self.pad_value, x)
        out_channels = self.weight.shape[0]
        self.requantize.check(self.accumulator(x), out_channels)
        h, w = self.output_size(x.shape[0], x.shape[1])
        return TensorType((h, w, out_channels), self.requantize.quantization)

    def windows(self, x: Codes) -> Codes:
        """Return windows (B, H', W', C, kernel height, kernel width) of maps (B, H, W, C)."""
        (ph, pw), (b, h, w, c) = self.padding, x.shape
        padded = np.empty((b, h + 2 * ph, w + 2 * pw, c), dtype=np.int64)
        padded[:] = np.asarray(self.pad_value)
        padded[:, ph : ph + h, pw : pw + w] = x
        views = np.lib.stride_tricks.sliding_window_view(padded, self.window, axis=(1, 2))
        return views[:, :: self.stride[0], :: self.stride[1]]

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        rows = self.weight.reshape(self.weight.shape[0], -1)
        return dot_bounds(rows, self.bias, q.qmin, q.qmax)

    def partial_sums(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        rows = self.weight.reshape(self.weight.shape[0], -1)
        return partial_sum_bounds(rows, self.bias, q.qmin, q.qmax)

    def macs(self, *inputs: TensorType) -> int:
        h, w = self.output_size(*inputs[0].shape[:2])
        return h * w * self.weight.size
