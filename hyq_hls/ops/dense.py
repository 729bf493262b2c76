"""Dense layer over the last axis: of tokens, of a vector, or of a map (pointwise convolution)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from hyq_hls.errors import GraphError
from hyq_hls.graph.folding import Folding
from hyq_hls.graph.kernel import Kernel, Memory, channel_rom
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize, requantized_kernel
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import (
    check_affine,
    check_fits,
    dot_bounds,
    freeze,
    partial_sum_bounds,
    width_of,
)
from hyq_hls.ops.matrix import dot_product_stages, matrix_dsps, matrix_lanes, matrix_rom


@dataclass(frozen=True, eq=False)
class Dense(Operation):
    """``y = requantize(bias + weight @ x)`` at every position.

    Args:
        weight: (out channels, in channels).
        weight_bits: width of a weight, two's complement.
        bias: (out channels,); holds ``-weight @ zero_point``, so that raw codes are
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

    def foldings(self, *inputs: TensorType) -> list[Folding]:
        return matrix_lanes(*self.weight.shape)

    def frames_inside(self, *inputs: TensorType) -> Fraction:
        # At most one position for every stage, and two in the register slice before them.
        return Fraction(dot_product_stages(self.weight.shape[1]) + 3, inputs[0].words)

    def products(self, folding: Folding, *inputs: TensorType) -> int:
        return folding.outputs * folding.inputs

    def dsps(self, folding: Folding, *inputs: TensorType) -> int:
        return matrix_dsps(folding, self.weight_bits, inputs[0].quantization.bits)

    def memories(self, folding: Folding, *inputs: TensorType) -> list[Memory]:
        (x,) = inputs
        memories = super().memories(folding, *inputs)
        if folding.outputs < self.weight.shape[0]:
            word = folding.inputs * x.quantization.bits
            memories.append(Memory(word, x.channels // folding.inputs))
        return memories

    def cycles(self, folding: Folding, *inputs: TensorType) -> int:
        return self.macs(*inputs) // self.products(folding, *inputs)

    def latency(self, folding: Folding, *inputs: TensorType) -> int:
        # A register slice stands before the products.
        return self.cycles(folding, *inputs) - 1 + 1 + dot_product_stages(folding.inputs)

    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        (x,) = inputs
        out_channels, length = self.weight.shape
        return requantized_kernel(
            {
                "words": x.words,
                "length": length,
                "out_channels": out_channels,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
            },
            {"operand_t": (x.quantization.bits, x.quantization.signed)},
            (
                matrix_rom(self.weight, self.weight_bits, folding),
                channel_rom("bias", self.bias, width_of(self.bias), folding.outputs),
            ),
            self.accumulator(x),
            self.requantize,
            folding.outputs,
        )
