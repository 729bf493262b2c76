"""Depthwise 2-D convolution: every channel of a feature map has a window of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.kernel import Kernel, Rom
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize, requantized_kernel
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import (
    check_affine,
    check_fits,
    check_zero_points,
    dot_bounds,
    freeze,
    width_of,
)
from hyq_hls.ops.conv2d import output_size, pad_map


@dataclass(frozen=True, eq=False)
class DepthwiseConv2d(Operation):
    """``y[c] = requantize(bias[c] + sum(weight[c] * x[c]))`` over a sliding window.

    The map is padded with the input's zero point, and ``bias`` holds ``-sum(weight * zero_point)``,
    so that raw codes are multiplied.

    Args:
        weight: int64 (C, kernel height, kernel width).
        weight_bits: width of a weight, two's complement.
        bias: int64 (C,), zero-point correction included.
        stride: vertical, horizontal.
        padding: rows above and below, columns left and right.
        pad_value: zero point of the input, (1,) or (C,).
        requantize: accumulator to output code.

    Raises:
        GraphError: weights or biases that do not fit their bits, or of wrong shape.
    """

    name: ClassVar[str] = "depthwise_conv2d"

    weight: Codes
    weight_bits: int
    bias: Codes
    stride: tuple[int, int]
    padding: tuple[int, int]
    pad_value: tuple[int, ...]
    requantize: Requantize

    def __post_init__(self) -> None:
        freeze(self, "weight", 3)
        freeze(self, "bias", 1)
        check_fits(self.weight, self.weight_bits, "weights")
        if self.bias.size != self.weight.shape[0]:
            raise GraphError(f"{self.bias.size} biases for {self.weight.shape[0]} channels")

    @property
    def window(self) -> tuple[int, int]:
        """Kernel height and width."""
        return self.weight.shape[1], self.weight.shape[2]

    def output_type(self, *inputs: TensorType) -> TensorType:
        """(H, W, C) to (H', W', C). Raises ``GraphError``: not a map, other C, or zero points."""
        (x,) = inputs
        check_affine(x)
        channels = self.weight.shape[0]
        if len(x.shape) != 3 or x.channels != channels:
            raise GraphError(f"a map (H, W, {channels}) is wanted, found {x.shape}")
        check_zero_points(self.pad_value, x)
        self.requantize.check(self.accumulator(x), channels)
        h, w = output_size((x.shape[0], x.shape[1]), self.window, self.stride, self.padding)
        return TensorType((h, w, channels), self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        x = pad_map(codes[0], self.padding, self.pad_value)
        views = np.lib.stride_tricks.sliding_window_view(x, self.window, axis=(1, 2))
        views = views[:, :: self.stride[0], :: self.stride[1]]  # (B, H, W, C, kh, kw)
        acc = np.einsum("bhwcyx,cyx->bhwc", views, self.weight, optimize=True)
        return self.requantize(acc + self.bias)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        rows = self.weight.reshape(self.weight.shape[0], -1)
        return dot_bounds(rows, self.bias, q.qmin, q.qmax)

    def macs(self, *inputs: TensorType) -> int:
        h, w, _ = self.output_type(*inputs).shape
        return h * w * self.weight.size

    def cycles(self, *inputs: TensorType) -> int:
        h, w, _ = inputs[0].shape
        padded = (h + 2 * self.padding[0]) * (w + 2 * self.padding[1])
        # The accumulators of a pixel are requantized one after the other.
        return padded + self.macs(*inputs) + self.output_type(*inputs).size

    def kernel(self, *inputs: TensorType) -> Kernel:
        (x,) = inputs
        h, w, c = x.shape
        return requantized_kernel(
            {
                "height": h,
                "width": w,
                "in_channels": c,
                "kernel_height": self.window[0],
                "kernel_width": self.window[1],
                "stride_height": self.stride[0],
                "stride_width": self.stride[1],
                "pad_height": self.padding[0],
                "pad_width": self.padding[1],
            },
            {"operand_t": (x.quantization.bits, x.quantization.signed)},
            (
                # Channels last, as the pixels in the line buffer.
                Rom("weight", self.weight.transpose(1, 2, 0), self.weight_bits),
                Rom("bias", self.bias, width_of(self.bias)),
                Rom("pad", np.asarray(self.pad_value), 17),
            ),
            self.accumulator(x),
            self.requantize,
        )
