"""The interface of every circuit of the streaming machine; other files here hold the circuits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

from hyq_hls.errors import GraphError
from hyq_hls.graph import Bounds, Operation, TensorType
from hyq_hls.stream.arguments import Memory, TemplateArguments
from hyq_hls.stream.circuits.process import Process
from hyq_hls.stream.folding import Folding, equal_lanes

OperationT = TypeVar("OperationT", bound=Operation)


@dataclass(frozen=True, eq=False)
class Circuit(ABC, Generic[OperationT]):
    """A circuit that computes one operation on inputs of given types, word by word.

    The operation defines the codes. The circuit defines how many of them flow per cycle, when they
    flow, and the hardware that this takes.

    Attributes:
        operation: the operation that is computed.
        inputs: types of its inputs.
    """

    #: Names of the input ports.
    ports: ClassVar[tuple[str, ...]] = ("in",)

    operation: OperationT
    inputs: tuple[TensorType, ...]

    @property
    def module(self) -> str:
        """Name of the module: C++ function ``hyq::<module>``, SystemVerilog ``hyq_<module>``."""
        return self.operation.name

    @property
    def name(self) -> str:
        """Name among the circuits of the operation."""
        return self.module

    @property
    def variant(self) -> str:
        """Name that tells the circuits of one module apart; its parameters select the circuit.

        It is empty where there is only one.
        """
        return ""

    @property
    def possible(self) -> bool:
        """Whether this circuit computes the operation on these inputs."""
        return True

    @cached_property
    def output(self) -> TensorType:
        """Type of the output."""
        return self.operation.output_type(*self.inputs)

    @cached_property
    def accumulator(self) -> Bounds:
        """Proven bounds of the widest intermediate sum of the operation."""
        return self.operation.accumulator(*self.inputs)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample."""
        return self.operation.macs(*self.inputs)

    @abstractmethod
    def arguments(self, folding: Folding) -> TemplateArguments:
        """Return parameters and memories of the circuit, the same for C++ and SystemVerilog."""

    def latest_arguments(self, folding: Folding) -> TemplateArguments:
        """Return :meth:`arguments`, which orders all weights, and keep them until the next call."""
        if folding not in self._latest:
            self._latest.clear()
            self._latest[folding] = self.arguments(folding)
        return self._latest[folding]

    @cached_property
    def _latest(self) -> dict[Folding, TemplateArguments]:
        return {}

    @property
    def foldings(self) -> list[Folding]:
        """Every legal folding; for operations on single elements, any divisor of the channels."""
        return equal_lanes(self.inputs[0].channels)

    def input_lanes(self, folding: Folding) -> tuple[int, ...]:
        """Return the number of codes in a word of every input stream."""
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
        """Largest share of a frame that enters the circuit before the first word leaves it.

        By default it is some positions of a pipeline. It is more where a buffer waits for rows or
        frames.
        """
        return Fraction(8, self.inputs[0].words)

    @property
    def positions_waiting(self) -> int:
        """Positions of an input that come at a steady rate while the circuit takes none.

        By default there are two: one arrives while the other is used. There are more where a frame
        ends in a pause.
        """
        return 2

    def memories(self, folding: Folding) -> list[Memory]:
        """Return the memories of the SystemVerilog circuit; by default those of its constants."""
        return [rom.memory for rom in self.latest_arguments(folding).roms]

    def products(self, folding: Folding) -> int:
        """Return the number of products of two variables that the circuit computes every cycle."""
        return 0

    def dsps(self, folding: Folding) -> int:
        """Return the DSP48E1 slices for the products; fewer where two products share one slice."""
        return self.products(folding)

    @abstractmethod
    def processes(self, folding: Folding) -> tuple[Process, ...]:
        """Return the processes of the C++ in the order of the data, as ``hls_templates`` has them.

        A circuit whose C++ is no DATAFLOW region is one process.
        """

    def arrays(self, folding: Folding) -> list[Memory]:
        """Return the arrays of the C++ that are written and read; by default there are none.

        An array of a few entries, such as that of the sums, is registers and is left out.
        """
        return []

    def inner_streams(self, folding: Folding) -> list[Memory]:
        """Return the FIFOs of the streams between the processes of the C++."""
        return []

    def pipelines(self, folding: Folding) -> int:
        """Return how many pipelines of the C++ may hold words, one after another.

        They are those of its processes, and one for each queue between two of them, which has room
        for the words of a pipeline.
        """
        processes = len(self.processes(folding))
        return 2 * processes - 1 if self.inner_streams(folding) else processes

    @abstractmethod
    def cycles(self, folding: Folding) -> int:
        """Return the cycles per sample in steady state.

        Inputs are always valid, and the output is always ready.
        """

    @abstractmethod
    def latency(self, folding: Folding) -> int:
        """Return the cycles from the first input transfer to the last output transfer.

        They belong to the first sample after reset.
        """
