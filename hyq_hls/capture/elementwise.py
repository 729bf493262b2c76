"""Functions of each element alone.

One class declares one function, and nothing else in ``capture`` knows it by name: the handlers of
aten operations, the recognition of written-out forms (``written.py``) and the advice to authors
are all built from ``FUNCTIONS``. The quantizer makes a table of each from its ``forward``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn import functional

from hyq_hls.capture.float_op import FloatOp, Shape


class Elementwise(FloatOp):
    """A function of each element alone, for tensors of any shape.

    Every field has a default value, and has the name of the aten argument that it comes from.

    Attributes:
        aten: name of the aten operation, without overload and in-place mark; None when PyTorch has
            no operation for the function, which is then recognised in its written-out form only.
    """

    aten: ClassVar[str | None] = None

    @classmethod
    def usual(cls) -> Sequence[Elementwise]:
        """Return the instances that written-out forms are compared with."""
        return (cls(),)

    def output_shape(self, *shapes: Shape) -> Shape:
        """Return the shape of the only input."""
        self._expect(len(shapes) == 1, shapes, "one input")
        return shapes[0]

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Apply the function to each element of the only input."""
        (x,) = inputs
        return self.function(x)

    @abstractmethod
    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the function to each element of ``x``."""


@dataclass(frozen=True, eq=False, repr=False)
class Silu(Elementwise):
    """``x * sigmoid(x)`` (Elfwing et al., arXiv:1702.03118, equation 2)."""

    aten = "silu"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply SiLU, which is also known as Swish, to each element."""
        return functional.silu(x)


@dataclass(frozen=True, eq=False, repr=False)
class Gelu(Elementwise):
    """``x * Phi(x)``, where ``Phi`` is the normal distribution (Hendrycks, arXiv:1606.08415).

    Attributes:
        approximate: "none" computes ``Phi`` by erf. "tanh" approximates it by
            ``(1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2``.
    """

    aten = "gelu"
    approximate: str = "none"

    @classmethod
    def usual(cls) -> Sequence[Elementwise]:
        """Return the exact function and its approximation."""
        return (cls("none"), cls("tanh"))

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply GELU to each element."""
        return functional.gelu(x, approximate=self.approximate)


@dataclass(frozen=True, eq=False, repr=False)
class QuickGelu(Elementwise):
    """``x * sigmoid(1.702 * x)`` (Hendrycks, arXiv:1606.08415, section 2)."""

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the sigmoid approximation of GELU to each element."""
        return x * torch.sigmoid(1.702 * x)


@dataclass(frozen=True, eq=False, repr=False)
class Relu(Elementwise):
    """``max(x, 0)`` (Nair and Hinton, ICML 2010)."""

    aten = "relu"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply ReLU to each element."""
        return functional.relu(x)


@dataclass(frozen=True, eq=False, repr=False)
class Relu6(Elementwise):
    """``min(max(x, 0), 6)`` (Howard et al., MobileNets, arXiv:1704.04861)."""

    aten = "relu6"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply ReLU6 to each element."""
        return functional.relu6(x)


@dataclass(frozen=True, eq=False, repr=False)
class SquaredRelu(Elementwise):
    """``max(x, 0)**2`` (So et al., Primer, arXiv:2109.08668); StarReLU scales and shifts it."""

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the square of ReLU to each element."""
        return functional.relu(x).square()


@dataclass(frozen=True, eq=False, repr=False)
class Sigmoid(Elementwise):
    """``1 / (1 + exp(-x))``."""

    aten = "sigmoid"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the logistic function to each element."""
        return torch.sigmoid(x)


@dataclass(frozen=True, eq=False, repr=False)
class Tanh(Elementwise):
    """``(exp(x) - exp(-x)) / (exp(x) + exp(-x))``."""

    aten = "tanh"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the hyperbolic tangent to each element."""
        return torch.tanh(x)


@dataclass(frozen=True, eq=False, repr=False)
class Hardsigmoid(Elementwise):
    """``min(max(x + 3, 0), 6) / 6`` (Howard et al., MobileNetV3, arXiv:1905.02244)."""

    aten = "hardsigmoid"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the piecewise linear sigmoid to each element."""
        return functional.hardsigmoid(x)


