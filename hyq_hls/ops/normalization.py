"""The common part of LayerNorm and GroupNorm: a root and a reciprocal, then gammas and betas."""

from __future__ import annotations

from abc import abstractmethod
from math import isqrt
from typing import Protocol

from hyq_hls.errors import GraphError
from hyq_hls.graph.operation import Bounds, Codes, Operation
from hyq_hls.graph.requantize import Requantize
from hyq_hls.graph.types import TensorType
from hyq_hls.ops.checks import (
    check_affine,
    check_fits,
    check_zero_points,
    freeze,
    plain_integers,
    product_bounds,
)


def root_precision(
    count: int, epsilon: int, variance: int, room: int, normalized_bits: int
) -> tuple[int, int]:
    """Return the fraction bits of the square root and of the reciprocal.

    The root has at least ``F + 1`` bits at the smallest variance of values that are not all equal,
    and the reciprocal at the largest one.

    Args:
        count: M, numbers that share a variance.
        epsilon: ``M**2 * eps / scale**2``.
        variance: largest ``M**2`` times the variance, epsilon included.
        room: bits that are left above ``variance``.
        normalized_bits: F.
    """
    # Integers that are not all equal have sum_{i<j} (x_i - x_j)**2 >= M - 1.
    smallest = max(count - 1, 1) + epsilon
    root_bits = 0
    while isqrt(smallest << (2 * root_bits)) < 1 << (normalized_bits + 1):
        root_bits += 1
    root_bits = min(root_bits, room // 2)
    largest = isqrt(variance << (2 * root_bits))
    return root_bits, largest.bit_length() + normalized_bits + 1


class RowMoments(Protocol):
    """The bounds of sums and variance, as both normalizations have them."""

    @property
    def value(self) -> Bounds:
        """Bounds of a value: a code less its zero point, times its factor."""

    @property
    def total(self) -> Bounds:
        """Bounds of the sum of all values that share a mean."""

    @property
    def variance(self) -> int:
        """Largest variance, times the squared count, epsilon included."""


class Normalization(Operation):
    """``y = requantize(gamma_c * n + beta_c)``, with normalized values n.

    Subclasses are dataclasses, which have these fields among others.

    Attributes:
        zero_point: zero point of the input, (1,) or (C,).
        epsilon: summand of the variance in its steps, 1 or more.
        root_bits: t, fraction bits of the standard deviation.
        reciprocal_bits: N, fraction bits of the reciprocal R.
        gamma: factors (C,).
        beta: summands (C,), in the steps of the accumulator.
        gamma_bits: width of a gamma, two's complement.
        beta_bits: width of a beta, two's complement.
        requantize: accumulator to output code.
    """

    zero_point: tuple[int, ...]
    epsilon: int
    root_bits: int
    reciprocal_bits: int
    gamma: Codes
    beta: Codes
    gamma_bits: int
    beta_bits: int
    requantize: Requantize

    def _check_parameters(self, *integers: str) -> None:
        """Freeze and check the common fields, and that other fields are plain integers."""
        plain_integers(self, "epsilon", *integers, "gamma_bits", "beta_bits")
        for name in ("gamma", "beta"):
            freeze(self, name, 1)
        check_fits(self.gamma, self.gamma_bits, "gammas")
        check_fits(self.beta, self.beta_bits, "betas")
        if self.epsilon < 1:
            raise GraphError(
                f"epsilon {self.epsilon} would divide by zero; 1 is the smallest, also where the "
                "model has none"
            )

    def output_type(self, *inputs: TensorType) -> TensorType:
        (x,) = inputs
        check_affine(x)
        if x.channels != self.gamma.size:
            raise GraphError(f"{self.gamma.size} channels are wanted, found {x.shape}")
        check_zero_points(self.zero_point, x)
        largest = isqrt(self.radicand(x).high)
        if largest >> self.reciprocal_bits:
            raise GraphError(
                f"reciprocal_bits {self.reciprocal_bits} give 0 for standard deviations up to "
                f"{largest}; {self.name}_precision gives a good value"
            )
        self.requantize.check(self.result(x), x.channels)
        return TensorType(x.shape, self.requantize.quantization)

    def macs(self, *inputs: TensorType) -> int:
        return 3 * inputs[0].size  # square, times the reciprocal, times gamma

    @abstractmethod
    def moments(self, x: TensorType) -> RowMoments:
        """Return the bounds of sums and variance for inputs of type ``x``."""

    def radicand(self, x: TensorType) -> Bounds:
        """Return the bounds of ``V << 2t``, of which the square root is taken."""
        return Bounds(0, self.moments(x).variance << (2 * self.root_bits))

    @property
    def largest_reciprocal(self) -> int:
        """``R`` at the smallest variance, which is epsilon."""
        return (1 << self.reciprocal_bits) // isqrt(self.epsilon << (2 * self.root_bits))

    @abstractmethod
    def normalized(self, x: TensorType) -> Bounds:
        """Return the bounds of ``n``."""

    def result(self, x: TensorType) -> Bounds:
        """Return the bounds of ``gamma_c * n + beta_c``, which is requantized."""
        n, bounds = self.normalized(x), Bounds(0, 0)
        for gamma, beta in zip(self.gamma.tolist(), self.beta.tolist(), strict=True):
            product = product_bounds(Bounds(gamma, gamma), n)
            bounds |= product | Bounds(product.low + beta, product.high + beta)
        return bounds
