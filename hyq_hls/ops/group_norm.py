"""Integer GroupNorm with one group: all elements of a frame have one mean and one variance."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import ClassVar, NamedTuple

import numpy as np

from hyq_hls.errors import GraphError
from hyq_hls.graph.graph import MAX_ACCUMULATOR_BITS
from hyq_hls.graph.operation import Bounds, Codes
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import centred
from hyq_hls.ops.layer_norm import integer_root
from hyq_hls.ops.normalization import Normalization, root_precision

#: Fraction bits of a normalized value, unless asked otherwise. With one more, as a LayerNorm has,
#: the reciprocals of networks would leave the 25-bit side of a DSP48E1.
NORMALIZED_BITS = 11
#: Bits of the constant that makes a mean of a sum, and its largest number of fraction bits.
_MEAN_MULTIPLIER_BITS, _MAX_MEAN_BITS = 16, 8
#: A difference from the mean of this many bits fits one side of a DSP48E1, with its sign.
_DIFFERENCE_BITS = 17


class GroupNormPrecision(NamedTuple):
    """The constants of a GroupNorm that follow from its size and its input.

    Attributes:
        mean_bits: f, fraction bits of the mean.
        mean_multiplier: K, with ``K / 2**k`` close to ``2**f / M``.
        mean_shift: k.
        root_bits: t, fraction bits of the square root.
        reciprocal_bits: N, fraction bits of the reciprocal.
        normalize_shift: s, right shift from a product to a normalized value.
    """

    mean_bits: int
    mean_multiplier: int
    mean_shift: int
    root_bits: int
    reciprocal_bits: int
    normalize_shift: int


def group_norm_precision(
    x: TensorType, epsilon: int, normalized_bits: int = NORMALIZED_BITS
) -> GroupNormPrecision:
    """Return the constants that a GroupNorm of ``x`` deserves.

    A normalized value is ``n * M / 2**(F + e)``, where ``e = ceil(log2 M)``; gammas take up the
    factor. The square root has ``F + 1`` bits at the smallest variance, and the reciprocal at the
    largest one, so that the two floors err by less than ``2**-(F + 1)`` each. Where V leaves no
    room in 62 bits, t is smaller.

    Args:
        x: type of the input.
        epsilon: as in :class:`GroupNorm`.
        normalized_bits: F.

    Raises:
        GraphError: ``V`` itself needs more than 62 bits.
    """
    moments = FrameMoments.of(x, epsilon)
    room = MAX_ACCUMULATOR_BITS - Bounds(0, moments.scaled_squares).bits
    if room < 0:
        raise GraphError(
            f"group_norm over {x.size} elements of {x.quantization.bits} bits needs more than "
            f"{MAX_ACCUMULATOR_BITS} bits; use fewer bits for its input"
        )
    root_bits, reciprocal_bits = root_precision(
        x.size, epsilon, moments.variance, room, normalized_bits
    )
    exponent = (x.size - 1).bit_length()
    span = Bounds(0, moments.value.high - moments.value.low).bits - 1
    mean_bits = min(max(_DIFFERENCE_BITS - 1 - span, 2), _MAX_MEAN_BITS)
    mean_shift = _MEAN_MULTIPLIER_BITS + exponent - mean_bits
    return GroupNormPrecision(
        mean_bits,
        round((1 << (_MEAN_MULTIPLIER_BITS + exponent)) / x.size),
        mean_shift,
        root_bits,
        reciprocal_bits,
        reciprocal_bits + mean_bits - root_bits - normalized_bits - exponent,
    )


@dataclass(frozen=True)
class FrameMoments:
    """Bounds of everything that depends on the input alone.

    Attributes:
        value: bounds of an input less its zero point.
        total: bounds of the sum over a frame.
        squares: largest sum of squares.
        scaled_squares: largest M times the sum of squares, epsilon included.
        variance: largest M**2 times the variance, epsilon included.
    """

    value: Bounds
    total: Bounds
    squares: int
    scaled_squares: int
    variance: int

    @classmethod
    def of(cls, x: TensorType, epsilon: int) -> FrameMoments:
        """Return the bounds for inputs of type ``x``."""
        value, count = centred(x), x.size
        total = Bounds(count * value.low, count * value.high)
        squares = count * max(value.low**2, value.high**2)
        # Popoviciu: values in [a, b] have a variance of at most (b - a)**2 / 4.
        spread = (count * (value.high - value.low)) ** 2 // 4
        variance = min(count * squares, spread) + epsilon
        return cls(value, total, squares, count * squares + epsilon, variance)


@dataclass(frozen=True, eq=False)
class GroupNorm(Normalization):
    """``y = requantize(gamma_c * (x - mean) / sqrt(variance) + beta_c)`` over a whole frame.

    It is GroupNorm with one group (Wu and He, arXiv:1803.08494): mean and variance are those of
    all M elements of a map or of tokens, and gamma and beta belong to the channels::

        x   = q - z
        S   = sum x,  V = M * sum x**2 - S**2 + epsilon        M**2 * variance
        std = isqrt(V << 2t),  R = 2**N // std
        m   = (S * K + (1 << (k - 1))) >> k                    mean with f fraction bits
        n   = (((x << f) - m) * R + (1 << (s - 1))) >> s
        acc = gamma_c * n + beta_c

    Attributes:
        zero_point: z, zero point of the input, (1,) or (C,).
        epsilon: ``M**2 * eps / scale**2``, 1 or more, so that nothing divides by zero.
        mean_bits: f, fraction bits of the mean.
        mean_multiplier: K; ``K / 2**k`` is close to ``2**f / M``.
        mean_shift: k.
        root_bits: t, fraction bits of the standard deviation.
        reciprocal_bits: N, fraction bits of the reciprocal.
        normalize_shift: s; see :func:`group_norm_precision` for all six.
        gamma: factors (C,).
        beta: summands (C,), in the steps of the accumulator.
        gamma_bits: width of a gamma, two's complement.
        beta_bits: width of a beta, two's complement.
        requantize: accumulator to output code.

    Raises:
        GraphError: parameters out of range, or of different lengths.
    """

    name: ClassVar[str] = "group_norm"

    zero_point: tuple[int, ...]
    epsilon: int
    mean_bits: int
    mean_multiplier: int
    mean_shift: int
    root_bits: int
    reciprocal_bits: int
    normalize_shift: int
    gamma: Codes
    beta: Codes
    gamma_bits: int
    beta_bits: int
    requantize: Requantize

    def __post_init__(self) -> None:
        self._check_parameters(*GroupNormPrecision._fields)
        if self.gamma.size != self.beta.size:
            raise GraphError(
                f"group_norm has {self.gamma.size} gammas and {self.beta.size} betas; one of each "
                "per channel is wanted"
            )
        if (
            min(self.mean_bits, self.root_bits) < 0
            or min(self.mean_multiplier, self.mean_shift, self.normalize_shift) < 1
            or self.mean_multiplier >> (_MEAN_MULTIPLIER_BITS + 1)
            or self.reciprocal_bits > MAX_ACCUMULATOR_BITS
        ):
            precision = {name: getattr(self, name) for name in GroupNormPrecision._fields}
            raise GraphError(
                f"{precision}: the bits must not be negative, the multiplier has 1 to "
                f"{_MEAN_MULTIPLIER_BITS + 1} bits, both shifts are 1 or more, and reciprocal_bits "
                f"is {MAX_ACCUMULATOR_BITS} at most; group_norm_precision gives good values"
            )

    def reference(self, *codes: Codes) -> Codes:
        (q,) = codes
        x = q - np.asarray(self.zero_point)
        frames, axes = x.reshape(len(x), -1), (-1, *(1,) * (x.ndim - 1))
        total = frames.sum(axis=1)
        variance = frames.shape[1] * (frames * frames).sum(axis=1) - total * total + self.epsilon
        std = integer_root(variance << (2 * self.root_bits))
        reciprocal = (np.int64(1 << self.reciprocal_bits) // std).reshape(axes)
        mean = self.mean(total).reshape(axes)
        half = 1 << (self.normalize_shift - 1)
        normalized = (((x << self.mean_bits) - mean) * reciprocal + half) >> self.normalize_shift
        return self.requantize(self.gamma * normalized + self.beta)

    def mean(self, total: Codes) -> Codes:
        """Return the mean, with its fraction bits, of sums over a frame."""
        return (total * self.mean_multiplier + (1 << (self.mean_shift - 1))) >> self.mean_shift

    def accumulator(self, *inputs: TensorType) -> Bounds:
        (x,) = inputs
        moments = self.moments(x)
        bounds = moments.total | Bounds(0, moments.scaled_squares) | self.radicand(x)
        bounds |= Bounds(0, 1 << self.reciprocal_bits) | self.mean_product(x)
        return bounds | self.difference(x) | self.product(x) | self.result(x)

    def moments(self, x: TensorType) -> FrameMoments:
        """Return the bounds of sums and variance for inputs of type ``x``."""
        return FrameMoments.of(x, self.epsilon)

    def mean_product(self, x: TensorType) -> Bounds:
        """Return the bounds of ``S * K`` with half a step added."""
        total, half = self.moments(x).total, 1 << (self.mean_shift - 1)
        return Bounds(total.low * self.mean_multiplier, total.high * self.mean_multiplier + half)

    def difference(self, x: TensorType) -> Bounds:
        """Return the bounds of ``(x << f) - m``, and of the step on the way."""
        value, product = self.moments(x).value, self.mean_product(x)
        half = 1 << (self.mean_shift - 1)
        least, most = (end >> self.mean_shift for end in (product.low + half, product.high))
        low, high = value.low << self.mean_bits, value.high << self.mean_bits
        return Bounds(min(low, low - most), max(high, high - least))

    def product(self, x: TensorType) -> Bounds:
        """Return the bounds of a difference times ``R`` with half a step added.

        A large epsilon bounds the reciprocal. Else a deviation ``D = M * x - S`` is at most
        sqrt(M - 1) standard deviations, as in a LayerNorm: ``abs(D) * R < sqrt(M - 1) * 2**(N - t)
        * (1 + 1/std)`` with ``std >= 2**t``. The difference is ``D * 2**f / M``, and the rounding
        of the mean.
        """
        difference, moments, t = self.difference(x), self.moments(x), self.root_bits
        largest = max(-difference.low, difference.high) * self.largest_reciprocal
        scaled = isqrt((x.size - 1) << (2 * (self.reciprocal_bits - t))) + 1
        deviation = ((scaled * ((1 << t) + 1)) >> t) + 1
        # The constant is off by less than this many parts of 2**k * M.
        inexact = abs(self.mean_multiplier * x.size - (1 << (self.mean_bits + self.mean_shift)))
        reach = max(-moments.total.low, moments.total.high)
        off = reach * inexact // (x.size << self.mean_shift) + 2
        by_deviation = (deviation << self.mean_bits) // x.size + 1 + off * self.largest_reciprocal
        largest = min(largest, by_deviation)
        return Bounds(-largest, largest + (1 << (self.normalize_shift - 1)))

    def normalized(self, x: TensorType) -> Bounds:
        """Return the bounds of ``n``."""
        product = self.product(x)
        return Bounds(product.low >> self.normalize_shift, product.high >> self.normalize_shift)
