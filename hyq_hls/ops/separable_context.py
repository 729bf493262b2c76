"""Context vector of separable attention: tokens weighted by the softmax of one score each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import centred, check_affine, check_zero_points, freeze, plain_integers
from hyq_hls.ops.table import MAX_TABLE_BITS


@dataclass(frozen=True, eq=False)
class SeparableContext(Operation):
    """``y = requantize(sum_n e_n * (k_n - zero_point) / sum_n e_n)`` over the tokens of a pixel.

    It is the weighted mean of the keys of MobileViTv2 (Mehta and Rastegari, arXiv:2206.02680,
    equation 4). Exponentials come from a table of score codes, so that no maximum is searched::

        e_n = table[s_n - first],  E = sum_n e_n
        A_c = sum_n e_n * (k_nc - z_c)
        acc = ((A_c << F) + (E >> 1)) // E                 rounded half up

    Attributes:
        table: exponentials of all score codes from the smallest to the largest, positive.
        first: smallest code of a score.
        mean_bits: F, fraction bits of the weighted mean, in steps of the keys' codes.
        zero_point: z, zero point of the keys, (1,) or (C,).
        requantize: accumulator to output code.

    Raises:
        GraphError: an exponential is not positive, or F is negative.
    """

    name: ClassVar[str] = "separable_context"
    arity: ClassVar[int | None] = 2

    table: Codes
    first: int
    mean_bits: int
    zero_point: tuple[int, ...]
    requantize: Requantize

    def __post_init__(self) -> None:
        plain_integers(self, "first", "mean_bits")
        freeze(self, "table", 1)
        if self.table.min(initial=1) < 1:
            raise GraphError(
                f"separable_context has exponentials from {self.table.min()} on; 1 is the "
                "smallest, so that nothing divides by zero"
            )
        if self.mean_bits < 0:
            raise GraphError(f"mean_bits {self.mean_bits} must not be negative")

    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return one token (P, 1, C) for scores (P, N, 1) and keys (P, N, C).

        Raises:
            GraphError: shapes, zero points or widths do not fit.
        """
        scores, keys = inputs
        if len(keys.shape) != 3 or scores.shape != (*keys.shape[:2], 1):
            raise GraphError(
                f"scores (P, N, 1) and keys (P, N, C) are wanted, found {scores.shape} and "
                f"{keys.shape}"
            )
        for what, x in (("scores", scores), ("keys", keys)):
            check_affine(x, what)
        q = scores.quantization
        if q.bits > MAX_TABLE_BITS or self.table.size != 1 << q.bits or self.first != q.qmin:
            raise GraphError(
                f"scores of {q.bits} bits from {q.qmin} on meet a table of {self.table.size} "
                f"exponentials from {self.first} on; one for each code of at most {MAX_TABLE_BITS} "
                "bits is wanted"
            )
        check_zero_points(self.zero_point, keys, "keys")
        self.requantize.check(self.result(keys), keys.channels)
        return TensorType((keys.shape[0], 1, keys.channels), self.requantize.quantization)

    def reference(self, *codes: Codes) -> Codes:
        scores, keys = codes
        e = self.table[scores - self.first]
        total = e.sum(axis=2, keepdims=True)
        weighted = (e * (keys - np.asarray(self.zero_point))).sum(axis=2, keepdims=True)
        return self.requantize(((weighted << self.mean_bits) + (total >> 1)) // total)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        _, keys = inputs
        one = centred(keys)
        reach = self.total(keys).high << self.mean_bits
        centred_sum = Bounds(reach * min(0, one.low), reach * max(0, one.high))
        return self.dividend(keys) | centred_sum | self.result(keys)

    def macs(self, *inputs: TensorType) -> int:
        return inputs[1].size

    @property
    def exponential_bits(self) -> int:
        """Width of an exponential, unsigned."""
        return int(self.table.max()).bit_length()

    def total(self, keys: TensorType) -> Bounds:
        """Return the bounds of ``E``."""
        return Bounds(0, keys.shape[1] * int(self.table.max()))

    def weighted(self, keys: TensorType) -> Bounds:
        """Return the bounds of ``A_c`` for keys that count from their smallest code."""
        q = keys.quantization
        return Bounds(0, self.total(keys).high * (q.qmax - q.qmin))

    def dividend(self, keys: TensorType) -> Bounds:
        """Return the bounds of the dividend for keys that count from their smallest code."""
        half = self.total(keys).high >> 1
        return Bounds(0, (self.weighted(keys).high << self.mean_bits) + half)

    def result(self, keys: TensorType) -> Bounds:
        """Return the bounds of the mean, also of keys that count from their smallest code."""
        q = keys.quantization
        largest = (q.qmax - q.qmin) << self.mean_bits
        low, high = -int(self.offset(keys).max()), largest - int(self.offset(keys).min())
        return Bounds(min(0, low), max(largest, high))

    def offset(self, keys: TensorType) -> Codes:
        """Return the mean (1,) or (C,) of the zero points, counted from the smallest key code.

        It is what keys that count from there have too much.
        """
        return (np.asarray(self.zero_point) - keys.quantization.qmin) << self.mean_bits
