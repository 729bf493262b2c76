"""The interface through which an accelerator speaks to a machine.

A machine is one design of one architecture: a graph, arranged for a part. The streaming machine,
which gives every node a circuit of its own, is ``hyq_hls/stream``; the engine, which computes all
nodes one after the other, is ``hyq_hls/engine``.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import InputError
from hyq_hls.graph import Graph
from hyq_hls.machine.cosim_report import CosimReport
from hyq_hls.machine.resource_report import ResourceReport
from hyq_hls.parts import Part
from hyq_hls.tools.verilator import Simulator, Waves
from hyq_hls.tools.yosys.mapping import Progress

Codes = NDArray[np.int64]


class CompiledNetwork(Protocol):
    """The C++ of a machine, compiled and loaded into this process."""

    def predict(
        self, codes: NDArray[np.integer[Any]], progress: Callable[[int], object] | None = None
    ) -> Codes:
        r"""Return the output codes (B, \*output shape) of input codes (B, \*input shape)."""
        ...

    def trace(self, codes: Codes) -> dict[str, Codes]:
        r"""Return the codes (1, \*shape) of nodes, by name, for one sample.

        Those that never stand in a memory of their own are absent.
        """
        ...


@dataclass(frozen=True)
class SimulationOptions:
    """The options of a co-simulation.

    Attributes:
        rtl: "hyq" for our own RTL, or "vitis" or "bambu" for the RTL that this HLS compiler made of
            the C++.
        idle: probability of an idle cycle before each input beat; of an engine, per cycle that a
            channel of reads from DRAM stalls.
        backpressure: probability per cycle that the output is not taken; of an engine, that a
            channel of writes to DRAM stalls.
        seed: seed of the random stalls.
        vcd: file for the waveforms; None writes none.
        activity_cycles: the words of every stream are counted per bin of this number of cycles; 0
            counts none.
        optimize: level at which g++ optimizes the simulation, 0 to 3; None chooses it by the number
            of cycles.
    """

    rtl: str = "hyq"
    idle: float = 0.0
    backpressure: float = 0.0
    seed: int = 0
    vcd: str | os.PathLike[str] | None = None
    activity_cycles: int = 0
    optimize: int | None = None

    def __post_init__(self) -> None:
        if self.optimize not in (None, 0, 1, 2, 3):
            raise InputError(
                f"optimize={self.optimize!r}: a level of g++ from 0 to 3 is wanted, or None, which "
                "chooses it by the number of cycles"
            )

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of g++ that ask for the level; none where it is chosen."""
        return () if self.optimize is None else (f"-O{self.optimize}",)


@dataclass(frozen=True, eq=False)
class Machine(ABC):
    """A graph as one design of one architecture, for one part.

    A machine is a value: it holds no folder and no loaded library. Methods that need files take
    the folder that :meth:`write` filled.

    Attributes:
        architecture: name of the architecture in project files.
        part: the part it is for.
        clock_mhz: target clock in MHz.
        project: name of the top function and of the top module.
    """

    architecture: ClassVar[str]

    part: Part
    clock_mhz: float
    project: str

    @classmethod
    @abstractmethod
    def from_settings(
        cls, graph: Graph, part: Part, clock_mhz: float, project: str, settings: Mapping[str, Any]
    ) -> Machine:
        """Return the machine whose :meth:`settings` were saved.

        Raises:
            ConversionError, KeyError, TypeError, ValueError: the settings are damaged.
        """

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Return the JSON values that a project file keeps of the design."""

    @property
    @abstractmethod
    def cycles_per_frame(self) -> int:
        """Clock cycles from one frame to the next in steady state, by formula."""

    @property
    def activity_cycles(self) -> int:
        """Cycles of a bin in which a report counts the words of every stream; 0 without streams."""
        return 0

    @property
    @abstractmethod
    def read_first(self) -> str:
        """The files of a project that a person reads first, in words."""

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Write C++, RTL and scripts into an empty folder.

        Raises:
            ConversionError: a node did not arrive in C++ or RTL.
        """

    @abstractmethod
    def compile(self, folder: Path, flags: tuple[str, ...] = ()) -> CompiledNetwork:
        """Compile the C++ with g++ and load it.

        Args:
            folder: the written project.
            flags: more g++ flags.

        Raises:
            CompilationError: g++ is missing or fails.
        """

    @abstractmethod
    def compiled(self, folder: Path) -> CompiledNetwork | None:
        """Return the network that :meth:`compile` left in the folder.

        It is None where nothing is left, or where a source is younger.

        Raises:
            CompilationError: the library cannot be loaded.
        """

    @abstractmethod
    def cosimulate(
        self,
        folder: Path,
        codes: Codes,
        emulated: Codes,
        compiled: Codes,
        options: SimulationOptions,
        progress: Callable[[int], object] | None = None,
    ) -> CosimReport:
        r"""Run frames through the RTL, compare every code, count cycles.

        Args:
            folder: the written project.
            codes: int64 (B, \*input shape).
            emulated: int64 (B, \*output shape), codes of the integer emulation.
            compiled: int64 (B, \*output shape), codes of the C++.
            options: stalls, waveforms, and the choice of the RTL.
            progress: called with the number of frames that are done.

        Raises:
            CompilationError: a tool is missing or fails.
            InputError: the options are unusable.
            SimulationError: a deadlock, or a broken protocol.
        """

    @abstractmethod
    def trace_rtl(self, folder: Path, codes: Codes) -> dict[str, Codes]:
        r"""Return the codes (B, \*shape) of nodes in the RTL, by name.

        Those that never stand in a memory or stream of their own are absent.

        Args:
            folder: the written project.
            codes: int64 (B, \*input shape).
        """

    @abstractmethod
    def simulator(
        self, folder: Path, node: str | None, watch: Sequence[str], waves: Waves
    ) -> Simulator:
        """Return the top level, or the circuit of one node, under manual control.

        Args:
            folder: the written project.
            node: name of a node; None means the top level.
            watch: nodes whose signals are traced, in the top level.
            waves: format of the waveforms.

        Raises:
            ConversionError: there is no such node.
            CompilationError: Verilator or g++ is missing or fails.
        """

    @abstractmethod
    def estimate(self) -> ResourceReport:
        """Estimate by cost models how much of the part the RTL takes."""

    @abstractmethod
    def synthesize(self, folder: Path, cache: Path, progress: Progress) -> ResourceReport:
        """Synthesize the RTL with Yosys and report how much of the part it takes.

        Args:
            folder: the written project.
            cache: folder for results by content.
            progress: gets the number of modules, and one step after each.

        Raises:
            CompilationError: pyosys is missing, or Yosys failed on some modules.
        """
