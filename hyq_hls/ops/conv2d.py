"""Dense 2-D convolution of a feature map."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
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


def pad_map(x: Codes, padding: tuple[int, int], value: tuple[int, ...]) -> Codes:
    """Surround maps (B, H, W, C) with rows and columns of ``value`` (1,) or (C,)."""
    (ph, pw), (b, h, w, c) = padding, x.shape
    out = np.empty((b, h + 2 * ph, w + 2 * pw, c), dtype=np.int64)
    out[:] = np.asarray(value)
    out[:, ph : ph + h, pw : pw + w] = x
    return out


def output_size(
    size: tuple[int, int], window: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int]
) -> tuple[int, int]:
    """Height and width of a convolution's output; raises ``GraphError`` when nothing is left."""
    if min(*stride, *window) < 1 or min(pad) < 0:
        raise GraphError(
            f"window {window} and stride {stride} must be positive, padding {pad} not negative"
        )
    h, w = ((s + 2 * p - k) // t + 1 for s, k, t, p in zip(size, window, stride, pad, strict=True))
    if min(h, w) < 1:
        raise GraphError(f"window {window} with padding {pad} is larger than the map of {size}")
    return h, w


@dataclass(frozen=True, eq=False)
class Conv2d(Operation):
    """``y = requantize(bias + sum(weight * x))`` over a sliding window.

    The map is padded with the input's zero point, and ``bias`` holds ``-sum(weight * zero_point)``,
    so that raw codes are multiplied.

    Args:
        weight: (out channels, kernel height, kernel width, in channels).
        weight_bits: width of a weight, two's complement.
        bias: (out channels,), zero-point correction included.
        stride: vertical, horizontal.
        padding: rows above and below, columns left and right.
        pad_value: zero point of the input, (1,) or (C,).
        requantize: accumulator to output code.
    """

    name: ClassVar[str] = "conv2d"

    weight: Codes
    weight_bits: int
    bias: Codes
    stride: tuple[int, int]
    padding: tuple[int, int]
    pad_value: tuple[int, ...]
    requantize: Requantize

    def __post_init__(self) -> None:
        freeze(self, "weight", 4)
        freeze(self, "bias", 1)
        check_fits(self.weight, self.weight_bits, "weights")
        if self.bias.size != self.weight.shape[0]:
            raise GraphError(f"{self.bias.size} biases for {self.weight.shape[0]} output channels")

    @property
    def window(self) -> tuple[int, int]:
        """Kernel height and width."""
        return self.weight.shape[1], self.weight.shape[2]

    def output_type(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check_affine(x)
        if len(x.shape) != 3 or x.channels != self.weight.shape[3]:
            raise GraphError(f"a map (H, W, {self.weight.shape[3]}) is wanted, found {x.shape}")
        check_zero_points(self.pad_value, x)
        out_channels = self.weight.shape[0]
        self.requantize.check(self.accumulator(x), out_channels)
        h, w = output_size((x.shape[0], x.shape[1]), self.window, self.stride, self.padding)
        return TensorType((h, w, out_channels), self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        x = pad_map(codes[0], self.padding, self.pad_value)
        views = np.lib.stride_tricks.sliding_window_view(x, self.window, axis=(1, 2))
        views = views[:, :: self.stride[0], :: self.stride[1]]  # (B, H, W, C, kh, kw)
        acc = np.einsum("bhwcyx,oyxc->bhwo", views, self.weight, optimize=True)
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
        gathered = self.macs(*inputs) // self.weight.shape[0]
        return padded + gathered + self.macs(*inputs)

    def kernel(self, *inputs: TensorType) -> Kernel:
        (x,) = inputs
        h, w, c = x.shape
        return requantized_kernel(
            {
                "height": h,
                "width": w,
                "in_channels": c,
                "out_channels": self.weight.shape[0],
                "kernel_height": self.window[0],
                "kernel_width": self.window[1],
                "stride_height": self.stride[0],
                "stride_width": self.stride[1],
                "pad_height": self.padding[0],
                "pad_width": self.padding[1],
                "length": prod(self.weight.shape[1:]),
            },
            {"operand_t": (x.quantization.bits, x.quantization.signed)},
            (
                Rom("weight", self.weight, self.weight_bits),
                Rom("bias", self.bias, width_of(self.bias)),
                Rom("pad", np.asarray(self.pad_value), 17),
            ),
            self.accumulator(x),
            self.requantize,
        )
