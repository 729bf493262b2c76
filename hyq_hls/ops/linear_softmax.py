"""Linear softmax of HyQ: exponentials by one adder and one shift, probabilities in few bits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.folding import Folding
from hyq_hls.graph.kernel import Kernel, Memory
from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.types import MAX_BITS, TensorType
from hyq_hls.ops.checks import plain_integers
from hyq_hls.ops.matrix import tree_stages
from hyq_hls.ops.rows import row_buffer_depth
from hyq_hls.ops.softmax import Softmax, log2_stages

#: HyQ's line a*x + b through exp(x) on [-ln 2, 0].
LINE_SLOPE = Fraction("0.71580849")
LINE_OFFSET = Fraction("0.96971728")
#: 40 digits: the floors of ``line_offset`` do not depend on the digits that follow.
_LN2 = Fraction("0.6931471805599453094172321214581765680755")

MAX_SHIFT_BITS = 40


def line_offset(fraction: int) -> int:
    """``B = floor(b / a / ln 2 * 2**fraction)``: offset over slope of the line, in code steps."""
    return int(LINE_OFFSET / LINE_SLOPE / _LN2 * (1 << fraction))


def softmax_shift_bits(bits: int, output: Literal["log2", "uniform"]) -> int:
    """Fraction bits n of an exponential that an output of ``bits`` bits deserves."""
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

    Args:
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
        return ((self.line_offset - remainder) << self.shift_bits) >> octave

    def accumulator(self, *inputs: TensorType) -> Bounds:
        largest = self.line_offset << self.shift_bits
        total = inputs[0].channels * largest
        if self.output == "log2":
            return Bounds(0, 4 * total)
        return Bounds(0, max(total, (largest << self.bits) + (total >> 1)))

    def memories(self, folding: Folding, *inputs: TensorType) -> list[Memory]:
        """Codes that await their row's maximum, exponentials that await its sum."""
        sizes = self.kernel(folding, *inputs).constants
        exponential = self.fraction + 1 + max(1, self.shift_bits.bit_length())
        return [
            Memory(folding.inputs * inputs[0].quantization.bits, sizes["code_depth"]),
            Memory(folding.inputs * exponential, sizes["exponential_depth"]),
        ]

    def _total_bits(self, x: TensorType) -> int:
        return (x.channels * (self.line_offset << self.shift_bits)).bit_length()

    def _delays(self, folding: Folding, x: TensorType) -> tuple[int, int, int, int]:
        log2 = log2_stages(self.fraction + 1, self._total_bits(x))
        return (
            tree_stages(folding.inputs) + 1,
            2,
            1 + tree_stages(folding.inputs) + 1 + 1,
            log2 if self.output == "log2" else 2 + self.bits + 1,
        )

    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        (x,) = inputs
        widest = self.accumulator(x).bits
        total_bits = self._total_bits(x)
        beats = x.channels // folding.inputs
        maximum, _, total, _ = self._delays(folding, x)
        return Kernel(
            constants={
                "words": x.words,
                "channels": x.channels,
                "in_lanes": folding.inputs,
                "out_lanes": folding.outputs,
                "fraction": self.fraction,
                "line_offset": self.line_offset,
                "shift_bits": self.shift_bits,
                "exponential_bits": self.exponential_bits,
                "total_bits": total_bits,
                "bits": self.bits,
                "is_log2": int(self.output == "log2"),
                "code_max": self.quantization.qmax,
                "search_steps": (widest - 2).bit_length(),  # a leading one lies at 0 .. widest - 2
                "code_depth": row_buffer_depth(beats, beats, beats - 1 + maximum),
                "exponential_depth": row_buffer_depth(beats, beats, beats - 1 + total),
            },
            integers={
                "operand_t": (x.quantization.bits, x.quantization.signed),
                "distance_t": (x.quantization.bits, False),
                "exponential_t": (self.exponential_bits, False),
                "total_t": (total_bits, False),
                "accumulator_t": (widest, True),
            },
        )