@dataclass(frozen=True, eq=False, repr=False)
class Hardswish(Elementwise):
    """``x * min(max(x + 3, 0), 6) / 6`` (Howard et al., MobileNetV3, arXiv:1905.02244)."""

    aten = "hardswish"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the piecewise quadratic SiLU to each element."""
        return functional.hardswish(x)


@dataclass(frozen=True, eq=False, repr=False)
class LeakyRelu(Elementwise):
    """``x`` where it is positive, else ``negative_slope * x`` (Maas et al., ICML 2013).

    Attributes:
        negative_slope: factor of negative elements.
    """

    aten = "leaky_relu"
    negative_slope: float = 0.01

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply leaky ReLU to each element."""
        return functional.leaky_relu(x, self.negative_slope)


@dataclass(frozen=True, eq=False, repr=False)
class Elu(Elementwise):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)`` (Clevert, arXiv:1511.07289).

    Attributes:
        alpha: distance of the lower limit from zero.
    """

    aten = "elu"
    alpha: float = 1.0

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply ELU to each element."""
        return functional.elu(x, self.alpha)


@dataclass(frozen=True, eq=False, repr=False)
class Selu(Elementwise):
    """``1.0507 * Elu(1.6733)``, scaled to keep mean and variance (Klambauer, arXiv:1706.02515)."""

    aten = "selu"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply SELU to each element."""
        return functional.selu(x)


@dataclass(frozen=True, eq=False, repr=False)
class Celu(Elementwise):
    """``x`` where it is positive, else ``alpha * (exp(x / alpha) - 1)`` (Barron, arXiv:1704.07483).

    Attributes:
        alpha: distance of the lower limit from zero.
    """

    aten = "celu"
    alpha: float = 1.0

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply CELU to each element."""
        return functional.celu(x, self.alpha)


@dataclass(frozen=True, eq=False, repr=False)
class Softplus(Elementwise):
    """``log(1 + exp(beta * x)) / beta`` (Dugas et al., NIPS 2000).

    Attributes:
        beta: steepness; the function approaches ReLU as it grows.
        threshold: the function is ``x`` itself where ``beta * x`` is above this.
    """

    aten = "softplus"
    beta: float = 1.0
    threshold: float = 20.0

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply softplus to each element."""
        return functional.softplus(x, self.beta, self.threshold)


@dataclass(frozen=True, eq=False, repr=False)
class Mish(Elementwise):
    """``x * tanh(log(1 + exp(x)))`` (Misra, arXiv:1908.08681)."""

    aten = "mish"

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Apply Mish to each element."""
        return functional.mish(x)


@dataclass(frozen=True, eq=False, repr=False)
class Clamp(Elementwise):
    """``min(max(x, minimum), maximum)``; infinite bounds leave a side open.

    Attributes:
        minimum: smallest result; by default that of Hardtanh.
        maximum: largest result; by default that of Hardtanh.
    """

    minimum: float = -1.0
    maximum: float = 1.0

    @classmethod
    def usual(cls) -> Sequence[Elementwise]:
        """Return nothing: a clamp is captured by its bounds, unless it is ReLU or ReLU6."""
        return ()

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Bound each element."""
        return x.clamp(self.minimum, self.maximum)


@dataclass(frozen=True, eq=False, repr=False)
class Power(Elementwise):
    """``x**exponent``; negative elements count as zero where a root has no value for them.

    Attributes:
        exponent: the positive exponent.
    """

    exponent: float = 2.0

    @classmethod
    def usual(cls) -> Sequence[Elementwise]:
        """Return nothing: a power is captured by its exponent."""
        return ()

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Raise each element to the power."""
        return (x if self.exponent.is_integer() else x.clamp(min=0)).pow(self.exponent)


@dataclass(frozen=True, eq=False, repr=False)
class InversePower(Elementwise):
    """``max(x, floor)**-exponent``, for elements that are not negative, such as variances.

    Attributes:
        exponent: the positive exponent.
        floor: positive number as which smaller elements count, so that a table of all codes has a
            value for zero too.
    """

    exponent: float = 1.0
    floor: float = 2.0**-64

    @classmethod
    def usual(cls) -> Sequence[Elementwise]:
        """Return nothing: it is captured by its exponent."""
        return ()

    def function(self, x: torch.Tensor) -> torch.Tensor:
        """Raise each element to the negative power."""
        return x.clamp(min=self.floor).pow(-self.exponent)


#: All functions of single elements that the capture knows.
FUNCTIONS: tuple[type[Elementwise], ...] = tuple(Elementwise.__subclasses__())
