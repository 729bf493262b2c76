"""Dense layer over the last axis: of tokens, of a vector, or of a map (pointwise convolution)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import (
    check_affine,
    check_fits,
    dot_bounds,
    freeze,
    partial_sum_bounds,
)


@dataclass(frozen=True, eq=False)
class Dense(Operation):
    """``y = requantize(bias + weight @ x)`` at every position.

    Attributes:
        weight: (out channels, in channels).
        weight_bits: width of a weight, two's complement.
        bias: (out channels,); it holds ``-weight @ zero_point``, so that raw codes are
            multiplied.
        requantize: accumulator to output code.
    """

    name: ClassVar[str] = "dense"

    weight: Codes
    weight_bits: int
    bias: Codes
    requantize: Requantize

    def __post_init__(self) -> None:
        freeze(self, "weight", 2)
        freeze(self, "bias", 1)
        check_fits(self.weight, self.weight_bits, "weights")
        if self.bias.size != self.weight.shape[0]:
            raise GraphError(f"{self.bias.size} biases for {self.weight.shape[0]} output channels")

    def output_type(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check_affine(x)
        out_channels, in_channels = self.weight.shape
        if x.channels != in_channels:
            raise GraphError(f"{in_channels} input channels are wanted, found {x.shape}")
        self.requantize.check(self.accumulator(x), out_channels)
        return TensorType((*x.shape[:-1], out_channels), self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        (x,) = codes
        return self.requantize(x @ self.weight.T + self.bias)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        return dot_bounds(self.weight, self.bias, q.qmin, q.qmax)

    def partial_sums(self, *inputs: TensorType) -> Bounds:
        q = inputs[0].quantization
        return partial_sum_bounds(self.weight, self.bias, q.qmin, q.qmax)

    def macs(self, *inputs: TensorType) -> int:
        return inputs[0].words * self.weight.size
