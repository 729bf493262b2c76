"""The accelerator on disk: HLS C++ with its C simulation, RTL with its co-simulation."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hyq_hls.errors import ConversionError, InputError, SimulationError
from hyq_hls.graph import Folding
from hyq_hls.parts import Part
from hyq_hls.parts import part as find_part
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.stream.board import csynth_utilization
from hyq_hls.stream.cosimulation import (
    CosimReport,
    build_rtl,
    build_simulator,
    build_vitis_rtl,
    compare,
)
from hyq_hls.stream.cost import ResourceReport, estimate_design
from hyq_hls.stream.flow import Dataflow, build_dataflow
from hyq_hls.stream.flow.depths import safe_depths
from hyq_hls.stream.flow.sizing import FifoSizing, shrunk_depths
from hyq_hls.stream.hls.csim import CSimulation, compile_project
from hyq_hls.stream.node_implementation import NodeImplementation, nodes_text
from hyq_hls.stream.rtl import write_rtl
from hyq_hls.stream.synthesis import synthesize_design
from hyq_hls.support import replaced_folder
from hyq_hls.tools.verilator import RtlSimulation, Simulator
from hyq_hls.tools.vitis import read_csynth, report_file
from hyq_hls.tools.vitis.run import build, require_vitis, write_test_data

MARKER = "hyq_project.json"
GRAPH_FILE = "graph.hyq"
RTL_DIR = "rtl"
SYNTHESIS_DIR = "synthesis"


class Accelerator:
    """An HLS C++ project on disk; made by :func:`convert` or :meth:`open`.

    Attributes:
        folder: the project.
        qmodel: the quantized model that it implements.
        nodes: how every node was implemented.
        part: the part it is for.
    """

    def __init__(
        self,
        folder: Path,
        qmodel: QuantizedModel,
        project: str,
        clock_mhz: float,
        flow: Dataflow,
        part: Part,
    ) -> None:
        self.folder, self.qmodel, self.project = folder, qmodel, project
        self.clock_mhz = clock_mhz
        self.flow = flow
        self.part = part
        self._csim: CSimulation | None = None
        self.nodes = [NodeImplementation.of(stage) for stage in flow.operations]

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Accelerator:
        """Open a project that :func:`convert` wrote.

        Its C simulation is loaded when it is compiled and no source was changed since.

        Raises:
            ConversionError: the folder holds no such project.
        """
        path = Path(folder)
        if not (path / MARKER).exists():
            raise ConversionError(
                f"{path} is not a project of hyq_hls (no {MARKER}); make one with hyq_hls.convert"
            )
        qmodel = QuantizedModel.load(path / GRAPH_FILE)
        try:
            data = json.loads((path / MARKER).read_text(encoding="utf-8"))
            folding = {name: Folding(*lanes) for name, lanes in data["folding"].items()}
            flow = build_dataflow(qmodel.graph, folding).with_depths(data["depths"])
            part = find_part(data["part"])
            accelerator = cls(path, qmodel, data["project"], data["clock_mhz"], flow, part)
        except (ValueError, KeyError, TypeError, ConversionError) as error:
            raise ConversionError(
                f"{path / MARKER} is damaged ({type(error).__name__}: {error}); convert the model "
                "again"
            ) from error
        library = path / f"{accelerator.project}.so"
        if library.exists() and library.stat().st_mtime_ns >= _last_change(path):
            accelerator._load(library)
        return accelerator

    def compile(self, *flags: str) -> Accelerator:
        """Compile the C simulation with g++.

        Args:
            flags: more g++ flags; ``-DHYQ_BIT_ACCURATE`` simulates the exact hardware widths.

        Raises:
            CompilationError: g++ is missing or fails.
        """
        self._csim = None
        self._load(compile_project(self.folder, self.project, flags))
        return self

    def _load(self, library: Path) -> None:
        graph = self.qmodel.graph
        self._csim = CSimulation(library, graph.input_type, graph.output_type)

    @property
    def compiled(self) -> bool:
        """Whether the C simulation is loaded."""
        return self._csim is not None

    @property
    def csim(self) -> CSimulation:
        """The loaded C simulation."""
        if self._csim is None:
            raise SimulationError("the C simulation is not compiled; call compile() first")
        return self._csim

    def predict(self, images: Any, progress: bool = False) -> NDArray[np.int64]:
        """Output codes (B, classes) of the C++; integers in, integers out.

        Args:
            images: see :func:`hyq_hls.images.image_bytes`.
            progress: show a progress bar.

        Raises:
            InputError: unusable images.
            SimulationError: not compiled, or a stream ran dry or was not emptied.
        """
        pixels = self.qmodel.image_bytes(images).astype(np.int64)
        with tqdm(total=len(pixels), desc="C++", unit="img", disable=not progress) as bar:
            return self.csim.predict(pixels, bar.update)

    def trace(self, image: Any) -> dict[str, NDArray[np.int64]]:
        """Codes (1, \\*shape) of every node of the C++ for one image, by node name."""
        pixels = self.qmodel.image_bytes(image).astype(np.int64)
        graph = self.qmodel.graph
        streams = {name: (self.flow.names[name], graph.type(name)) for name in graph.nodes}
        return self.csim.trace(pixels, streams)

    def rtl_simulation(self, *, trace: bool = False) -> RtlSimulation:
        """The RTL on Verilator; built at the first call and whenever its sources change.

        Args:
            trace: able to write a VCD file, hence slower.

        Raises:
            CompilationError: Verilator or g++ is missing or fails.
        """
        return build_rtl(self.flow, self.folder / RTL_DIR, self.project, trace=trace)

    def simulator(self, node: str | None = None) -> Simulator:
        """The whole design, or the circuit of one node, under manual control, cycle by cycle.

        Args:
            node: name of a node of the graph; None: the top level with its AXI4-Stream ports.

        Raises:
            ConversionError: there is no such node.
            CompilationError: Verilator or g++ is missing or fails.
        """
        return build_simulator(self.flow, self.folder / RTL_DIR, self.project, node)

    def trace_rtl(self, images: Any) -> dict[str, NDArray[np.int64]]:
        """Codes (B, \\*shape) of every node of the RTL, by node name."""
        pixels = self.qmodel.image_bytes(images).astype(np.int64)
        names = {node: self.flow.names[node] for node in self.qmodel.graph.nodes}
        result = self.rtl_simulation().run(
            pixels.reshape(len(pixels), -1), capture=list(names.values())
        )
        return {
            node: result.captured[stream].reshape(-1, *self.qmodel.graph.type(node).shape)
            for node, stream in names.items()
        }

    def cosimulate(
        self,
        images: Any,
        *,
        idle: float = 0.0,
        backpressure: float = 0.0,
        seed: int = 0,
        rtl: str = "hyq",
        vcd: str | os.PathLike[str] | None = None,
        activity_cycles: int = 0,
        progress: bool = False,
    ) -> CosimReport:
        """Run images through the RTL; compare with the emulation and the HLS C++, measure cycles.

        Args:
            images: see :func:`hyq_hls.images.image_bytes`; they follow each other without a gap.
            idle: probability of an idle cycle before each input beat.
            backpressure: probability per cycle that the output is not taken.
            seed: of the random stalls.
            rtl: "hyq", our own; or "vitis", what :meth:`build` let Vitis HLS generate from the C++.
            vcd: write waveforms of the run to this file (large: a few images at most).
            activity_cycles: count the words of every stream per bin of so many cycles.
            progress: show a progress bar.

        Raises:
            CompilationError: a tool is missing or fails.
            InputError: unusable images or probabilities.
            SimulationError: a deadlock (the stuck stream is named), or a broken protocol.
        """
        if not self.compiled:
            self.compile()
        pixels = self.qmodel.image_bytes(images)
        if rtl == "hyq":
            simulation = self.rtl_simulation(trace=vcd is not None)
        elif rtl == "vitis" and vcd is None:
            simulation = build_vitis_rtl(self.flow, self.folder, self.project)
        else:
            raise InputError(f'rtl={rtl!r}: "hyq", or "vitis" without a VCD file, is wanted')
        codes = pixels.astype(np.int64)
        with tqdm(total=len(codes), desc="RTL", unit="img", disable=not progress) as bar:
            return compare(
                self.flow,
                simulation,
                codes,
                self.qmodel.codes(pixels),
                self.csim.predict(codes),
                self.clock_mhz,
                idle=idle,
                backpressure=backpressure,
                seed=seed,
                vcd=vcd,
                activity_cycles=activity_cycles,
                progress=bar.update,
            )

    def size_fifos(self, images: Any, *, progress: bool = False) -> FifoSizing:
        """Shrink the FIFOs of the RTL to what they need, and verify again under random stalls.

        The depths that :func:`hyq_hls.convert` chose are safe by analysis. Here frames come at the
        rate of the slowest stage, every FIFO keeps the most words that waited plus a margin, and
        the result must be as fast (within 1 %) and equal under stalls on both sides.

        Args:
            images: some samples; eight are enough.
            progress: show progress bars.

        Raises:
            SimulationError: no smaller depths keep the frame rate, or codes differ.
        """
        some = self.qmodel.image_bytes(images)[:8]
        safe = self.flow.with_depths(safe_depths(self.flow))
        self._rewrite(safe)
        before = self.cosimulate(some, progress=progress)
        flat = some.astype(np.int64).reshape(len(some), -1)
        paced = self.rtl_simulation().run(flat, pace=safe.cycles_per_frame)
        occupancy = {s.name: s.max_occupancy for s in paced.streams}
        for slack in (1.0, 1.5, 2.0):
            self._rewrite(safe.with_depths(shrunk_depths(safe, occupancy, slack)))
            after = self.cosimulate(some, progress=progress)
            stalled = self.cosimulate(some, idle=0.3, backpressure=0.3, progress=progress)
            if not (after.ok and stalled.ok):
                raise SimulationError(f"with smaller FIFOs codes differ: {after.first_difference}")
            rates = before.cycles_per_frame or 0, after.cycles_per_frame or 0
            if rates[1] <= 1.01 * rates[0]:
                return FifoSizing.of(safe, self.flow, rates)
        self._rewrite(safe)
        raise SimulationError("no smaller FIFO depths keep the frame rate; the safe ones stay")

    def _rewrite(self, flow: Dataflow) -> None:
        """Write the RTL again, of the same machine with other FIFO depths."""
        with replaced_folder(self.folder / RTL_DIR) as draft:
            write_rtl(flow, draft, self.project)
            build = self.folder / RTL_DIR / "build"
            if build.is_dir():
                shutil.copytree(build, draft / "build")
        marker = self.folder / MARKER
        data = json.loads(marker.read_text(encoding="utf-8"))
        data["depths"] = {s.name: s.depth for s in flow.streams.values()}
        marker.write_text(json.dumps(data, indent=1), encoding="utf-8")
        self.flow = flow

    def estimate(self) -> ResourceReport:
        """What the RTL takes of the part, without synthesis: in a fraction of a second."""
        used = estimate_design(self.flow)
        return ResourceReport.of(self.flow, used, self.part, self.clock_mhz, "estimate")

    def synthesize(
        self, cache: str | os.PathLike[str] | None = None, *, progress: bool = False
    ) -> ResourceReport:
        """What the RTL takes of the part, by Yosys, module by module.

        Results are kept by content: a second run, or one after an interruption, synthesizes only
        what is new.

        Args:
            cache: folder of the results; by default the project's ``synthesis``.
            progress: show a progress bar.

        Raises:
            CompilationError: pyosys is missing, or Yosys failed on some modules, which are named.
        """
        folder = Path(cache) if cache else self.folder / SYNTHESIS_DIR
        with tqdm(desc="Yosys", unit="module", disable=not progress) as bar:
            used = synthesize_design(self.flow, self.folder / RTL_DIR, folder, bar)
        return ResourceReport.of(self.flow, used, self.part, self.clock_mhz, "synthesis")

    def build(self, images: Any, cosim: bool = False) -> dict[str, Any]:
        """Synthesize with Vitis HLS; its C (and RTL) simulation must equal the emulation.

        Args:
            images: a few samples for the test bench.
            cosim: run the vendor's RTL simulation too.

        Raises:
            CompilationError: Vitis HLS is not installed, or it failed.
        """
        require_vitis()
        pixels = self.qmodel.image_bytes(images).astype(np.int64)
        write_test_data(self.folder, pixels, self.qmodel.codes(pixels))
        return build(self.folder, cosim=cosim)

    @property
    def has_vendor_report(self) -> bool:
        """Whether :meth:`build` left a report."""
        return report_file(self.folder, self.project).is_file()

    def vendor_report(self) -> ResourceReport:
        """What Vitis HLS said of the C++ in the last :meth:`build`, as its own estimate.

        Raises:
            CompilationError: nothing was built, or the report is damaged.
        """
        used = csynth_utilization(self.flow, read_csynth(self.folder, self.project))
        return ResourceReport.of(self.flow, used, self.part, self.clock_mhz, "Vitis HLS")

    def __str__(self) -> str:
        """One line per node, and the sums."""
        return nodes_text(self.nodes)


def _last_change(folder: Path) -> int:
    """Time stamp of the youngest source of a project."""
    sources = (*folder.glob("*.cpp"), *folder.glob("*.sh"), *(folder / "firmware").rglob("*.*"))
    return max((f.stat().st_mtime_ns for f in sources), default=0)
