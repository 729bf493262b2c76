"""The accelerator on disk: HLS C++ with its C simulation, RTL with its co-simulation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.building import build_cpp
from hyq_hls.errors import ConversionError, SimulationError
from hyq_hls.machine import (
    BuildReport,
    CompiledNetwork,
    CosimReport,
    Machine,
    ResourceReport,
    SimulationOptions,
)
from hyq_hls.parts import Part
from hyq_hls.project_file import MARKER, marked_machine, write_marker
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.stream.fifo_sizing import resize_hls_fifos, size_fifos
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.flow.sizing import FifoSizing
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.stream.node_implementation import NodeImplementation
from hyq_hls.support import HtmlPage, Shown, is_file, progress_bar, replaced_folder, user_path
from hyq_hls.tools.verilator import Simulator, Waves
from hyq_hls.tools.vitis import report_file

GRAPH_FILE = "graph.hyq"
SYNTHESIS_DIR = "synthesis"


class Accelerator(Shown):
    """A project on disk, C++ and RTL. :func:`hyq_hls.convert` or :meth:`open` makes it.

    Attributes:
        folder: the project.
        qmodel: the quantized model that it implements.
        machine: machine that implements it.
    """

    def __init__(self, folder: Path, qmodel: QuantizedModel, machine: Machine) -> None:
        self.folder, self.qmodel, self.machine = folder, qmodel, machine
        self._compiled: CompiledNetwork | None = None

    @classmethod
    def write(cls, folder: Path, qmodel: QuantizedModel, machine: Machine) -> Accelerator:
        """Write a project into a folder, whose old content is lost when all is written.

        Raises:
            ConversionError: a node did not arrive in C++ or RTL, or the folder cannot be written;
                its old content stays.
        """
        folder = user_path(folder)
        with replaced_folder(folder) as draft:
            machine.write(draft)
            qmodel.save(draft / GRAPH_FILE)
            write_marker(draft, machine)
        return cls(folder, qmodel, machine)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Accelerator:
        """Open a project that :func:`hyq_hls.convert` wrote.

        Its C simulation is loaded when it is compiled and no source was changed since.

        Raises:
            ConversionError: the folder holds no such project.
        """
        path = user_path(folder)
        if not is_file(path / MARKER):
            raise ConversionError(
                f"{path} is not a project of hyq_hls (no {MARKER}); make one with hyq_hls.convert"
            )
        qmodel = QuantizedModel.load(path / GRAPH_FILE)
        accelerator = cls(path, qmodel, marked_machine(path, qmodel))
        accelerator._compiled = accelerator.machine.compiled(path)
        return accelerator

    @property
    def part(self) -> Part:
        """The part for which the project is made."""
        return self.machine.part

    @property
    def clock_mhz(self) -> float:
        """Target clock in MHz."""
        return self.machine.clock_mhz

    @property
    def project(self) -> str:
        """Name of the top function and of the top module."""
        return self.machine.project

    @property
    def stream(self) -> StreamMachine:
        """Machine of the project, if it is the streaming machine.

        Raises:
            ConversionError: it is another machine.
        """
        if not isinstance(self.machine, StreamMachine):
            raise ConversionError(
                f"{self.folder} holds the machine {self.machine.architecture!r}; only the "
                "streaming machine has a circuit for every node and FIFOs between them: convert "
                "the model for it"
            )
        return self.machine

    @property
    def flow(self) -> Dataflow:
        """Stages and streams of the streaming machine; see :attr:`stream`."""
        return self.stream.flow

    @property
    def nodes(self) -> list[NodeImplementation]:
        """Implementation of every node in the streaming machine; see :attr:`stream`."""
        return self.stream.nodes

    def compile(self, *flags: str) -> Accelerator:
        """Compile the C simulation with g++.

        Args:
            flags: more g++ flags; ``-DHYQ_BIT_ACCURATE`` simulates the exact hardware widths.

        Raises:
            CompilationError: g++ is missing or fails.
        """
        self._compiled = None
        self._compiled = self.machine.compile(self.folder, flags)
        return self

    @property
    def compiled(self) -> bool:
        """Whether the C simulation is loaded."""
        return self._compiled is not None

    @property
    def csim(self) -> CompiledNetwork:
        """The loaded C simulation."""
        if self._compiled is None:
            raise SimulationError("the C simulation is not compiled; call compile() first")
        return self._compiled

    def predict(self, images: Any, progress: bool = False) -> NDArray[np.float64]:
        """Return the real values of the C++'s outputs, usually logits (B, classes).

        They are ``(code - zero_point) * scale`` of ``qmodel.output_quantization``. Arguments and
        errors are those of :meth:`codes`.
        """
        codes = self._stream_codes(images, progress)
        return self.qmodel.graph.arranged(self.qmodel.output_quantization.dequantize(codes))

    def codes(self, images: Any, progress: bool = False) -> NDArray[np.int64]:
        """Return the output codes of the C++ in the model's shape and order.

        Args:
            images: see :func:`hyq_hls.images.image_bytes`.
            progress: whether to show a progress bar.

        Raises:
            InputError: unusable images.
            SimulationError: not compiled, or a stream ran dry or was not emptied.
        """
        return self.qmodel.graph.arranged(self._stream_codes(images, progress))

    def _stream_codes(self, images: Any, progress: bool) -> NDArray[np.int64]:
        codes = self._input_codes(images)
        with progress_bar(progress, "C++", len(codes), "img") as bar:
            return self.csim.predict(codes, bar.update)

    def trace(self, image: Any) -> dict[str, NDArray[np.int64]]:
        r"""Return the codes (1, \*shape) of the nodes of the C++ for one image, by node name.

        An engine has no codes of nodes that never lie in DRAM, such as the scores of attention.
        """
        return self.csim.trace(self._input_codes(image))

    def trace_rtl(self, images: Any) -> dict[str, NDArray[np.int64]]:
        r"""Return the codes (B, \*shape) of the nodes of the RTL, by name; see :meth:`trace`."""
        return self.machine.trace_rtl(self.folder, self._input_codes(images))

    def simulator(
        self, node: str | None = None, *, watch: str | Sequence[str] = (), waves: Waves = "fst"
    ) -> Simulator:
        """Return the whole design, or the circuit of one node, under manual control.

        Its ``trace`` writes all signals of one node; of the whole design it writes the streams
        between the nodes, and all signals of the nodes in ``watch``.

        Args:
            node: name of a node of the graph; None means the top level with its AXI4-Stream ports.
            watch: nodes, or instances of the top level such as FIFOs, whose signals are traced too.
            waves: format of the waveforms, ``fst`` or ``vcd``, which is 20 times as large.

        Raises:
            ConversionError: there is no such node.
            CompilationError: Verilator or g++ is missing or fails.
        """
        watched = (watch,) if isinstance(watch, str) else tuple(watch)
        return self.machine.simulator(self.folder, node, watched, waves)

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
        optimize: int | None = None,
        progress: bool = False,
    ) -> CosimReport:
        """Run images through the RTL; compare with the emulation and the HLS C++, measure cycles.

        Args:
            images: see :func:`hyq_hls.images.image_bytes`; they follow each other without a gap.
            idle: probability of an idle cycle before each input beat; of an engine, per cycle that
                a channel of reads from DRAM stalls.
            backpressure: probability per cycle that the output is not taken; of an engine, that a
                channel of writes to DRAM stalls.
            seed: seed of the random stalls.
            rtl: "hyq" for our own RTL; "vitis" or "bambu" for that of :meth:`build` from the C++.
            vcd: file for waveforms (it is large: simulate a few images at most).
            activity_cycles: count the words of every stream per bin of this number of cycles; 0
                counts none.
            optimize: level at which g++ optimizes the simulation, 0 to 3; None chooses it by the
                number of cycles (docs/rtl.md).
            progress: whether to show a progress bar.

        Raises:
            CompilationError: a tool is missing or fails.
            InputError: unusable images, probabilities or level.
            SimulationError: a deadlock (the stuck stream is named), or a broken protocol.
        """
        waves = None if vcd is None else user_path(vcd)
        options = SimulationOptions(rtl, idle, backpressure, seed, waves, activity_cycles, optimize)
        if not self.compiled:
            self.compile()
        return self._cosimulated(self.machine, self.qmodel.image_bytes(images), options, progress)

    def _cosimulated(
        self,
        machine: Machine,
        pixels: NDArray[np.uint8],
        options: SimulationOptions,
        progress: bool,
    ) -> CosimReport:
        codes = pixels.astype(np.int64)
        emulated, compiled = self.qmodel.stream_codes(pixels), self.csim.predict(codes)
        with progress_bar(progress, "RTL", len(codes), "img") as bar:
            return machine.cosimulate(self.folder, codes, emulated, compiled, options, bar.update)

    def size_fifos(self, images: Any, *, progress: bool = False) -> FifoSizing:
        """Shrink the FIFOs of the RTL to the depths that they need, and verify them again.

        The depths that :func:`hyq_hls.convert` chose are safe by analysis. The new depths are
        verified under random stalls. See :func:`hyq_hls.stream.fifo_sizing.size_fifos`, and
        :meth:`size_hls_fifos` for the C++.

        Args:
            images: some samples; eight are enough.
            progress: whether to show progress bars.

        Raises:
            ConversionError: the machine is not the streaming one.
            SimulationError: no smaller depths keep the frame rate, or codes differ.
        """
        machine = self.stream
        if not self.compiled:
            self.compile()
        pixels = self.qmodel.image_bytes(images)[:8]
        self.machine, sizing = size_fifos(
            machine,
            self.folder,
            pixels.astype(np.int64),
            lambda tried, options: self._cosimulated(tried, pixels, options, progress),
        )
        write_marker(self.folder, self.machine)
        return sizing

    def size_hls_fifos(self) -> FifoSizing:
        """Shrink the FIFOs of the C++ to the depths that they need, and simulate them again.

        The depths that :func:`hyq_hls.convert` chose are safe by analysis. The new ones come from
        the timed C simulation, which needs g++ alone. The C++ is written again, so compile it again
        before the project is opened the next time.

        Raises:
            CompilationError: g++ is missing or fails.
            ConversionError: the machine is not the streaming one.
            SimulationError: no smaller depths keep the frame rate, or codes differ.
        """
        self.machine, sizing = resize_hls_fifos(self.stream, self.folder)
        write_marker(self.folder, self.machine)
        return sizing

    def estimate(self) -> ResourceReport:
        """Estimate without synthesis, in about a second, what the RTL and the HLS C++ take.

        The RTL's figures come from cost models, those of the C++ from a plan of its loops and
        memories, which stands in ``plan`` of the report.
        """
        return self.machine.estimate()

    def synthesize(
        self, cache: str | os.PathLike[str] | None = None, *, progress: bool = False
    ) -> ResourceReport:
        """Synthesize the RTL with Yosys, module by module, and report its use of the part.

        Results are kept by content: a second run, or one after an interruption, synthesizes only
        new modules.

        Args:
            cache: folder of the results; by default the project's ``synthesis``.
            progress: whether to show a progress bar.

        Raises:
            CompilationError: pyosys is missing, or Yosys failed on some modules, which are named.
        """
        folder = user_path(cache) if cache else self.folder / SYNTHESIS_DIR
        with progress_bar(progress, "Yosys", unit="module") as bar:
            return self.machine.synthesize(self.folder, folder, bar)

    def build(
        self, images: Any = None, cosim: bool = False, hls: str = "", *, export: bool = True
    ) -> BuildReport | Path:
        """Synthesize the C++ with its HLS compiler.

        Vitis HLS also simulates it and compares the codes. What it reports is printed beside what
        was planned.

        Args:
            images: a few samples for the test bench of Vitis HLS; Bambu takes none.
            cosim: whether to run the RTL simulation of Vitis HLS too.
            hls: name of the compiler, where it must be a certain one.
            export: whether Vitis HLS packages the RTL as IP of a catalog (IP-XACT).

        Returns:
            The report of Vitis HLS, or the Verilog file of Bambu.

        Raises:
            CompilationError: the compiler is not installed, or it failed.
            ConversionError, InputError: it is another compiler; or unusable images, or for Bambu.
        """
        machine = self.stream
        machine.check_hls(hls)
        return build_cpp(machine, self.folder, self.qmodel, images, cosim=cosim, export=export)

    def build_report(self) -> BuildReport:
        """Return what Vitis HLS said in the last :meth:`build`, beside what was planned.

        Raises:
            CompilationError: nothing was built, or the report is damaged.
        """
        return self.stream.build_report(self.folder)

    @property
    def has_vendor_report(self) -> bool:
        """Whether :meth:`build` left a report."""
        return report_file(self.folder, self.project).is_file()

    def vendor_report(self) -> ResourceReport:
        """Return the estimate of Vitis HLS for the C++ in the last :meth:`build`.

        Raises:
            CompilationError: nothing was built, or the report is damaged.
        """
        return self.stream.vendor_report(self.folder)

    def report(
        self, path: str | Path | None = None, images: Any = None, labels: Any = None, **options: Any
    ) -> HtmlPage:
        """Write one HTML page about the project; see :func:`hyq_hls.write_report`."""
        from hyq_hls import write_report  # noqa: PLC0415  (it imports this module)

        return write_report(self, path, images, labels, **options)

    def _input_codes(self, images: Any) -> NDArray[np.int64]:
        return self.qmodel.image_bytes(images).astype(np.int64)

    def __repr__(self) -> str:
        return (
            f"Accelerator({str(self.folder)!r}: {self.project} on {self.part.name} at "
            f"{self.clock_mhz:g} MHz, {self.machine.cycles_per_frame:,} cycles per frame, "
            f"{'compiled' if self.compiled else 'not compiled'})"
        )

    def __str__(self) -> str:
        """Return a table with one line per node, and the sums."""
        return str(self.machine)
