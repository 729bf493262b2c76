"""The modules check themselves in a simulation: protocol of streams, values of parameters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hyq_hls.errors import CompilationError, SimulationError
from hyq_hls.stream.rtl.modules import module_file, needed_modules
from hyq_hls.tools.systemverilog import Value, alone
from hyq_hls.tools.verilator import Simulator
from hyq_hls.tools.yosys import run_yosys

SLICE = "hyq_register_slice"

pytestmark = pytest.mark.slow


def simulator(folder: Path, module: str, values: dict[str, Value], **broken: str) -> Simulator:
    """The module in a simulation; ``broken`` holds the text of modules with seeded errors."""
    sources = []
    for name in needed_modules({module}):
        text = broken.get(name, module_file(name).read_text("utf-8"))
        sources.append(folder / f"{name}.sv")
        sources[-1].write_text(text, encoding="utf-8")
    top, text = alone(module, (folder / f"{module}.sv").read_text("utf-8"), values)
    (folder / f"{top}.sv").write_text(text, encoding="utf-8")
    build = folder / "build"
    return Simulator.build([*sources, folder / f"{top}.sv"], top, folder=build, flags=("-O0",))


def seeded(wrong: str) -> str:
    """The register slice with another ``out_valid_o`` or ``out_data_o``."""
    port = wrong.split(" = ", maxsplit=1)[0]
    text, count = re.subn(
        rf"assign {port} += .*;", f"assign {wrong};", module_file(SLICE).read_text("utf-8")
    )
    assert count == 1
    return text


def offer(sim: Simulator) -> None:
    """A word that waits at the output for some cycles while other words are offered."""
    sim.reset()
    sim.io.in_valid_i = 1
    for word in range(1, 5):
        sim.io.in_data_i = word if sim.io.in_ready_o else 2
        sim.clock.tick()


def test_a_right_stream_passes(tmp_path: Path) -> None:
    with simulator(tmp_path, SLICE, {"Width": 8}) as sim:
        offer(sim)
        assert sim.io.out_data_o == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("out_valid_o = out_valid_q && in_ready_o", "withdrawn before it was taken"),
        ("out_data_o = in_ready_o ? out_data_q : spare_data_q", "changed from 01 to 02"),
    ],
)
def test_a_violation_ends_the_simulation(
    wrong: str, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = {SLICE: seeded(wrong)}
    with (
        simulator(tmp_path, SLICE, {"Width": 8}, **broken) as sim,
        pytest.raises(SimulationError, match=r"hyq_stream_checker\.sv"),
    ):
        offer(sim)
    assert message in capfd.readouterr().out


def test_synthesis_sees_no_assertion(tmp_path: Path) -> None:
    sources = " ".join(str(module_file(name)) for name in needed_modules({SLICE}))
    commands = [
        f"read_slang --top {SLICE} -G Width=8 {sources}",
        "proc",
        "flatten",
        "select -assert-none t:$check t:$assert t:$print w:*waiting_q*",
    ]
    run_yosys(commands, tmp_path / "log", tmp_path)


def test_a_wrong_parameter_does_not_elaborate(tmp_path: Path) -> None:
    wrong: dict[str, Value] = {"Bits": 4, "InLanes": 2, "OutLanes": 3}
    with pytest.raises(CompilationError, match="InLanes divides OutLanes"):
        simulator(tmp_path, "hyq_width_converter", wrong)
