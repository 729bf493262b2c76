"""The engine as an accelerator sees it: a machine that runs the graph as a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.cosim import DramModel, build_engine
from hyq_hls.engine.cosim.frames import run_frames, trace_frames
from hyq_hls.engine.cost import engine_report, engine_utilization, synthesize_engine
from hyq_hls.engine.csim import CSimulation, compile_csim
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.network import EngineNetwork
from hyq_hls.engine.predict import Prediction, predict
from hyq_hls.engine.program import Program
from hyq_hls.engine.project import ENGINE_FILE, PROGRAM_TEXT, RTL_DIR, write_project
from hyq_hls.engine.rtl import TOP, module_sources, rtl_parameters
from hyq_hls.errors import ConversionError, InputError
from hyq_hls.graph import Graph
from hyq_hls.machine import (
    Codes,
    CosimReport,
    DesignUtilization,
    Machine,
    ResourceReport,
    SimulationOptions,
)
from hyq_hls.parts import Part
from hyq_hls.support import aligned
from hyq_hls.tools.gxx import is_current
from hyq_hls.tools.verilator import Simulator, Waves
from hyq_hls.tools.yosys.mapping import Progress


@dataclass(frozen=True, eq=False)
class EngineMachine(Machine):
    """One array of multipliers and the units beside it, with a program in DRAM.

    Attributes:
        graph: what it computes.
        program: its program, which has the sizes of the array, the units and the memories.
    """

    architecture = "engine"

    graph: Graph
    program: Program

    @classmethod
    def from_settings(
        cls, graph: Graph, part: Part, clock_mhz: float, project: str, settings: Mapping[str, Any]
    ) -> EngineMachine:
        """Return the machine whose :meth:`settings` were saved."""
        program = compile_graph(graph, Sizes(**settings["sizes"]))
        return cls(part, clock_mhz, project, graph, program)

    def settings(self) -> dict[str, Any]:
        """Return the sizes."""
        return {"sizes": asdict(self.sizes)}

    @property
    def sizes(self) -> Sizes:
        """Sizes of the array, the units and the memories."""
        return self.program.sizes

    @cached_property
    def prediction(self) -> Prediction:
        """Cycles of the program by formula, to the cycle on a DRAM that never stalls."""
        return predict(self.program)

    @property
    def cycles_per_frame(self) -> int:
        """Cycles of the program by formula."""
        return self.prediction.cycles

    @property
    def read_first(self) -> str:
        """The description of the engine, and its program for people."""
        return f"{ENGINE_FILE} and {PROGRAM_TEXT}"

    def write(self, folder: Path) -> None:
        """Write C++, RTL in ``rtl/``, the program and its constants."""
        write_project(
            folder, self.graph, self.program, self.prediction, self.project, self.clock_mhz
        )

    def compile(self, folder: Path, flags: tuple[str, ...] = ()) -> EngineNetwork:
        """Compile the C++ of the engine; ``-DHYQ_BIT_ACCURATE`` simulates the exact widths."""
        return self._network(compile_csim(folder, flags, self.project))

    def compiled(self, folder: Path) -> EngineNetwork | None:
        """Return the C++ of the engine, if no source was changed since it was compiled."""
        library = folder / f"{self.project}.so"
        return self._network(CSimulation(library)) if is_current(library, folder) else None

    def _network(self, csim: CSimulation) -> EngineNetwork:
        return EngineNetwork(csim, self.graph, self.program)

    def cosimulate(
        self,
        folder: Path,
        codes: Codes,
        emulated: Codes,
        compiled: Codes,
        options: SimulationOptions,
        progress: Callable[[int], object] | None = None,
    ) -> CosimReport:
        """Run frames through the RTL in front of a DRAM, the first one instruction by instruction.

        ``idle`` stalls the channels of reads, ``backpressure`` those of writes.
        """
        for name, value, wanted in (
            ("rtl", options.rtl != "hyq", '"hyq" is wanted: the engine has its own RTL alone'),
            ("vcd", options.vcd, "take trace of simulator(), which writes waveforms"),
            ("activity_cycles", options.activity_cycles, "the engine has no streams; leave it out"),
        ):
            if value:
                raise InputError(f"{name}={getattr(options, name)!r}: {wanted}")
        dram = DramModel(
            read_stall=options.idle, write_stall=options.backpressure, seed=options.seed
        )
        return run_frames(
            self._rtl_library(folder, len(codes), options.flags),
            self.program,
            self.graph,
            codes,
            emulated,
            compiled,
            dram,
            self.clock_mhz,
            progress,
        )

    def _rtl_library(self, folder: Path, frames: int, flags: tuple[str, ...] = ()) -> Path:
        rtl, cycles = folder / RTL_DIR, self.cycles_per_frame * frames
        return build_engine(self.sizes, rtl / "build", rtl=rtl, flags=flags, cycles=cycles)

    def trace_rtl(self, folder: Path, codes: Codes) -> dict[str, Codes]:
        """Return the codes of the nodes whose tensors lie in DRAM.

        Another program of the same graph runs for it, which leaves all of them there.
        """
        program = compile_graph(self.graph, self.sizes, observed=True)
        return trace_frames(self._rtl_library(folder, len(codes)), program, self.graph, codes)

    def simulator(
        self, folder: Path, node: str | None, watch: Sequence[str], waves: Waves
    ) -> Simulator:
        """Return the top level with its AXI ports; ``watch`` names units, such as ``u_softmax``."""
        if node is not None:
            raise ConversionError(
                f"{node!r} has no circuit of its own: the engine computes all nodes; leave node "
                "out, and name a unit such as u_array with watch"
            )
        rtl = folder / RTL_DIR
        library = Simulator.build_library(
            module_sources([TOP], [rtl]),
            TOP,
            rtl_parameters(self.sizes),
            folder=rtl / "build_simulator",
            wires=False,
            watch=watch,
            waves=waves,
            flags=("-O0",),  # A person waits for the build, and looks at few cycles.
        )
        return Simulator(library)

    def estimate(self) -> ResourceReport:
        """Estimate by cost models what the RTL takes, and how busy its units are."""
        return self._report(engine_utilization(self.sizes), "estimate")

    def synthesize(self, folder: Path, cache: Path, progress: Progress) -> ResourceReport:
        """Synthesize the RTL with Yosys, unit by unit."""
        used = synthesize_engine(self.sizes, folder / RTL_DIR, cache, progress)
        return self._report(used, "synthesis")

    def _report(self, used: DesignUtilization, method: str) -> ResourceReport:
        return engine_report(
            self.graph, self.program, self.prediction, self.part, self.clock_mhz, used, method
        )

    def __str__(self) -> str:
        """Return a table with the cycles of every node, and the sums."""
        by_node = self.prediction.by_node
        rows = [("node", "cycles", "share")]
        rows += [
            (name, f"{cycles:,}", f"{cycles / self.cycles_per_frame:.1%}")
            for name, cycles in by_node.items()
        ]
        sizes = self.sizes
        kib = sizes.pixels * sizes.feature_words * 4 / 1024
        return "\n".join(
            [
                *aligned(rows),
                f"engine of 16 outputs x 3 inputs x {sizes.pixels} pixels, {kib:g} KiB of "
                f"features; {len(self.program.instructions):,} instructions, "
                f"{self.program.constants.size / 1024:,.0f} KiB of constants",
                f"{self.cycles_per_frame:,} cycles per frame, "
                f"{self.clock_mhz * 1e6 / self.cycles_per_frame:,.1f} frames/s at "
                f"{self.clock_mhz:g} MHz in front of a DRAM that never stalls; "
                f"{self.prediction.read / 2**20:,.1f} MiB read and "
                f"{self.prediction.written / 2**20:,.1f} MiB written per frame",
            ]
        )
