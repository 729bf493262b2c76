"""A second machine beside the streaming one: the interface is all that it needs."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hyq_hls import Accelerator, QuantizedModel
from hyq_hls.errors import CompilationError, ConversionError
from hyq_hls.graph import Graph
from hyq_hls.machine import (
    Codes,
    CosimReport,
    DesignUtilization,
    Machine,
    ResourceReport,
    SimulationOptions,
)
from hyq_hls.parts import Part, part
from hyq_hls.project_file import MACHINES, MARKER
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.tools.verilator import Simulator, Waves
from hyq_hls.tools.yosys import Utilization
from hyq_hls.tools.yosys.mapping import Progress
from hyq_hls.verify import verify
from tests.stream.hls.conftest import expected, images, small_graph

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class SerialProgram:
    """The C++ of the machine below: it multiplies once per cycle, as the reference says."""

    graph: Graph

    def predict(
        self, codes: NDArray[np.integer[Any]], progress: Callable[[int], object] | None = None
    ) -> Codes:
        if progress is not None:
            progress(len(codes))
        return dict(self.graph.reference(codes.astype(np.int64)))[self.graph.output_name]

    def trace(self, codes: Codes) -> dict[str, Codes]:
        return {n: c for n, c in self.graph.reference(codes) if n in self.graph.nodes}


@dataclass(frozen=True, eq=False)
class SerialMachine(Machine):
    """One multiplier for all nodes, one after the other."""

    architecture = "serial"

    graph: Graph
    multipliers: int = 1

    @classmethod
    def from_settings(
        cls, graph: Graph, part: Part, clock_mhz: float, project: str, settings: Mapping[str, Any]
    ) -> SerialMachine:
        return cls(part, clock_mhz, project, graph, settings["multipliers"])

    def settings(self) -> dict[str, Any]:
        return {"multipliers": self.multipliers}

    @property
    def cycles_per_frame(self) -> int:
        return -(-self.graph.macs() // self.multipliers)

    @property
    def read_first(self) -> str:
        return "program.txt"

    def write(self, folder: Path) -> None:
        (folder / "program.txt").write_text("\n".join(self.graph.nodes))

    def compile(self, folder: Path, flags: tuple[str, ...] = ()) -> SerialProgram:
        (folder / "program.bin").touch()
        return SerialProgram(self.graph)

    def compiled(self, folder: Path) -> SerialProgram | None:
        return SerialProgram(self.graph) if (folder / "program.bin").exists() else None

    def cosimulate(
        self,
        folder: Path,
        codes: Codes,
        emulated: Codes,
        compiled: Codes,
        options: SimulationOptions,
        progress: Callable[[int], object] | None = None,
    ) -> CosimReport:
        found = SerialProgram(self.graph).predict(codes, progress)
        stalled = round(self.cycles_per_frame * options.idle)
        return CosimReport(
            images=len(codes),
            rtl_equal_images=int((found == emulated).all(axis=1).sum()),
            csim_equal_images=int((found == compiled).all(axis=1).sum()),
            latency_cycles=self.cycles_per_frame + stalled,
            cycles_per_frame=self.cycles_per_frame + stalled,
            predicted_cycles=self.cycles_per_frame,
            bottleneck="multiplier",
            cycles=len(codes) * (self.cycles_per_frame + stalled),
            clock_mhz=self.clock_mhz,
            idle=options.idle,
            backpressure=options.backpressure,
            streams=[],
        )

    def trace_rtl(self, folder: Path, codes: Codes) -> dict[str, Codes]:
        return SerialProgram(self.graph).trace(codes)

    def simulator(
        self, folder: Path, node: str | None, watch: Sequence[str], waves: Waves
    ) -> Simulator:
        raise CompilationError("there is no RTL")

    def estimate(self) -> ResourceReport:
        return self._report("estimate")

    def synthesize(self, folder: Path, cache: Path, progress: Progress) -> ResourceReport:
        return self._report("synthesis")

    def _report(self, method: str) -> ResourceReport:
        used = DesignUtilization({"multiplier": Utilization(lut=40, dsp=self.multipliers)}, {})
        cycles = self.cycles_per_frame
        return ResourceReport(
            self.part,
            self.clock_mhz,
            method,
            used,
            cycles={"multiplier": cycles},
            foldings={"multiplier": "-"},
            cycles_per_frame=cycles,
            multipliers=self.multipliers,
            busy=self.graph.macs() / (cycles * self.multipliers),
            bottleneck="multiplier",
            bottleneck_busy=1.0,
            macs_per_cycle_per_dsp=self.graph.macs() / cycles / self.multipliers,
        )

    def __str__(self) -> str:
        return f"{self.multipliers} multiplier"


@pytest.fixture
def serial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Accelerator:
    monkeypatch.setitem(MACHINES, SerialMachine.architecture, SerialMachine)
    model = QuantizedModel(small_graph())
    model.graph.output_index = np.array([[4, 3], [0, 1]])
    machine = SerialMachine(part("xc7z020"), 100, "net", model.graph, multipliers=2)
    return Accelerator.write(tmp_path / "net", model, machine)


def test_it_goes_the_whole_road(serial: Accelerator) -> None:
    pixels = images(5)
    wanted = serial.qmodel.codes(pixels)
    assert not serial.compiled
    assert wanted.shape == (5, 2, 2)
    assert np.array_equal(wanted.reshape(5, 4), expected(small_graph(), pixels)[:, [4, 3, 0, 1]])
    assert np.array_equal(serial.compile().codes(pixels), wanted)
    assert serial.cosimulate(pixels).ok
    assert serial.cosimulate(pixels, idle=0.5).cycles_per_frame == round(
        1.5 * serial.machine.cycles_per_frame
    )
    report = verify(serial.qmodel, pixels, serial, rtl=True, progress=False)
    assert report.ok
    assert {node.level for node in report.nodes} == {"RTL"}
    assert serial.estimate().fits
    assert "multiplier" in str(serial.synthesize())
    assert str(serial) == "2 multiplier"


def test_a_project_is_opened_as_the_machine_that_it_holds(serial: Accelerator) -> None:
    serial.compile()
    again = Accelerator.open(serial.folder)
    assert isinstance(again.machine, SerialMachine)
    assert (again.machine.multipliers, again.clock_mhz, again.compiled) == (2, 100, True)
    assert np.array_equal(again.codes(images(2)), serial.codes(images(2)))


def test_a_project_of_an_unknown_machine_is_refused(serial: Accelerator) -> None:
    marker = serial.folder / MARKER
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"architecture": "abacus"}))
    with pytest.raises(
        ConversionError, match="architecture 'abacus' is unknown; known are stream, engine"
    ):
        Accelerator.open(serial.folder)


def test_what_only_a_stream_has_is_refused(serial: Accelerator) -> None:
    for use in (
        lambda: serial.flow,
        lambda: serial.nodes,
        lambda: serial.size_fifos(images(1)),
        serial.build_report,
        serial.vendor_report,
    ):
        with pytest.raises(ConversionError, match="holds the machine 'serial'; only the streaming"):
            use()


def test_a_marker_without_an_architecture_holds_a_stream(tmp_path: Path) -> None:
    """Version 0.1 wrote none."""
    model = QuantizedModel(small_graph())
    machine = StreamMachine(part("xc7z020"), 100, "net", build_dataflow(model.graph, {}))
    accelerator = Accelerator.write(tmp_path / "net", model, machine)
    marker = accelerator.folder / MARKER
    data = json.loads(marker.read_text())
    del data["architecture"]
    marker.write_text(json.dumps(data))
    assert isinstance(Accelerator.open(accelerator.folder).machine, StreamMachine)


@pytest.mark.parametrize("room", ["graph", "ops", "quant", "emulate", "verify", "machine", "parts"])
def test_no_machine_is_known_to(room: str) -> None:
    """A second machine is a room of its own; these rooms stay as they are."""
    for path in sorted((ROOT / "hyq_hls" / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            machines = ("hyq_hls.stream", "hyq_hls.engine")
            assert not any(n.startswith(machines) for n in names), path
