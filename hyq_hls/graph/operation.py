"""Every integer operation offers this interface; :mod:`hyq_hls.ops` holds the operations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph.types import TensorType

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest value an accumulator can take, for any legal input.

    Attributes:
        low: the smallest value.
        high: the largest value.
    """

    low: int
    high: int

    @property
    def bits(self) -> int:
        """Two's complement width that holds both ends."""
        return max(max(self.high, 0).bit_length(), max(-self.low - 1, 0).bit_length()) + 1

    @property
    def magnitude(self) -> int:
        """The largest absolute value of a number inside."""
        return max(abs(self.low), abs(self.high))

    def __or__(self, other: Bounds) -> Bounds:
        return Bounds(min(self.low, other.low), max(self.high, other.high))


class Operation(ABC):
    """The meaning of one integer operation; subclasses are frozen dataclasses of its parameters.

    ``reference`` is the specification: whatever else computes this operation (fast emulation,
    C++, SystemVerilog) is compared with it by ``array_equal``.

    Attributes:
        name: name of the operation in files, messages and tests.
        arity: how many inputs it takes; None when it takes any number from two on. An operation of
            none gives the same for every image.
    """

    name: ClassVar[str]
    arity: ClassVar[int | None] = 1

    @abstractmethod
    def output_type(self, *inputs: TensorType) -> TensorType:
        """Return the type of the output.

        Raises:
            GraphError: inputs and parameters do not fit.
        """

    @abstractmethod
    def reference(self, *codes: Codes) -> Codes:
        r"""Compute the meaning in int64 numpy: codes of shape (B, \*shape) in, codes out.

        An operation without inputs is given the codes of the images, of which it needs the number.
        """

    @abstractmethod
    def accumulator(self, *inputs: TensorType) -> Bounds:
        """Prove bounds of the widest intermediate sum before requantization.

        A sum with a bias starts with it, and its terms follow in any order.
        """

    def partial_sums(self, *inputs: TensorType) -> Bounds:
        """Prove bounds of every partial sum, in whatever order terms and bias are added.

        A library's kernel, which sums in an order of its own, needs these bounds. By default they
        are those of the accumulator.
        """
        return self.accumulator(*inputs)

    def macs(self, *inputs: TensorType) -> int:
        """Count the multiply-accumulates of one sample; moving or mapping data takes none."""
        return 0
