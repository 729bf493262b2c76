"""What every integer operation offers. The operations themselves live in :mod:`hyq_hls.ops`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph.folding import Folding, equal_lanes
from hyq_hls.graph.kernel import Kernel, Memory
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


def product_dsps(a_bits: int, b_bits: int) -> int:
    """DSP48E1 slices of a signed product: each multiplies 25 by 18 bits, or parts without sign."""
    return max(1, -(-(a_bits - 1) // 24)) * max(1, -(-(b_bits - 1) // 17))


class Operation(ABC):
    """One integer operation with its parameters; subclasses are frozen dataclasses.

    ``reference`` is the specification: whatever else computes this operation (fast emulation,
    C++, SystemVerilog) is compared with it by ``array_equal``.
    """

    #: Name of the operation, of its C++ header and function, and of its test.
    name: ClassVar[str]
    #: How many inputs it takes; None when it takes any number from two on.
    arity: ClassVar[int | None] = 1
    #: Names of the input ports of its circuit.
    ports: ClassVar[tuple[str, ...]] = ("in",)

    @property
    def module(self) -> str:
        """Circuit that computes it: C++ function ``hyq::<module>``, SystemVerilog ``hyq_<module>``.

        Operations whose circuits differ in their parameters name one of several.
        """
        return self.name

    @abstractmethod
    def output_type(self, *inputs: TensorType) -> TensorType:
        """Type of the output. Raises ``GraphError`` when inputs and parameters do not fit."""

    @abstractmethod
    def reference(self, *codes: Codes) -> Codes:
        """The meaning, in int64 numpy: codes of shape (B, \\*shape) in, codes out."""

    @abstractmethod
    def accumulator(self, *inputs: TensorType) -> Bounds:
        """Proven bounds of the widest intermediate sum before requantization.

        A sum with a bias starts with it, and its terms follow in any order.
        """

    def partial_sums(self, *inputs: TensorType) -> Bounds:
        """Proven bounds of every partial sum, in whatever order terms and bias are added.

        Who sums in an order of its own, as a library's kernel does, needs these bounds. By
        default they are those of the accumulator.
        """
        return self.accumulator(*inputs)

    @abstractmethod
    def kernel(self, folding: Folding, *inputs: TensorType) -> Kernel:
        """Parameters and memories of the circuit, the same for C++ and SystemVerilog."""

    def foldings(self, *inputs: TensorType) -> list[Folding]:
        """Every legal folding; for operations on single elements, any divisor of the channels."""
        return equal_lanes(inputs[0].channels)

    def input_lanes(self, folding: Folding) -> tuple[int, ...]:
        """Codes of a word of every input stream."""
        return (folding.inputs,) * len(self.ports)

    def check_folding(self, folding: Folding, *inputs: TensorType) -> None:
        """Raise :class:`GraphError` unless ``folding`` is one of :meth:`foldings`."""
        legal = self.foldings(*inputs)
        if folding not in legal:
            raise GraphError(
                f"folding {folding} (output x input lanes) does not divide this {self.name}; legal "
                f"are {', '.join(map(str, legal))}"
            )

    def frames_inside(self, *inputs: TensorType) -> Fraction:
        """Share of a frame, at most, that enters the circuit before the first word leaves it.

        By default some positions of a pipeline; more where a buffer waits for rows or frames.
        """
        return Fraction(8, inputs[0].words)

    def positions_waiting(self, *inputs: TensorType) -> int:
        """Positions of an input that come at a steady rate while the circuit takes none.

        By default two, of which one arrives while the other is used; more where a frame ends in a
        pause.
        """
        return 2

    def circuits(self, *inputs: TensorType) -> dict[str, Operation]:
        """Operations with the same integers in other circuits, by the name of the circuit."""
        return {self.module: self}

    def memories(self, folding: Folding, *inputs: TensorType) -> list[Memory]:
        """Memories of the SystemVerilog circuit; by default those of its constants."""
        return [rom.memory for rom in self.kernel(folding, *inputs).roms]

    def macs(self, *inputs: TensorType) -> int:
        """Multiply-accumulates of one sample; zero for operations that only move or map data."""
        return 0

    def products(self, folding: Folding, *inputs: TensorType) -> int:
        """Products of two variables that the circuit computes every cycle."""
        return 0

    def dsps(self, folding: Folding, *inputs: TensorType) -> int:
        """DSP48E1 slices for them; fewer where two products share one slice."""
        return self.products(folding, *inputs)

    @abstractmethod
    def cycles(self, folding: Folding, *inputs: TensorType) -> int:
        """Cycles per sample in steady state: inputs always valid, output always ready."""

    @abstractmethod
    def latency(self, folding: Folding, *inputs: TensorType) -> int:
        """Cycles from the first input transfer after reset to the sample's last output transfer."""
