"""Sums whose weights are codes too: scores and values of attention, in the form of the array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hyq_hls.engine.forms.output_stage import BYTE, OutputStage, check_sum
from hyq_hls.engine.forms.sums import byte_planes
from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.types import Quantization, TensorType

#: Codes of this many bits are read as signed, so that two products fit one multiplier.
HALF = 128
LOWEST_CONSTANT = -127
#: Widest code that meets moved weights; its high byte must fit 7 bits.
MAX_BITS = 12
MOVED_LIMIT = 255


@dataclass(frozen=True)
class Operand:
    """The codes that meet moved weights, as the array reads them.

    Attributes:
        bits: width of a code.
        signed: the lowest byte is read as ``byte - 128``.
        constant: what multiplies the weights to give the bias of a zero point; 0 for none.
        one_hot: the exponent of code 0, of log2 codes; None for affine codes.
        passes: bytes of the codes, or of the powers of two.
    """

    bits: int
    signed: bool
    constant: int
    one_hot: int | None = None
    passes: int = 1

    @classmethod
    def affine(cls, quantization: Quantization, zero_point: int) -> Operand:
        """Return the operand of affine codes.

        Raises:
            ConversionError: the codes have too many bits, or a zero point too far away.
        """
        bits = quantization.bits
        signed = bits >= BYTE
        constant = (HALF if signed else 0) - (zero_point - quantization.qmin)
        if bits > MAX_BITS or not LOWEST_CONSTANT <= constant <= HALF:
            raise ConversionError(
                f"codes of {bits} bits with zero point {zero_point} meet keys or values; the "
                f"engine reads {MAX_BITS} bits there, and zero points of {BYTE} bits; quantize "
                f"this tensor to {BYTE} bits"
            )
        return cls(bits, signed, constant, passes=-(-bits // BYTE))

    def codes(self, d: int) -> Bounds:
        """Return the bounds of an operand of pass d."""
        if self.one_hot is not None:
            return Bounds(0, 1 << min(self.one_hot, BYTE - 1))
        if d < self.passes - 1:
            return Bounds(0, (1 << (self.bits - BYTE)) - 1)
        return Bounds(-HALF, HALF - 1) if self.signed else Bounds(0, (1 << self.bits) - 1)

    @property
    def row(self) -> int:
        """A bound of the sum of the powers of two that stand for a row of probabilities.

        A probability is more than two thirds of its power of two, and all together are one.
        """
        assert self.one_hot is not None
        return (3 << self.one_hot) >> 1

    def digits(self, codes: Codes) -> list[Codes]:
        """Return the operands of every pass, the highest digit first."""
        if self.one_hot is None:
            planes = byte_planes(codes, self.passes)
            return [*planes[:-1], planes[-1] - HALF if self.signed else planes[-1]]
        exponent = self.one_hot - codes
        return [
            np.where((exponent >= 0) & (exponent >> 3 == k), 1 << (np.maximum(exponent, 0) & 7), 0)
            for k in reversed(range(self.passes))
        ]


@dataclass(frozen=True, eq=False)
class AttendedSums:
    """Scores of queries and keys, or values weighted by probabilities, head by head.

    The codes of the second input, without their zero points, become weights of the array.

    Attributes:
        values: whether values are weighted, else keys meet queries.
        heads: number of heads.
        operand: how the first input is read.
        zero: stored zero points (C,) of the second input.
        terms: products of a sum.
        stage: what follows a sum; of a single channel for scores.

    Raises:
        ConversionError: sums may leave 32 bits, or weights 9 bits.
    """

    values: bool
    heads: int
    operand: Operand
    zero: Codes
    terms: int
    stage: OutputStage

    def __post_init__(self) -> None:
        reach = self.terms * MOVED_LIMIT
        total = 0
        for d in range(self.operand.passes):
            codes = self.operand.codes(d)
            total = (total << BYTE) + reach * max(-codes.low, codes.high)
            if self.operand.one_hot is not None:
                row = self.operand.row >> BYTE * (self.operand.passes - 1 - d)
                total = min(total, MOVED_LIMIT * row)
            check_sum(Bounds(-total, total), "sums of attention")
        total += reach * abs(self.operand.constant)
        check_sum(Bounds(-total, total), "sums of attention with their zero points")

    def execute(self, first: Codes, second: Codes) -> Codes:
        """Return the stored output codes of the node's stored inputs."""
        return self.stage(self.sums(first, second))

    def sums(self, first: Codes, second: Codes) -> Codes:
        """Return the accumulators, the zero point of the first input included."""
        weight = second - self.zero
        b, p, m, c = weight.shape
        weight = weight.reshape(b, p, m, self.heads, c // self.heads)
        if self.values:
            pairs = [np.einsum("bpihj,bpjhc->bpihc", d, weight) for d in self.operand.digits(first)]
            bias = weight.sum(axis=2)[:, :, None] * self.operand.constant
        else:
            queries = first.reshape(b, p, -1, self.heads, c // self.heads)
            pairs = [
                np.einsum("bpihc,bpjhc->bpihj", d, weight, optimize=True)
                for d in self.operand.digits(queries)
            ]
            bias = weight.sum(axis=4).transpose(0, 1, 3, 2)[:, :, None] * self.operand.constant
        total = pairs[0]
        for pair in pairs[1:]:
            total = (total << BYTE) + pair
        found: Codes = total + bias
        return found.reshape(b, p, -1, c) if self.values else found


def check_byte(x: TensorType, what: str) -> None:
    """Raise ``ConversionError`` unless the codes of ``x`` fit a byte."""
    if x.quantization.bits > BYTE:
        raise ConversionError(
            f"{what} of {x.quantization.bits} bits; the engine takes {BYTE} bits there; quantize "
            f"this tensor to {BYTE} bits"
        )
