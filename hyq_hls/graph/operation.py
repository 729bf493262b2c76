"""What every integer operation offers. The operations themselves live in :mod:`hyq_hls.ops`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph.kernel import Kernel
from hyq_hls.graph.types import TensorType

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest value an accumulator can take, for any legal input."""

    low: int
    high: int

    @property
    def bits(self) -> int:
        """Two's complement width that holds both ends."""
        return max(max(self.high, 0).bit_length(), max(-self.low - 1, 0).bit_length()) + 1

    def __or__(self, other: Bounds) -> Bounds:
        return Bounds(min(self.low, other.low), max(self.high, other.high))


class Operation(ABC):
    """One integer operation with its parameters; subclasses are frozen dataclasses.

    ``reference`` is the specification: whatever else computes this operation (fast emulation,
    C++, SystemVerilog) is compared with it by ``array_equal``.
    """

    #: Name of the operation, of its C++ header and function, and of its test.
    name: ClassVar[str]
    #: How many inputs it takes; None when it takes any number from two on.
    arity: ClassVar[int | None] = 1

    @abstractmethod
    def output_type(self, *inputs: TensorType) -> TensorType:
        """Type of the output. Raises ``GraphError`` when inputs and parameters do not fit."""

    @abstractmethod
    def reference(self, *codes: Codes) -> Codes:
        """The meaning, in int64 numpy: codes of shape (B, \\*shape) in, codes out."""

    @abstractmethod
    def accumulator(self, *inputs: TensorType) -> Bounds:
        """Proven bounds of the widest intermediate sum before requantization."""

    @abstractmethod
    def kernel(self, *inputs: TensorType) -> Kernel:
        """Parameters and memories of the C++ function that implements this operation."""

    def macs(self, *inputs: TensorType) -> int:
        """Multiply-accumulates of one sample; zero for operations that only move or map data."""
        return 0

    def cycles(self, *inputs: TensorType) -> int:
        """Trip count of one sample in the generated C++ at initiation interval 1."""
        return self.output_type(*inputs).words
