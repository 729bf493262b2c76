"""The common part of all convolutions: weights of a window, and bounds."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes
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
from hyq_hls.ops.window import Window


@dataclass(frozen=True, eq=False)
class Convolution(Window):
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
        dilation: rows and columns from one weight to the next.

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
    dilation: tuple[int, int] = field(default=(1, 1), kw_only=True)

    def __post_init__(self) -> None:
        freeze(self, "weight", self.weight_axes)
        freeze(self, "bias", 1)
        for name in ("stride", "padding", "dilation"):
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
