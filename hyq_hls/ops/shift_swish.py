"""Shift-Swish: ``x * sigmoid(x)`` in integers, with an exponential made of shifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.graph import MAX_ACCUMULATOR_BITS
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import check_affine, check_zero_points

MIN_PRECISION, MAX_PRECISION = 8, 20


def exponent(d: Codes) -> Codes:
    """Approximate ``-d * log2(e)`` for ``d <= 0`` by shifts: the factor is 1.4375.

    The result never falls as ``-d`` grows.
    """
    sixteenths: Codes = d + (d >> 1) - (d >> 4)
    return -sixteenths


def shift_exp(d: Codes, fraction: int, precision: int) -> Codes:
    """Approximate ``2**(precision + fraction + 1) * exp(d * 2**-fraction)`` for ``d <= 0``.

    ``exp(x) = 2**(x * log2(e))`` with ``log2(e) ~ 1 + 1/2 - 1/16``, and ``2**-r ~ 1 - r/2`` for the
    fraction ``r`` of the exponent (HyQ, Shift-Swish; I-ViT, ShiftExp).

    Args:
        d: int64 of any shape, in units of ``2**-fraction``.
        fraction: fraction bits of ``d``.
        precision: bits kept below one.
    """
    p = exponent(d)
    k, r = p >> fraction, p & ((1 << fraction) - 1)
    # numpy shifts by less than 64 only; 62 already leaves nothing of at most 62 bits.
    e: Codes = (((2 << fraction) - r) << precision) >> np.minimum(k, MAX_ACCUMULATOR_BITS)
    return e


@dataclass(frozen=True, eq=False)
class ShiftSwish(Operation):
    """``y = requantize(I * sigmoid(I * 2**-fraction))`` with ``I = x - zero_point``.

    The sigmoid is a softmax of ``I`` and 0 of which the larger is subtracted from both; the paper
    (HyQ, Shift-Swish) subtracts the maximum of the tensor, which is the same softmax. The
    accumulator has ``fraction + precision`` fraction bits.

    Attributes:
        fraction: the input's scale is ``2**-fraction``; 0 or more.
        zero_point: zero point of the input, one for all channels.
        precision: fraction bits of the sigmoid, 8 to 20.
        requantize: accumulator to output code.

    Raises:
        GraphError: a parameter out of range, or integers of more than 62 bits.
    """

    name: ClassVar[str] = "shift_swish"

    fraction: int
    zero_point: int
    precision: int
    requantize: Requantize

    def __post_init__(self) -> None:
        if self.fraction < 0:
            raise GraphError(
                f"shift_swish: the input scale must be 2**-fraction with fraction >= 0, found "
                f"{self.fraction}; use more bits or a smaller scale for the input"
            )
        if not MIN_PRECISION <= self.precision <= MAX_PRECISION:
            raise GraphError(
                f"shift_swish: precision {self.precision} leaves [{MIN_PRECISION}, {MAX_PRECISION}]"
            )
        if self.numerator_bits > MAX_ACCUMULATOR_BITS:
            raise GraphError(
                f"shift_swish: fraction {self.fraction} and precision {self.precision} need "
                f"{self.numerator_bits} bits, {MAX_ACCUMULATOR_BITS} are supported; use less "
                "precision or a larger input scale"
            )

    @property
    def exponential_bits(self) -> int:
        """Unsigned width of an exponential, at most ``(2 << fraction) << precision``."""
        return self.fraction + self.precision + 2

    @property
    def numerator_bits(self) -> int:
        """Unsigned width of ``e1 << precision``; the sum of two exponentials is narrower."""
        return self.exponential_bits + self.precision

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return a tensor of the shape of the input.

        Raises:
            GraphError: zero points or widths do not fit.
        """
        (x,) = inputs
        check_affine(x)
        check_zero_points((self.zero_point,), x)
        self.requantize.check(self.accumulator(x), x.channels)
        return TensorType(x.shape, self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        return self.requantize(self.swish(codes[0]))

    def swish(self, codes: Codes) -> Codes:
        """Return the accumulators of input codes."""
        i = codes - self.zero_point
        largest = np.maximum(i, 0)
        e1 = shift_exp(i - largest, self.fraction, self.precision)
        e2 = shift_exp(-largest, self.fraction, self.precision)
        return i * ((e1 << self.precision) // (e1 + e2))

    def accumulator(self, *inputs: TensorType) -> Bounds:
        values = self.swish(_every_code(inputs[0]))
        return Bounds(int(values.min()), int(values.max()))


def _every_code(x: TensorType) -> Codes:
    return x.quantization.codes()
