"""The streaming machine as an accelerator sees it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from hyq_hls.errors import ConversionError, InputError
from hyq_hls.graph import Graph
from hyq_hls.machine import (
    BuildReport,
    Codes,
    CosimReport,
    Machine,
    ResourceReport,
    SimulationOptions,
)
from hyq_hls.parts import Part
from hyq_hls.stream.board import csynth_cycles, csynth_stages, csynth_utilization
from hyq_hls.stream.board.block import write_block
from hyq_hls.stream.board.integration import rtl_latency
from hyq_hls.stream.board.project import BOARD_DIR, write_board_files
from hyq_hls.stream.circuits import node_circuits
from hyq_hls.stream.cosimulation import (
    build_bambu_rtl,
    build_node_simulator,
    build_rtl,
    build_simulator,
    build_vitis_rtl,
    compare,
)
from hyq_hls.stream.cost import estimate_report, plan_hls, resource_report
from hyq_hls.stream.flow import Dataflow, build_dataflow
from hyq_hls.stream.flow.depths import safe_hls_flow
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.compilers import Compiler, build_bambu_sh, check_bambu_part, check_compiler
from hyq_hls.stream.hls.csim import CSimulation
from hyq_hls.stream.hls.project import build_model
from hyq_hls.stream.hls.text import top_cpp
from hyq_hls.stream.hls.timed import TimedSimulation, compile_timed, timed_library
from hyq_hls.stream.node_implementation import NodeImplementation, nodes_text
from hyq_hls.stream.rtl import write_rtl
from hyq_hls.stream.rtl.embedded import Memories, check_memories
from hyq_hls.stream.synthesis import synthesize_design
from hyq_hls.support import replaced_folder, write_file
from hyq_hls.tools.bambu import BUILD_BAMBU
from hyq_hls.tools.gxx import compile_project, is_current
from hyq_hls.tools.verilator import RtlSimulation, Simulator, Waves
from hyq_hls.tools.verilator.optimization import MANY_CYCLES
from hyq_hls.tools.vitis import read_csynth
from hyq_hls.tools.yosys.mapping import Progress

RTL_DIR = "rtl"

#: Bins of a frame in which a report counts the words of every stream.
_BINS = 16


@dataclass(frozen=True, eq=False)
class StreamMachine(Machine):
    """A dataflow for a part: every node is a circuit, and streams lie between them.

    Attributes:
        flow: stages and streams, with the FIFO depths of the RTL.
        hls_depths: FIFO depths of the C++, in words by stream; None means those that are safe by
            analysis.
        hls: HLS compiler that the C++ is written for, ``vitis`` or ``bambu``.
        memories: where the RTL has its constants from, ``files`` or ``embedded`` in a package.

    Raises:
        ConversionError: there is no such compiler or choice, or the compiler does not know the
            part.
    """

    architecture = "stream"

    flow: Dataflow
    hls_depths: Mapping[str, int] | None = None
    hls: Compiler = "vitis"
    memories: Memories = "files"

    def __post_init__(self) -> None:
        check_compiler(self.hls)
        check_memories(self.memories)
        if self.hls == "bambu":
            check_bambu_part(self.part.name)

    @classmethod
    def from_settings(
        cls, graph: Graph, part: Part, clock_mhz: float, project: str, settings: Mapping[str, Any]
    ) -> StreamMachine:
        """Return the machine whose :meth:`settings` were saved."""
        folding = {name: Folding(*lanes) for name, lanes in settings["folding"].items()}
        circuits = node_circuits(graph, settings["circuits"])
        flow = build_dataflow(graph, folding, circuits).with_depths(settings["depths"])
        # Version 0.1 wrote no depths of the C++, which were whole tensors, and no compiler.
        depths, hls = settings.get("hls_depths"), check_compiler(settings.get("hls", "vitis"))
        memories = check_memories(settings.get("memories", "files"))
        return cls(part, clock_mhz, project, flow, depths, hls, memories)

    def settings(self) -> dict[str, Any]:
        """Return folding and circuit of every node, depths of every FIFO, and the compiler."""
        return {
            "folding": {s.node.name: list(astuple(s.folding)) for s in self.flow.operations},
            "circuits": {s.node.name: s.circuit.name for s in self.flow.operations},
            "depths": self.flow.depths,
            "hls_depths": self.hls_flow.depths,
            "hls": self.hls,
            "memories": self.memories,
        }

    @cached_property
    def hls_flow(self) -> Dataflow:
        """The same stages and streams with the FIFO depths of the C++."""
        if self.hls_depths is None:
            return safe_hls_flow(self.flow)
        return self.flow.with_depths(self.hls_depths)

    def with_depths(self, depths: Mapping[str, int]) -> StreamMachine:
        """Return the same machine with other FIFO depths of the RTL, in words by stream."""
        return replace(self, flow=self.flow.with_depths(depths))

    def with_hls_depths(self, depths: Mapping[str, int]) -> StreamMachine:
        """Return the same machine with other FIFO depths of the C++, in words by stream."""
        return replace(self, hls_depths=dict(depths))

    def check_hls(self, wanted: str) -> None:
        """Raise :class:`ConversionError` unless the C++ is for a compiler; an empty name fits."""
        if wanted and check_compiler(wanted) != self.hls:
            raise ConversionError(
                f"the project was written for {self.hls}; convert the model with hls={wanted!r}"
            )

    @property
    def activity_cycles(self) -> int:
        """Cycles of a bin: a sixteenth of a frame."""
        return max(1, self.cycles_per_frame // _BINS)

    @property
    def cycles_per_frame(self) -> int:
        """Cycles of the slowest stage."""
        return self.flow.cycles_per_frame

    @property
    def nodes(self) -> list[NodeImplementation]:
        """Implementation of every node."""
        return [NodeImplementation.of(stage) for stage in self.flow.operations]

    @property
    def read_first(self) -> str:
        """The top function and the top module."""
        return f"firmware/{self.project}.cpp or rtl/{self.project}.sv"

    def write(self, folder: Path) -> None:
        """Write the HLS project, the RTL, scripts for boards, and the files of a block."""
        device = self.part.device
        build_model(self.hls_flow, folder, self.project, device, self.clock_mhz, self.hls).write()
        if self.hls == "bambu":
            script = folder / BUILD_BAMBU
            text = build_bambu_sh(self.flow, self.project, self.part.name, self.clock_mhz)
            script.write_text(text, encoding="utf-8")
            script.chmod(0o755)
        write_rtl(self.flow, folder / RTL_DIR, self.project, self.memories)
        write_board_files(self.flow, folder / BOARD_DIR, self.project, self.part, self.clock_mhz)
        write_block(self.flow, folder, self.project, self.clock_mhz, self.memories)

    def rewrite_rtl(self, folder: Path) -> None:
        """Write the RTL again, after FIFO depths changed; the build of Verilator stays."""
        with replaced_folder(folder / RTL_DIR) as draft:
            write_rtl(self.flow, draft, self.project, self.memories)
            build = folder / RTL_DIR / "build"
            if build.is_dir():
                shutil.copytree(build, draft / "build")

    def rewrite_hls_top(self, folder: Path) -> None:
        """Write the top function of the C++ again, after its FIFO depths changed."""
        text = top_cpp(self.hls_flow, self.project, f"// {self.flow.banner}", self.hls)
        write_file(folder / "firmware" / f"{self.project}.cpp", text)

    def timed_simulation(self, folder: Path) -> TimedSimulation:
        """Record a frame of random codes in the C++, for any FIFO depths.

        The C++ is compiled where a source changed since the last time.

        Raises:
            CompilationError: g++ is missing or fails.
            SimulationError: the C++ gives other codes than the integer reference.
        """
        library = timed_library(folder, self.project)
        if not is_current(library, folder):
            compile_timed(folder, self.project)
        return TimedSimulation.of_graph(library, self.flow.graph)

    def compile(self, folder: Path, flags: tuple[str, ...] = ()) -> CSimulation:
        """Compile the C simulation; ``-DHYQ_BIT_ACCURATE`` simulates the exact widths."""
        return self._loaded(compile_project(folder, self.project, flags))

    def compiled(self, folder: Path) -> CSimulation | None:
        """Return the C simulation, if no source was changed since it was compiled."""
        library = folder / f"{self.project}.so"
        if is_current(library, folder):
            return self._loaded(library)
        return None

    def _loaded(self, library: Path) -> CSimulation:
        graph = self.flow.graph
        streams = {name: (self.flow.names[name], graph.type(name)) for name in graph.nodes}
        return CSimulation(library, graph.input_type, graph.output_type, streams)

    def rtl_simulation(self, folder: Path, *, frames: int | None = None) -> RtlSimulation:
        """Return the RTL on Verilator.

        It is built at the first call and whenever its sources change.

        Args:
            folder: the written project.
            frames: how many frames will run, by which the level is chosen at which g++ optimizes;
                None means many.

        Raises:
            CompilationError: Verilator or g++ is missing or fails.
        """
        cycles = MANY_CYCLES if frames is None else self._cycles(frames)
        return build_rtl(self.flow, folder / RTL_DIR, self.project, cycles=cycles)

    def _cycles(self, frames: int) -> int:
        """Estimate the cycles of frames that follow each other without a gap."""
        return rtl_latency(self.flow) + (frames - 1) * self.cycles_per_frame

    def cosimulate(
        self,
        folder: Path,
        codes: Codes,
        emulated: Codes,
        compiled: Codes,
        options: SimulationOptions,
        progress: Callable[[int], object] | None = None,
    ) -> CosimReport:
        """Run frames through our RTL, or through the RTL that an HLS compiler made of the C++."""
        flags, cycles = options.flags, self._cycles(len(codes))
        if options.rtl == "hyq":
            trace, rtl = options.vcd is not None, folder / RTL_DIR
            simulation = build_rtl(
                self.flow, rtl, self.project, trace=trace, flags=flags, cycles=cycles
            )
        elif options.rtl == "vitis" and options.vcd is None:
            simulation = build_vitis_rtl(self.flow, folder, self.project, flags, cycles)
        elif options.rtl == "bambu" and options.vcd is None:
            simulation = build_bambu_rtl(self.flow, folder, self.project, flags, cycles)
        else:
            raise InputError(
                f'rtl={options.rtl!r}: "hyq", or "vitis" or "bambu" without a VCD file, is wanted'
            )
        return compare(
            self.flow,
            simulation,
            codes,
            emulated,
            compiled,
            self.clock_mhz,
            idle=options.idle,
            backpressure=options.backpressure,
            seed=options.seed,
            vcd=options.vcd,
            activity_cycles=options.activity_cycles,
            progress=progress,
        )

    def trace_rtl(self, folder: Path, codes: Codes) -> dict[str, Codes]:
        """Return the codes of every node, captured at its stream."""
        graph, names = self.flow.graph, self.flow.names
        result = self.rtl_simulation(folder, frames=len(codes)).run(
            codes.reshape(len(codes), -1), capture=[names[node] for node in graph.nodes]
        )
        return {
            node: result.captured[names[node]].reshape(-1, *graph.type(node).shape)
            for node in graph.nodes
        }

    def simulator(
        self, folder: Path, node: str | None, watch: Sequence[str], waves: Waves
    ) -> Simulator:
        """Return the top level with its AXI4-Stream ports, or the circuit of one node."""
        if node is None:
            return build_simulator(self.flow, folder / RTL_DIR, self.project, watch, waves)
        if watch:
            raise InputError(f"watch: all of {node!r} is watched already; leave watch out")
        return build_node_simulator(self.flow, folder / RTL_DIR, node, waves)

    def estimate(self) -> ResourceReport:
        """Estimate by cost models what the RTL takes, and plan the HLS C++ beside it."""
        return estimate_report(self.flow, self.hls_flow, self.part, self.clock_mhz)

    def synthesize(self, folder: Path, cache: Path, progress: Progress) -> ResourceReport:
        """Synthesize the RTL with Yosys, module by module."""
        used = synthesize_design(self.flow, folder / RTL_DIR, cache, progress)
        return resource_report(self.flow, used, self.part, self.clock_mhz, "synthesis")

    def vendor_report(self, folder: Path) -> ResourceReport:
        """Return the estimate of Vitis HLS for the C++."""
        report = read_csynth(folder, self.project)
        used, cycles = csynth_utilization(self.flow, report), csynth_cycles(self.flow, report)
        return resource_report(
            self.flow, used, self.part, self.clock_mhz, "Vitis HLS", cycles=cycles
        )

    def build_report(self, folder: Path) -> BuildReport:
        """Return what Vitis HLS says about the C++, beside the plan of it."""
        report = read_csynth(folder, self.project)
        return BuildReport.of(
            plan_hls(self.hls_flow), report, csynth_stages(self.flow, report), folder
        )

    def __str__(self) -> str:
        """Return a table with one line per node, and the sums."""
        return nodes_text(self.nodes)
