"""Linear softmax of HyQ: exponentials by one adder and one shift, probabilities in few bits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.types import MAX_BITS, TensorType
from hyq_hls.ops.checks import plain_integers
from hyq_hls.ops.softmax import Softmax

#: HyQ's line a*x + b through exp(x) on [-ln 2, 0].
LINE_SLOPE = Fraction("0.71580849")
LINE_OFFSET = Fraction("0.96971728")
#: 40 digits: the floors of ``line_offset`` do not depend on the digits that follow.
_LN2 = Fraction("0.6931471805599453094172321214581765680755")

MAX_SHIFT_BITS = 40


def line_offset(fraction: int) -> int:
    """Return ``B = floor(b / a / ln 2 * 2**fraction)``.

    It is the offset over the slope of the line, in steps of the code.
    """
    return int(LINE_OFFSET / LINE_SLOPE / _LN2 * (1 << fraction))


def softmax_shift_bits(bits: int, output: Literal["log2", "uniform"]) -> int:
    """Return the fraction bits n of an exponential that an output of ``bits`` bits deserves."""
    return min((1 << bits) + 1, 17) if output == "log2" else bits + 4


@dataclass(frozen=True, eq=False)
class LinearSoftmax(Softmax):
    """``y = 2**x / sum(2**x)`` over the last axis, with ``2**x`` by the line of HyQ (IJCAI 2024).

    Input codes count ``2**-fraction`` octaves: the factor ``log2(e)`` lies in the scale before it,
    so that range reduction is a shift. The zero point cancels. With ``B = line_offset``::

        d = max_row(q) - q,  k = d >> fraction,  r = d & (2**fraction - 1)
        e = ((B - r) << shift_bits) >> k,  E = sum_row(e)
        log2:     code = min(top, number of j >= 1 with 4 * E >= 3 * 2**j * e),  top = 2**bits - 1
        uniform:  code = min(top, ((e << bits) + (E >> 1)) // E)

    A log2 code is ``-log2(e / E)`` rounded at 1.5 times a power of two; top stands for zero.
    HyQ's released code rounds ``E / e`` to an integer first, and so gives one more where ``E / e``
    lies in (2.5, 3) or [3 * 2**i - 0.5, 3 * 2**i), i >= 1; its probability of code top is
    ``2**-top``, and zero begins above.

    Attributes:
        fraction: m; a step of the input is ``2**-m`` octaves, 0 to 16.
        shift_bits: n, fraction bits of an exponential; see :func:`softmax_shift_bits`.
        bits: width b of a probability, 2 to 16.
        output: ``log2`` (probabilities ``2**-code``) or ``uniform`` (``code * 2**-b``).

    Raises:
        GraphError: a parameter is out of range.
    """

    name: ClassVar[str] = "linear_softmax"

    fraction: int
    shift_bits: int
    bits: int
    output: Literal["log2", "uniform"]

    def __post_init__(self) -> None:
        plain_integers(self, "fraction", "shift_bits", "bits")
        if not 0 <= self.fraction <= MAX_BITS:
            raise GraphError(
                f"softmax fraction {self.fraction} leaves [0, {MAX_BITS}]; choose the scale of the "
                "scores so that a step is 2**-fraction octaves"
            )
        if not 0 <= self.shift_bits <= MAX_SHIFT_BITS:
            raise GraphError(
                f"softmax shift_bits {self.shift_bits} leaves [0, {MAX_SHIFT_BITS}]; "
                "softmax_shift_bits(bits, output) gives a good value"
            )
        if self.output not in ("log2", "uniform"):
            raise GraphError(f"softmax output {self.output!r}; 'log2' or 'uniform' is wanted")
        _ = self.quantization  # checks the bits

    @property
    def line_offset(self) -> int:
        """B: value of the line at the row's maximum, in units of its slope and an input step."""
        return line_offset(self.fraction)

    @property
    def exponential_bits(self) -> int:
        """Unsigned width of the largest exponential, ``B << shift_bits``."""
        return (self.line_offset << self.shift_bits).bit_length()

    def exponential(self, distance: Codes) -> Codes:
        octave = np.minimum(distance >> self.fraction, self.exponential_bits)  # nothing is left
        remainder = distance & ((1 << self.fraction) - 1)
        e: Codes = ((self.line_offset - remainder) << self.shift_bits) >> octave
        return e

    def accumulator(self, *inputs: TensorType) -> Bounds:
        largest = self.line_offset << self.shift_bits
        total = inputs[0].channels * largest
        if self.output == "log2":
            return Bounds(0, 4 * total)
        return Bounds(0, max(total, (largest << self.bits) + (total >> 1)))
