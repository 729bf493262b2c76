"""Integer LayerNorm over the channels of every position: one square root and one division each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from typing import ClassVar, NamedTuple

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.graph import MAX_ACCUMULATOR_BITS
from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import freeze
from hyq_hls.ops.normalization import Normalization, root_precision

MAX_FACTOR_SHIFT = 15
#: Fraction bits of a normalized value, unless asked otherwise: rounding to 2**-13.
NORMALIZED_BITS = 12


def integer_root(values: Codes) -> Codes:
    """Return the exact floor of the square root of int64 values from 0 to 2**62 - 1."""
    root = np.sqrt(values.astype(np.float64)).astype(np.int64)  # at most one off
    root -= root * root > values
    return root + ((root + 1) ** 2 <= values)


@dataclass(frozen=True)
class Moments:
    """Bounds of everything that depends on the input alone.

    Attributes:
        value: bounds of an input after its zero point and its factor.
        total: bounds of the sum over the channels.
        deviation: bounds of C times an input minus the sum, and of the steps on the way.
        scaled_squares: largest C times the sum of squares, epsilon included.
        variance: largest C**2 times the variance, epsilon included.
    """

    value: Bounds
    total: Bounds
    deviation: Bounds
    scaled_squares: int
    variance: int

    @classmethod
    def of(cls, x: TensorType, factor_shift: Codes, epsilon: int) -> Moments:
        q, n = x.quantization, x.channels
        zero = np.broadcast_to(np.asarray(q.zero_point), n).tolist()
        shift = np.broadcast_to(factor_shift, n).tolist()
        low = tuple((q.qmin - z) << k for z, k in zip(zero, shift, strict=True))
        high = tuple((q.qmax - z) << k for z, k in zip(zero, shift, strict=True))
        return _moments_between(low, high, epsilon)


@lru_cache(maxsize=1024)  # Who chooses a folding asks thousands of times for the same ones.
def _moments_between(low: tuple[int, ...], high: tuple[int, ...], epsilon: int) -> Moments:
    """Return the moments of values between ``low`` and ``high``, which are bounds per channel."""
    n = len(low)
    value, total = Bounds(min(low), max(high)), Bounds(sum(low), sum(high))
    pairs = list(zip(low, high, strict=True))
    lowest = min((n - 1) * a - (total.high - b) for a, b in pairs)
    highest = max((n - 1) * b - (total.low - a) for a, b in pairs)
    before = Bounds(n * value.low, n * value.high)  # the sum is not subtracted yet
    deviation = before | Bounds(lowest, highest)
    squares = n * sum(max(a * a, b * b) for a, b in pairs)
    # Popoviciu: values in [a, b] have a variance of at most (b - a)**2 / 4.
    spread = (n * (value.high - value.low)) ** 2 // 4
    variance = min(squares, spread) + epsilon
    return Moments(value, total, deviation, squares + epsilon, variance)


class LayerNormPrecision(NamedTuple):
    """Fraction bits inside a LayerNorm.

    Attributes:
        root_bits: t, fraction bits of the square root.
        reciprocal_bits: N, fraction bits of the reciprocal.
        normalized_bits: F, fraction bits of a normalized value.
    """

    root_bits: int
    reciprocal_bits: int
    normalized_bits: int


def layer_norm_precision(
    x: TensorType, factor_shift: Codes, epsilon: int, normalized_bits: int = NORMALIZED_BITS
) -> LayerNormPrecision:
    """Return the fraction bits that a LayerNorm of ``x`` deserves.

    t is the smallest with ``sqrt(V) * 2**t >= 2**(F + 1)`` for every input that is not constant,
    and N the smallest with ``2**N >= sqrt(V) * 2**t * 2**(F + 1)`` for every input. The two floors
    then err in opposite directions by less than ``2**-(F + 1)`` each, so that a normalized value z
    is off by at most ``(1 + abs(z)) * 2**-(F + 1)``. Where V leaves no room in 62 bits, t is
    smaller, and inputs of the smallest variances are off by up to ``abs(z) / std`` more.

    Args:
        x: type of the input.
        factor_shift: (C,) or (1,).
        epsilon: as in :class:`LayerNorm`.
        normalized_bits: F.

    Raises:
        GraphError: ``V`` itself needs more than 62 bits.
    """
    moments = Moments.of(x, np.asarray(factor_shift), int(epsilon))
    room = MAX_ACCUMULATOR_BITS - Bounds(0, moments.variance).bits
    if room < 0 or Bounds(0, moments.scaled_squares).bits > MAX_ACCUMULATOR_BITS:
        raise GraphError(
            f"layer_norm over {x.channels} channels of {x.quantization.bits} bits with factors up "
            f"to 2**{int(np.max(factor_shift))} needs more than {MAX_ACCUMULATOR_BITS} bits; use "
            "fewer bits or smaller factors for its input"
        )
    bits = root_precision(x.channels, int(epsilon), moments.variance, room, normalized_bits)
    return LayerNormPrecision(*bits, normalized_bits)


@dataclass(frozen=True, eq=False)
class LayerNorm(Normalization):
    """``y = requantize(gamma * (x - mean) / sqrt(variance) + beta)`` over the last axis.

    Power-of-two factors per channel are FQ-ViT's (PTF); everything after them is integers::

        x_c = (q_c - z_c) << k_c,  S = sum x_c,  D_c = C * x_c - S
        V   = C * sum x_c**2 - S**2 + epsilon                  C**2 * variance
        std = isqrt(V << 2t),  R = 2**N // std
        n_c = (D_c * R + (1 << (N - t - F - 1))) >> (N - t - F)
        acc = gamma_c * n_c + beta_c

    Attributes:
        factor_shift: k, (C,) or (1,), 0 to 15; the scale of a channel is ``2**k_c * s_min``.
        zero_point: z, zero point of the input, (1,) or (C,).
        epsilon: ``C**2 * eps / s_min**2``, 1 or more, so that nothing divides by zero.
        root_bits: t, fraction bits of the standard deviation.
        reciprocal_bits: N, fraction bits of the reciprocal.
        normalized_bits: F, fraction bits of a normalized value; see
            :func:`layer_norm_precision` for all three.
        gamma: factors (C,), with any number g of fraction bits.
        beta: summands (C,), with ``g + F`` fraction bits, as the accumulator.
        gamma_bits: width of a gamma, two's complement.
        beta_bits: width of a beta, two's complement.
        requantize: accumulator to output code.

    Raises:
        GraphError: parameters out of range, or of different lengths.
    """

    name: ClassVar[str] = "layer_norm"

    factor_shift: Codes
    zero_point: tuple[int, ...]
    epsilon: int
    root_bits: int
    reciprocal_bits: int
    normalized_bits: int
    gamma: Codes
    beta: Codes
    gamma_bits: int
    beta_bits: int
    requantize: Requantize

    def __post_init__(self) -> None:
        self._check_parameters("root_bits", "reciprocal_bits", "normalized_bits")
        freeze(self, "factor_shift", 1)
        if self.gamma.size != self.beta.size or self.factor_shift.size not in (1, self.gamma.size):
            raise GraphError(
                f"layer_norm has {self.gamma.size} gammas, {self.beta.size} betas and "
                f"{self.factor_shift.size} factors; one gamma and beta per channel are wanted, and "
                "one factor or one per channel"
            )
        if self.factor_shift.min() < 0 or self.factor_shift.max() > MAX_FACTOR_SHIFT:
            raise GraphError(f"factors {self.factor_shift} leave [0, {MAX_FACTOR_SHIFT}]")
        if (
            min(self.root_bits, self.normalized_bits, self.normalize_shift - 1) < 0
            or self.reciprocal_bits > MAX_ACCUMULATOR_BITS
        ):
            raise GraphError(
                f"root_bits {self.root_bits}, reciprocal_bits {self.reciprocal_bits}, "
                f"normalized_bits {self.normalized_bits}: none may be negative, and the second "
                f"must exceed the sum of the others and be {MAX_ACCUMULATOR_BITS} at most; "
                "layer_norm_precision gives good values"
            )

    @property
    def normalize_shift(self) -> int:
        """Right shift from ``D_c * R`` to a normalized value."""
        return self.reciprocal_bits - self.root_bits - self.normalized_bits

    def reference(self, *codes: Codes) -> Codes:
        (q,) = codes
        channels = q.shape[-1]
        x = (q - np.asarray(self.zero_point)) << self.factor_shift
        total = x.sum(axis=-1, keepdims=True)
        variance = channels * (x * x).sum(axis=-1, keepdims=True) - total * total + self.epsilon
        std = integer_root(variance << (2 * self.root_bits))
        reciprocal = np.int64(1 << self.reciprocal_bits) // std
        half = 1 << (self.normalize_shift - 1)
        normalized = ((channels * x - total) * reciprocal + half) >> self.normalize_shift
        return self.requantize(self.gamma * normalized + self.beta)

    def accumulator(self, *inputs: TensorType) -> Bounds:
        (x,) = inputs
        moments = self.moments(x)
        bounds = moments.total | moments.deviation | Bounds(0, moments.scaled_squares)
        bounds |= self.radicand(x) | Bounds(0, 1 << self.reciprocal_bits)
        return bounds | self.product(x) | self.result(x)

    def moments(self, x: TensorType) -> Moments:
        """Return the bounds of sums, deviations and variance for inputs of type ``x``."""
        return Moments.of(x, self.factor_shift, self.epsilon)

    def product(self, x: TensorType) -> Bounds:
        """Return the bounds of ``D * R`` with half a step added.

        A deviation is at most sqrt(C - 1) standard deviations: ``D**2 <= (C - 1) * V``, and
        ``V << 2t < (std + 1)**2``, hence ``abs(D) * R < sqrt(C - 1) * 2**(N - t) * (1 + 1/std)``
        with ``std >= 2**t``. A large epsilon bounds the reciprocal better.
        """
        d, t = self.moments(x).deviation, self.root_bits
        scaled = isqrt((x.channels - 1) << (2 * (self.reciprocal_bits - t))) + 1
        by_deviation = ((scaled * ((1 << t) + 1)) >> t) + 1
        largest = min(by_deviation, max(-d.low, d.high) * self.largest_reciprocal)
        return Bounds(-largest, largest + (1 << (self.normalize_shift - 1)))

    def normalized(self, x: TensorType) -> Bounds:
        """Return the bounds of ``n_c``."""
        product = self.product(x)
        return Bounds(product.low >> self.normalize_shift, product.high >> self.normalize_shift)
