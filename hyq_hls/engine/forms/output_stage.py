"""Output stage behind a sum: bias, scale, zero point, saturation, and perhaps a table."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import ConversionError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import Quantization, TensorType

SUM_BITS = 32
#: The stored shift has an offset, because the engine shifts left by as much at most.
SHIFT_OFFSET = 7
MAX_STORED_SHIFT = 63
TABLE_BITS = 10
#: A bias that leaves few bits to the products of a sum.
LARGE_BIAS = 1 << 30
LARGEST_ZERO = (1 << 16) - 1
BYTE = 8


def stored_zero(zero: tuple[int, ...] | int, quantization: Quantization, channels: int) -> Codes:
    """Return zero points as stored codes, which start at zero, of all channels (C,)."""
    return np.broadcast_to(np.asarray(zero, dtype=np.int64), channels) - quantization.qmin


@dataclass(frozen=True, eq=False)
class OutputStage:
    """``code = saturate(round_half_up((acc + bias) * multiplier / 2**shift) + zero)``.

    Codes are stored without sign, so that the smallest is 0.

    Attributes:
        bias: int64 (O,).
        multiplier: int64 (O,), 1 to 65,535.
        shift: int64 (O,), -7 to 56.
        zero: int64 (O,), stored zero points of the output, and perhaps a part of the bias.
        bits: width of a code before the table.
        table: stored codes (2**bits,) that replace the code, or None.

    Raises:
        ConversionError: a bias that the engine's fields do not hold.
    """

    bias: Codes
    multiplier: Codes
    shift: Codes
    zero: Codes
    bits: int
    table: Codes | None = None

    def __post_init__(self) -> None:
        bounds = Bounds(int(self.bias.min()), int(self.bias.max()))
        if bounds.bits > SUM_BITS:
            raise ConversionError(
                f"biases in [{bounds.low}, {bounds.high}] of {bounds.bits} bits; the engine adds "
                f"in {SUM_BITS}; the input of this node is all but constant, so that its sums have "
                "tiny steps; remove the layer that makes it so, or quantize with scale='shift', "
                "where a bias may be part of the zero point"
            )

    @classmethod
    def of(cls, requantize: Requantize, bias: Codes) -> OutputStage:
        """Return the stage of a requantization, with a bias for each of its channels (O,)."""
        channels = bias.size
        quantization = requantize.quantization
        multiplier, shift = (np.broadcast_to(v, channels) for v in _in_range(requantize))
        zero = stored_zero(quantization.zero_point, quantization, channels)
        bias, zero = _in_zero_point(bias, multiplier, shift, zero)
        return cls(
            bias=bias,
            multiplier=multiplier,
            shift=shift,
            zero=zero,
            bits=quantization.bits,
        )

    @property
    def channels(self) -> int:
        """Number of output channels."""
        return self.bias.size

    def with_table(self, table: Codes) -> OutputStage:
        """Return the same stage with a table behind it."""
        return replace(self, table=table)

    def codes(self, acc: NDArray[np.int64]) -> Codes:
        """Return the codes (..., O) before the table.

        Raises:
            ConversionError: a sum leaves 32 bits.
        """
        if acc.size:
            check_sum(Bounds(int(acc.min()), int(acc.max())), "sums")
        total = acc + self.bias
        if acc.size:
            check_sum(Bounds(int(total.min()), int(total.max())), "sums with their biases")
        stored = self.shift + SHIFT_OFFSET
        return saturated(total * self.multiplier, stored, self.zero, self.bits)

    def __call__(self, acc: NDArray[np.int64]) -> Codes:
        """Return the codes (..., O) of accumulators, through the table if there is one."""
        code = self.codes(acc)
        return code if self.table is None else self.table[code]


def _in_range(requantize: Requantize) -> tuple[Codes, Codes]:
    """Return multipliers and shifts that the engine's fields hold, with the same codes.

    A product of 48 bits leaves nothing behind a shift by 56, and behind a larger one. To the left,
    no shift changes a code that moves every sum but zero out of the range of codes; what is left
    beyond the engine's shift is part of the multiplier.
    """
    multiplier = requantize.multiplier
    _, exponent = np.frexp(multiplier)
    farthest = np.maximum(requantize.quantization.bits - exponent + 1, 0)
    shift = requantize.shift.clip(-farthest, MAX_STORED_SHIFT - SHIFT_OFFSET)
    rest = np.maximum(-SHIFT_OFFSET - shift, 0)
    return multiplier << rest, shift + rest


def _in_zero_point(
    bias: Codes, multiplier: Codes, shift: Codes, zero: Codes
) -> tuple[Codes, Codes]:
    """Return biases and zero points with the same codes, and no bias that is needlessly large.

    Whole steps of the output add to a sum what they add to its code. The input of a layer that is
    all but constant has a tiny scale, so that the bias behind it has more bits than all products.
    """
    step = np.left_shift(1, shift.clip(0, MAX_STORED_SHIFT - SHIFT_OFFSET))
    whole = ((bias + (step >> 1)) // step).clip(-zero, LARGEST_ZERO - zero)
    moved = np.where((np.abs(bias) >= LARGE_BIAS) & (multiplier == 1) & (shift > 0), whole, 0)
    return bias - moved * step, zero + moved


def saturated(scaled: Codes, stored_shift: Codes, zero: Codes, bits: int) -> Codes:
    """Return the codes of scaled sums, as the output stage and the norm unit compute them.

    Args:
        scaled: sums (..., O).
        stored_shift: shifts (O,), each with the offset 7.
        zero: stored zero points (O,).
        bits: width of a code.
    """
    code: Codes = (((scaled << (SHIFT_OFFSET + 1)) >> stored_shift) + 1) >> 1
    return (code + zero).clip(0, (1 << bits) - 1)


def check_sum(bounds: Bounds, what: str) -> None:
    """Raise ``ConversionError`` unless ``bounds`` fit the accumulator of the engine."""
    if bounds.bits > SUM_BITS:
        raise ConversionError(
            f"{what} in [{bounds.low}, {bounds.high}] of {bounds.bits} bits; the engine adds in "
            f"{SUM_BITS}; use fewer weight or activation bits for this node"
        )


def table_of(operation: Operation, x: TensorType) -> Codes:
    """Return the stored output codes of every stored input code, (2**bits, C).

    Args:
        operation: a function of one code.
        x: type of its input.

    Raises:
        ConversionError: the table is larger than the engine's.
    """
    bits, widest = x.quantization.bits, TABLE_BITS
    if bits > widest:
        raise ConversionError(
            f"a table from {bits} bits; the engine has tables from {widest} bits at most; quantize "
            "the input of this function to fewer bits"
        )
    codes = np.broadcast_to(x.quantization.codes()[:, None], (1 << bits, x.channels))
    return operation.reference(codes) - operation.output_type(x).quantization.qmin
