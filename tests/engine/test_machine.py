"""The engine as an accelerator: from ``convert`` to RTL, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.architecture import Wishes, choose_machine
from hyq_hls.engine import Sizes
from hyq_hls.engine.isa import disassemble
from hyq_hls.engine.machine import EngineMachine
from hyq_hls.errors import ConversionError, DoesNotFitError, InputError
from hyq_hls.models import digits
from hyq_hls.parts import part
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.tools.verilator.tool import find_verilator
from hyq_hls.verify import verify
from tests.golden.network import golden_graph

ZYNQ = part("xc7z020")


def golden_machine(**wishes: Any) -> EngineMachine:
    machine = choose_machine(golden_graph(), "engine", replace(Wishes(ZYNQ), **wishes))
    assert isinstance(machine, EngineMachine)
    return machine


@pytest.fixture(scope="module")
def accelerator(
    default_qmodel: QuantizedModel, tmp_path_factory: pytest.TempPathFactory
) -> Accelerator:
    folder = tmp_path_factory.mktemp("engine") / "net"
    return convert(
        default_qmodel, output_dir=folder, architecture="engine", engine=Sizes(pixels=4)
    ).compile()


@pytest.mark.slow
def test_the_default_network_goes_the_whole_road(accelerator: Accelerator) -> None:
    pixels = digits.calibration(4)
    assert np.array_equal(accelerator.codes(pixels), accelerator.qmodel.codes(pixels))
    found = verify(
        accelerator.qmodel, pixels, accelerator, trace_images=1, rtl=True, progress=False
    )
    assert found.ok
    # What attention keeps on the chip is in no memory behind the frame.
    inside = {node.node for node in found.nodes if node.level != "RTL"}
    kinds = {accelerator.qmodel.graph.nodes[name].operation.name for name in inside}
    assert kinds == {"attention_scores", "linear_softmax"}
    report = accelerator.cosimulate(pixels[:1], idle=0.2, backpressure=0.1)
    assert report.ok
    assert report.cycles_per_frame is not None
    assert report.cycles_per_frame > report.predicted_cycles
    ideal = accelerator.cosimulate(pixels[:1])
    assert ideal.cycles_per_frame == ideal.predicted_cycles == accelerator.machine.cycles_per_frame
    assert "bytes read" in str(ideal)
    assert "where it stalls" not in str(ideal)


@pytest.mark.slow
def test_a_project_can_be_read_and_opened(accelerator: Accelerator) -> None:
    folder = accelerator.folder
    described = json.loads((folder / "engine.json").read_text())
    machine = accelerator.machine
    assert isinstance(machine, EngineMachine)
    assert described["cycles_per_frame"] == machine.cycles_per_frame
    assert sum(described["cycles_by_node"].values()) == machine.cycles_per_frame
    assert (folder / "constants.bin").stat().st_size == described["memory"]["constants"]["bytes"]
    code = (folder / "program.bin").read_bytes()
    assert len(code) == 64 * described["program"]["instructions"]
    text = (folder / "program.txt").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == disassemble(code).splitlines()
    again = Accelerator.open(folder)
    assert isinstance(again.machine, EngineMachine)
    assert again.machine.sizes == machine.sizes
    assert again.compiled
    pixels = digits.calibration(2)
    assert np.array_equal(again.codes(pixels), accelerator.codes(pixels))


@pytest.mark.slow
def test_the_top_module_passes_lint(accelerator: Accelerator) -> None:
    verilator, rtl = find_verilator(), accelerator.folder / "rtl"
    sources = sorted(rtl.glob("*.sv"), key=lambda path: not path.stem.endswith("_pkg"))
    result = subprocess.run(
        [verilator.binary, "--lint-only", "-Wall", "--top-module", "net", *sources, rtl / "net.v"],
        env=verilator.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_the_simulator_shows_the_registers(accelerator: Accelerator) -> None:
    with accelerator.simulator() as simulator:
        simulator.reset()
        simulator.io.s_axi_rready = 1
        simulator.io.s_axi_araddr = 0x04  # STATUS
        simulator.io.s_axi_arvalid = 1
        answered = []
        for _ in range(4):
            simulator.clock.tick()
            answered.append((simulator.io.s_axi_rvalid, simulator.io.s_axi_rdata))
        assert (1, 0) in answered
    with pytest.raises(ConversionError, match=r"'head\.fc' has no circuit of its own"):
        accelerator.simulator("head.fc")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"rtl": "vitis"}, "rtl='vitis': \"hyq\" is wanted"),
        ({"vcd": "net.vcd"}, "vcd=.*take trace of simulator"),
        ({"activity_cycles": 10}, "activity_cycles=10: the engine has no streams"),
    ],
)
def test_options_that_an_engine_has_not(
    accelerator: Accelerator, argument: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        accelerator.cosimulate(digits.calibration(1), **argument)  # type: ignore[arg-type]


def test_the_stream_is_taken_where_it_fits() -> None:
    assert isinstance(choose_machine(golden_graph(), "auto", Wishes(ZYNQ)), StreamMachine)


@pytest.mark.slow
def test_the_engine_is_taken_where_the_stream_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*_: object, **__: object) -> None:
        raise DoesNotFitError("the slowest design does not fit")

    monkeypatch.setattr("hyq_hls.architecture.design", too_large)
    graph, wishes = golden_graph(), Wishes(ZYNQ)
    machine = choose_machine(graph, "auto", wishes)
    assert isinstance(machine, EngineMachine)
    assert machine.estimate().fits
    # Who asks for what only a stream has, gets its error.
    for asked in (
        replace(wishes, folding={"conv": Folding(2, 3)}),
        replace(wishes, circuits={"conv": "dense"}),
        replace(wishes, hls="bambu"),
        replace(wishes, must_fit="hls"),
    ):
        with pytest.raises(DoesNotFitError, match=r"^the slowest design does not fit$"):
            choose_machine(graph, "auto", asked)
    with pytest.raises(DoesNotFitError, match=r"^the slowest design does not fit$"):
        choose_machine(graph, "stream", wishes)
    with pytest.raises(DoesNotFitError, match=r"neither machine fits\. .*the slowest.* Engine: "):
        choose_machine(graph, "auto", replace(wishes, share=0.01))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"folding": {"conv": Folding(2, 3)}}, "folding: only the streaming machine"),
        ({"circuits": {"conv": "dense"}}, "circuits: only the streaming machine"),
        ({"hls": "bambu"}, "hls: only the streaming machine"),
        ({"must_fit": "hls"}, 'must_fit="hls": the C\\+\\+ of the engine has no plan'),
        ({"target_fps": 1e6}, r"target_fps 1e\+06: the engine reaches [\d,.]+ frames/s at 100 MHz"),
        ({"target_fps": -1.0}, "target_fps -1: "),
        ({"share": 0.0}, "share 0.0 of a part: above 0"),
        ({"share": 0.05}, "does not fit 5% of xc7z020"),
        ({"sizes": Sizes(pixels=8), "part": part("xc7z010")}, "does not fit 100% of xc7z010"),
        ({"clock_mhz": 600.0}, r"clock_mhz=600: \d+ MHz are in reach"),
        ({"clock_mhz": 0.0}, "clock of 0.0 MHz"),
    ],
)
def test_wishes_that_cannot_be_met(wishes: dict[str, object], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        golden_machine(**wishes)


def test_sizes_by_hand() -> None:
    sizes = Sizes(pixels=4, feature_words=1024)
    assert golden_machine(sizes=sizes).sizes == sizes
    machine = choose_machine(golden_graph(), "auto", Wishes(ZYNQ, sizes=sizes))
    assert isinstance(machine, EngineMachine)
    with pytest.raises(ConversionError, match='engine: sizes are those of architecture="engine"'):
        choose_machine(golden_graph(), "stream", Wishes(ZYNQ, sizes=sizes))
    with pytest.raises(ConversionError, match=r"engine=4: hyq_hls\.engine\.Sizes is wanted"):
        convert(QuantizedModel(golden_graph()), engine=4)  # type: ignore[arg-type]
    with pytest.raises(ConversionError, match="architecture='systolic': one of 'auto', 'stream'"):
        choose_machine(golden_graph(), "systolic", Wishes(ZYNQ))  # type: ignore[arg-type]


def test_the_machine_says_what_every_node_takes() -> None:
    text = str(golden_machine())
    assert "frames/s at 100 MHz" in text
    assert [line.split()[0] for line in text.splitlines()[1:7]] == [
        *("conv", "tokens", "query", "key", "value", "values")
    ]


def test_a_written_machine_is_read_again(tmp_path: Path) -> None:
    machine = golden_machine(must_fit=False)
    settings = json.loads(json.dumps(machine.settings()))
    again = EngineMachine.from_settings(machine.graph, ZYNQ, 100, "net", settings)
    assert again.sizes == machine.sizes
