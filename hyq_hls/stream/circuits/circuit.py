"""What every circuit of the streaming machine offers; the circuits live in the files beside it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Generic, TypeVar

from hyq_hls.errors import GraphError
from hyq_hls.graph import Bounds, Operation, TensorType
from hyq_hls.stream.arguments import Memory, TemplateArguments
from hyq_hls.stream.folding import Folding, equal_lanes

OperationT = TypeVar("OperationT", bound=Operation)


@dataclass(frozen=True, eq=False)
class Circuit(ABC, Generic[OperationT]):
    """A circuit that computes one operation on inputs of given types, word by word.

    The operation says what the codes are. The circuit says how many of them flow per cycle, when,
    and what hardware that takes.

    Attributes:
        operation: what is computed.
        inputs: types of its inputs.
    """

    #: Names of the input ports.
    ports: ClassVar[tuple[str, ...]] = ("in",)

    operation: OperationT
    inputs: tuple[TensorType, ...]

    @property
    def module(self) -> str:
        """What is instantiated: C++ function ``hyq::<module>``, SystemVerilog ``hyq_<module>``."""
        return self.operation.name

    @property
    def name(self) -> str:
        """Name among the circuits of the operation."""
        return self.module

    @property
    def variant(self) -> str:
        """Which of the circuits of its module the parameters select; empty where there is one."""
        return ""

    @property
    def possible(self) -> bool:
        """Whether this circuit computes the operation on these inputs."""
        return True

    @property
    def output(self) -> TensorType:
        """Type of the output."""
        return self.operation.output_type(*self.inputs)

    @property
    def accumulator(self) -> Bounds:
        """Proven bounds of the widest intermediate sum of the operation."""
        return self.operation.accumulator(*self.inputs)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample."""
        return self.operation.macs(*self.inputs)

    @abstractmethod
    def arguments(self, folding: Folding) -> TemplateArguments:
        """Parameters and memories of the circuit, the same for C++ and SystemVerilog."""

    @property
    def foldings(self) -> list[Folding]:
        """Every legal folding; for operations on single elements, any divisor of the channels."""
        return equal_lanes(self.inputs[0].channels)

    def input_lanes(self, folding: Folding) -> tuple[int, ...]:
        """Codes of a word of every input stream."""
        return (folding.inputs,) * len(self.ports)

    def check_folding(self, folding: Folding) -> None:
        """Raise :class:`GraphError` unless ``folding`` is one of :attr:`foldings`."""
        legal = self.foldings
        if folding not in legal:
            raise GraphError(
                f"folding {folding} (output x input lanes) does not divide this "
                f"{self.operation.name}; legal are {', '.join(map(str, legal))}"
            )

    @property
    def frames_inside(self) -> Fraction:
        """Share of a frame, at most, that enters the circuit before the first word leaves it.

        By default some positions of a pipeline; more where a buffer waits for rows or frames.
        """
        return Fraction(8, self.inputs[0].words)

    @property
    def positions_waiting(self) -> int:
        """Positions of an input that come at a steady rate while the circuit takes none.

        By default two, of which one arrives while the other is used; more where a frame ends in a
        pause.
        """
        return 2

    def memories(self, folding: Folding) -> list[Memory]:
        """Memories of the SystemVerilog circuit; by default those of its constants."""
        return [rom.memory for rom in self.arguments(folding).roms]

    def products(self, folding: Folding) -> int:
        """Products of two variables that the circuit computes every cycle."""
        return 0

    def dsps(self, folding: Folding) -> int:
        """DSP48E1 slices for them; fewer where two products share one slice."""
        return self.products(folding)

    @abstractmethod
    def cycles(self, folding: Folding) -> int:
        """Cycles per sample in steady state: inputs always valid, output always ready."""

    @abstractmethod
    def latency(self, folding: Folding) -> int:
        """Cycles from the first input transfer after reset to the sample's last output transfer."""
