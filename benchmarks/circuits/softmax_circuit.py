"""Softmax circuits of the area comparison, in integers: what ``softmax_unit.sv`` computes."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, log
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hyq_hls.stream.circuits.softmax import log2_stages

Codes = NDArray[np.int64]

OUT_BITS = 4
TOP = (1 << OUT_BITS) - 1

#: exp on one octave: a * x + b of HyQ; a * (x + b) ** 2 + c of I-BERT, expanded as its code is.
LINE_OFFSET = 1.3547163  # b / a
POLYNOMIAL_SLOPE, POLYNOMIAL_OFFSET = 2.7073249, 2.7921147  # b / a, c / a
PAPERS_LN2 = 0.6931

Function = Literal["linear", "polynomial", "shiftmax", "table"]


@dataclass(frozen=True)
class SoftmaxCircuit:
    """A softmax over rows of unsigned codes with 4-bit log2 probabilities, code 15 for zero.

    With distances ``d`` from the row's maximum, exponentials are ``value(r) << (shift - k)``, where
    ``k, r = divmod(d, step)``; probabilities are those of ``e / sum(e)``.

    Attributes:
        function: function of one octave. ``shiftmax`` is a line, too.
        bits: width of a code.
        scale: scale of a logit: logit = scale * code.
        step: codes of an octave.
        shift: fraction bits n of an exponential.
        offset: offset of the line or the polynomial.
        slope: slope of the polynomial.
        is_scaled: distances are multiplied by 1.4375 first, with the roundings of I-ViT's code.
        is_divided: whether probabilities are divided as in HyQ's code, or compared once.
        table: with ``function="table"``, value of every remainder; or shift and value of every
            distance, if there are as many entries as codes.
        value_bits: width of a value.
    """

    function: Function
    bits: int
    scale: float
    step: int
    shift: int
    offset: int = 0
    slope: int = 0
    is_scaled: bool = False
    is_divided: bool = True
    table: tuple[int, ...] = ()
    value_bits: int = 0

    def __post_init__(self) -> None:
        if not self.value_bits:
            object.__setattr__(self, "value_bits", self.offset.bit_length())

    @property
    def is_flat(self) -> bool:
        """Whether the table is addressed by distances."""
        return len(self.table) == 1 << self.bits

    @property
    def remainder_bits(self) -> int:
        """Width of a distance within its octave."""
        return (self.step - 1).bit_length()

    @property
    def limit(self) -> int:
        """The papers' code keeps distances to ``shift`` octaves; 0 where none is farther."""
        farthest = self.scaled(np.array([(1 << self.bits) - 1]))[0]
        return self.shift * self.step if farthest >= (self.shift + 1) * self.step else 0

    @property
    def octaves(self) -> int:
        """The largest k."""
        farthest = int(self.scaled(np.array([(1 << self.bits) - 1]))[0])
        return min(self.shift, farthest // self.step)

    @property
    def shift_bits(self) -> int:
        """Width of a shift."""
        return self.shift.bit_length()

    @property
    def exponential_bits(self) -> int:
        """Width of the largest exponential, which is that of the row's maximum."""
        return int(self.exponentials(np.zeros(1, dtype=np.int64))[0]).bit_length()

    def total_bits(self, n: int) -> int:
        """Return the width of the largest sum of ``n`` exponentials."""
        return (n * int(self.exponentials(np.zeros(1, dtype=np.int64))[0])).bit_length()

    def scaled(self, distances: Codes) -> Codes:
        """Return the distances in the unit that range reduction divides by ``step``."""
        if not self.is_scaled:
            return distances
        negative = -distances  # I-ViT: q + floor(q / 2) - floor(q / 16)
        scaled: Codes = -(negative + (negative >> 1) - (negative >> 4))
        return scaled

    def exponentials(self, distances: Codes) -> Codes:
        """Return the exponentials with ``shift`` fraction bits, as integers."""
        if self.is_flat:
            entries = np.array(self.table)[distances]
            values: Codes = entries & ((1 << self.value_bits) - 1)
            return values << (entries >> self.value_bits)
        x = self.scaled(distances)
        if self.limit:
            x = np.minimum(x, self.limit)
        octave, remainder = np.divmod(x, self.step)
        exponentials: Codes = self._values(remainder) << (self.shift - octave)
        return exponentials

    def _values(self, remainder: Codes) -> Codes:
        if self.function == "polynomial":
            return self.offset - (self.slope - remainder) * remainder
        if self.function == "table":
            return np.array(self.table)[remainder]
        return self.offset - remainder

    def reference(self, codes: Codes) -> Codes:
        """Return log2 codes of the probabilities over the last axis.

        Args:
            codes: unsigned codes of ``bits`` bits.
        """
        e = self.exponentials(codes.max(axis=-1, keepdims=True) - codes)
        total = e.sum(axis=-1, keepdims=True)
        return divided_codes(e, total) if self.is_divided else compared_codes(e, total)

    def exponential_stages(self) -> int:
        """Count the clock cycles of ``softmax_exponential.sv``."""
        if self.is_flat:
            return 1
        reduction = 0 if self.step == 1 << self.remainder_bits else self.octaves.bit_length()
        value = 3 if self.function == "polynomial" else 1
        return self.is_scaled + (self.limit > 0) + reduction + value

    def latency(self, n: int) -> int:
        """Clock cycles from the first code of a row of ``n`` to its last probability."""
        compared = log2_stages(self.value_bits, self.total_bits(n))
        probability = self.total_bits(n) + 4 if self.is_divided else compared
        # Maximum, distance, exponential, sum; three times a row has to come in or to go out.
        return 3 * (n - 1) + 2 + 1 + self.exponential_stages() + 2 + probability


def divided_codes(e: Codes, total: Codes) -> Codes:
    """Find log2 codes as HyQ's code does: ``total / e`` becomes an integer, then a power.

    Args:
        e: exponentials of 1 or more.
        total: their sum, below 2**62.
    """
    quotient, remainder = np.divmod(total, e)
    t = quotient + ((2 * remainder > e) | ((2 * remainder == e) & (quotient % 2 == 1)))
    level = np.sum([t >> j > 0 for j in range(1, 63)], axis=0, dtype=np.int64)
    power = np.int64(1) << level
    codes: Codes = np.minimum(level + (2 * (t - power) >= power), TOP)
    return codes


def compared_codes(e: Codes, total: Codes) -> Codes:
    """Find log2 codes by one comparison each, as :class:`hyq_hls.ops.LinearSoftmax` does."""
    reached = [4 * total >= (3 * e) << j for j in range(1, TOP + 1)]
    codes: Codes = np.sum(reached, axis=0, dtype=np.int64)
    return codes


def published(function: Function, bits: int, scale: float) -> SoftmaxCircuit:
    """Return the papers' circuit: 30 fraction bits, a division.

    An octave has ``floor(-ln2 / scale)`` codes.

    Shiftmax of I-ViT has 15 fraction bits; here it has as many as the others. A table holds values
    of 8 bits, of every distance where codes have 8 bits, else of every remainder.
    """
    step, shift = -floor(-PAPERS_LN2 / scale), 30
    if function == "linear":
        return SoftmaxCircuit(function, bits, scale, step, shift, floor(LINE_OFFSET / scale))
    if function == "polynomial":
        offset, slope = floor(POLYNOMIAL_OFFSET / scale**2), floor(POLYNOMIAL_SLOPE / scale)
        return SoftmaxCircuit(function, bits, scale, step, shift, offset, slope)
    if function == "shiftmax":
        step = -floor(-1 / scale)  # values count halves: r / 2 + step is an integer then
        return SoftmaxCircuit(function, bits, scale, step, shift, 2 * step, is_scaled=True)
    table = _flat_table(scale, shift, 8) if bits == 8 else _octave_table(step, scale, 8)
    return SoftmaxCircuit(function, bits, scale, step, shift, table=table, value_bits=8)


def tight(function: Function, fraction: int = 4) -> SoftmaxCircuit:
    """Return the smallest exact widths for 8-bit codes; an octave has ``2**fraction`` codes.

    No shift is larger than the largest octave, and Shiftmax needs no factor log2(e). The linear
    softmax of this regime is :class:`hyq_hls.ops.LinearSoftmax`.
    """
    step = 1 << fraction
    scale = log(2) / step
    offset = slope = value_bits = 0
    table: tuple[int, ...] = ()
    if function == "linear":
        offset = floor(LINE_OFFSET / scale)
    elif function == "shiftmax":
        offset = 2 * step
    elif function == "polynomial":
        offset, slope = floor(POLYNOMIAL_OFFSET / scale**2), floor(POLYNOMIAL_SLOPE / scale)
    else:
        value_bits = fraction + 1
        table = _octave_table(step, scale, value_bits)
    shift = 255 >> fraction
    return SoftmaxCircuit(
        function, 8, scale, step, shift, offset, slope, False, False, table, value_bits
    )


def _octave_table(step: int, scale: float, value_bits: int) -> tuple[int, ...]:
    """Tabulate the values of all remainders; entries that no remainder reaches are 0."""
    largest = (1 << value_bits) - 1
    values = [round(largest * exp(-scale * r)) for r in range(step)]
    return (*values, *[0] * ((1 << (step - 1).bit_length()) - step))


def _flat_table(scale: float, shift: int, value_bits: int) -> tuple[int, ...]:
    """Tabulate shift and value of all distances of 8-bit codes, the value in the lowest bits."""
    entries = []
    for distance in range(256):
        octave, rest = divmod(distance * scale, log(2))
        value = round(((1 << value_bits) - 1) * exp(-rest))
        entries.append(((shift - int(octave)) << value_bits) + value)
    return tuple(entries)
