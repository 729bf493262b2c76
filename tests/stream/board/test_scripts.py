"""The scripts for Vivado run in a Tcl interpreter in which Vivado's commands only take notes.

So their syntax, control flow, file names and the wiring of the block design are checked; that
Vivado takes the commands as they stand is not.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.parts import part
from hyq_hls.support import template_dir
from tests.stream.hls.conftest import convert_small, small_graph

MOCK = Path(__file__).with_name("vivado_mock.tcl")
SCRIPTS = sorted(template_dir("board_templates").glob("*.tcl"))


def _tkinter_works() -> bool:
    if find_spec("_tkinter") is None:
        return False
    import tkinter  # noqa: PLC0415

    return bool(tkinter.Tcl().eval("info patchlevel"))


TCLSH = shutil.which("tclsh")
needs_tcl = pytest.mark.skipif(
    TCLSH is None and not _tkinter_works(), reason="neither tclsh nor Python's tkinter is installed"
)


def tcl(script: str) -> str:
    """Result of a script in a new interpreter.

    Raises:
        RuntimeError: with the interpreter's message.
    """
    if TCLSH is None:
        import tkinter  # noqa: PLC0415

        try:
            return str(tkinter.Tcl().eval(script))
        except tkinter.TclError as error:
            raise RuntimeError(str(error)) from error
    text = f"if {{[catch {{{script}}} result]}} {{puts stderr $result; exit 1}}\nputs $result\n"
    run = subprocess.run([TCLSH], input=text, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr)
    return run.stdout.splitlines()[-1]


@dataclass
class Run:
    """What a script did."""

    calls: list[list[str]]
    nets: list[tuple[str, str]]
    cells: dict[str, str]  # kind by name
    pins: dict[str, str]  # names by kind of cell

    def of(self, command: str) -> list[list[str]]:
        """Arguments of every call of a command."""
        return [call[1:] for call in self.calls if call[0] == command]


def run(folder: Path, script: str, *argv: str, before: str = "") -> Run:
    """Source a script of the project in ``folder`` with the mock."""
    words = " ".join(f"{{{word}}}" for word in argv)
    sourced = f"source {{{MOCK}}}; set argv [list {words}]; {before}"
    path = folder / "board" / script
    calls, nets, cells, pins = json.loads(tcl(f"{sourced}; source {{{path}}}; summary"))
    return Run(calls, [(a, b) for a, b in nets], _dict(cells), _dict(pins))


def _dict(items: list[str]) -> dict[str, str]:
    return dict(zip(items[::2], items[1::2], strict=True))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    """For a Zynq-7000, its path with a space; words of 4 and 8 bytes."""
    return convert_small(tmp_path_factory.mktemp("vendor") / "my project")


@pytest.fixture
def copied(project: Accelerator, tmp_path: Path) -> Path:
    """A copy, with what Vivado would have written."""
    folder = tmp_path / "my copy"
    shutil.copytree(project.folder, folder)
    for backend in ("rtl", "hls"):
        base = folder / "board" / f"build_{backend}" / "overlay"
        for name in (
            "overlay.runs/impl_1/overlay_wrapper.bit",
            "overlay.gen/sources_1/bd/overlay/hw_handoff/overlay.hwh",
        ):
            (base / name).parent.mkdir(parents=True)
            (base / name).write_text(f"{backend} {name}")
    return folder


def with_vitis_verilog(folder: Path) -> None:
    verilog = folder / "vitis_cosim" / "verilog"
    verilog.mkdir(parents=True)
    for name in ("net.v", "net_vitis.sv"):
        (verilog / name).touch()


# --- text ---


def balance(text: str) -> list[str]:
    """Brackets of Tcl that are left open; raises AssertionError for one that closes another.

    Quoted and escaped brackets count too, which is stricter than Tcl; comments do not.
    """
    open_brackets: list[str] = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        for character in re.sub(r"\\.", "", line):
            if character in "{[(":
                open_brackets.append(character)
            elif character in "}])":
                assert open_brackets.pop() + character in ("{}", "[]", "()"), line
    return open_brackets


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_brackets_balance(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert balance(text) == []
    last = text.rindex("}")
    assert balance(text[:last] + text[last + 1 :]) != []
    assert max(map(len, text.splitlines())) <= 100


@needs_tcl
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_the_interpreter_finds_a_complete_script(path: Path) -> None:
    assert tcl(f"set f [open {{{path}}}]; set text [read $f]; info complete $text") == "1"


def test_settings_are_those_of_the_project(project: Accelerator) -> None:
    settings = (project.folder / "board" / "settings.tcl").read_text().splitlines()
    assert settings[1:] == [
        "set project net",
        "set part xc7z020clg400-1",
        "set family zynq-7000",
        "set clock_mhz 100",
        "set input_bytes 4",
        "set output_bytes 8",
        "set port_modules {hyq_axis_input hyq_axis_output hyq_counter hyq_stream_checker}",
    ]
    clock = (project.folder / "board" / "clock.xdc").read_text()
    assert "create_clock -name aclk -period 10.000 [get_ports aclk]\n" in clock


# --- the core alone ---


@needs_tcl
def test_synthesis_reads_every_source_once(copied: Path) -> None:
    done = run(copied, "vivado_rtl.tcl")
    read = [Path(call[-1]) for call in done.of("read_verilog")]
    rtl = copied / "rtl"
    board = copied / "board"
    wanted = [*rtl.glob("hyq/*.sv"), rtl / "net.sv", board / "hyq_dma_frames.sv"]
    assert sorted(read) == sorted([*wanted, board / "build_rtl" / "net_dma.v"])
    assert all(path.is_file() for path in read)
    for call in done.of("read_verilog"):
        assert (call[0] == "-sv") == call[-1].endswith(".sv")
    (synthesis,) = done.of("synth_design")
    assert synthesis[:6] == [
        "-top",
        "net_dma",
        "-part",
        "xc7z020clg400-1",
        "-mode",
        "out_of_context",
    ]
    assert done.of("read_xdc") == [["-mode", "out_of_context", str(board / "clock.xdc")]]
    assert not done.of("route_design")
    reports = [Path(call[-1]) for call in done.of("report_utilization")]
    assert reports == [board / "reports_rtl" / "synthesis_utilization.rpt"]
    assert reports[0].parent.is_dir()
    wrapper = (board / "build_rtl" / "net_dma.v").read_text()
    assert f'parameter MemoryDir = "{rtl / "memory"}"' in wrapper


@needs_tcl
def test_implementation_on_request(copied: Path) -> None:
    done = run(copied, "vivado_rtl.tcl", "-implement", "1")
    steps = ["synth_design", "opt_design", "place_design", "phys_opt_design", "route_design"]
    assert [call[0] for call in done.calls if call[0].endswith("_design")] == steps
    assert [Path(call[-1]).name for call in done.of("report_timing_summary")] == [
        "synthesis_timing.rpt",
        "route_timing.rpt",
    ]
    for step in ("synthesis", "route"):
        path = copied / "board" / "reports_rtl" / f"{step}_path.txt"
        assert path.read_text() == "slack_ns 0.125\ndelay_ns 6.25\n"


@needs_tcl
@pytest.mark.parametrize("script", ["vivado_rtl.tcl", "overlay.tcl"])
def test_the_core_of_vitis_hls(script: str, copied: Path) -> None:
    with pytest.raises(
        RuntimeError, match=r"no Verilog of Vitis HLS in .*; run Accelerator\.build"
    ):
        run(copied, script, "-backend", "hls")
    with_vitis_verilog(copied)
    done = run(copied, script, "-backend", "hls")
    text = " ".join(" ".join(call) for call in done.calls)
    for name in ("verilog/net.v", "net_vitis.sv", "hyq_axis_input.sv", "hyq_axis_output.sv"):
        assert name in text
    assert "hyq_dense.sv" not in text
    wrapper = (copied / "board" / "build_hls" / "net_dma.v").read_text()
    assert "net_vitis u_core (" in wrapper
    assert "MemoryDir" not in wrapper


@needs_tcl
@pytest.mark.parametrize("script", ["vivado_rtl.tcl", "overlay.tcl"])
@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("-backend",), "options come in pairs"),
        (("-colour", "red"), "unknown option -colour; there are -backend"),
        (("-backend", "c"), "-backend c: rtl or hls is wanted"),
    ],
)
def test_wrong_options(script: str, argv: tuple[str, ...], message: str, copied: Path) -> None:
    with pytest.raises(RuntimeError, match=message):
        run(copied, script, *argv)


# --- the overlay ---


def clock_and_reset(done: Run) -> tuple[set[str], set[str]]:
    """Pins that the clock of the processing system, and the reset block, drive."""
    clock = {to for start, to in done.nets if re.search(r"FCLK_CLK0|pl_clk0", start)}
    reset = {to for start, to in done.nets if start == "resets/peripheral_aresetn"}
    return clock, reset


@needs_tcl
@pytest.mark.parametrize("board", ["pynq-z2", "zcu104"])
def test_the_block_design_is_connected(board: str, copied: Path) -> None:
    settings = copied / "board" / "settings.tcl"
    text = settings.read_text().replace("xc7z020clg400-1", part(board).device)
    settings.write_text(text.replace("zynq-7000", part(board).family))
    done = run(copied, "overlay.tcl")

    ends = [end for net in done.nets for end in net]
    driven = [to for _, to in done.nets]
    assert len(set(driven)) == len(driven), "no pin is driven twice"
    pins = {f"{cell}/{pin}" for cell, kind in done.cells.items() for pin in done.pins[kind].split()}
    assert pins - set(ends) == {"control/S01_AXI", "memory/M01_AXI"}, "ports that are switched off"
    clock, reset = clock_and_reset(done)
    assert {"core/aclk", "dma/m_axi_mm2s_aclk", "dma/m_axi_s2mm_aclk", "memory/aclk"} < clock
    assert {"core/aresetn", "dma/axi_resetn"} < reset
    assert {("dma/M_AXIS_MM2S", "core/s_axis"), ("core/m_axis", "dma/S_AXIS_S2MM")} < set(done.nets)

    (dma,) = [c for c in done.of("set_property") if c[-1] == "dma" and "VALUE_SRC" not in c[1]]
    config = dict(zip(dma[1].split()[::2], dma[1].split()[1::2], strict=True))
    assert config["CONFIG.c_m_axis_mm2s_tdata_width"] == "32"
    assert config["CONFIG.c_s_axis_s2mm_tdata_width"] == "64"
    assert (config["CONFIG.c_include_sg"], config["CONFIG.c_sg_length_width"]) == ("0", "26")
    systems = [c[1] for c in done.of("set_property") if c[-1] == "ps"]
    assert "FREQMHZ 100" in systems[0]
    order = [c[0] for c in done.calls]
    assert order.index("validate_bd_design") < order.index("make_wrapper")
    assert order.index("make_wrapper") < order.index("launch_runs") < order.index("wait_on_run")


@needs_tcl
def test_the_board_folder_has_what_pynq_needs(copied: Path) -> None:
    run(copied, "overlay.tcl", "-jobs", "2", "-board_part", "tul.com.tw:pynq-z2:part0:1.0")
    board = copied / "board" / "board_rtl"
    assert {p.name for p in board.iterdir()} == {"net.bit", "net.hwh", "driver.py", "streams.json"}
    assert (board / "net.bit").read_text().endswith("overlay_wrapper.bit")
    assert (board / "net.hwh").read_text().endswith("overlay.hwh")


@needs_tcl
def test_a_preset_only_with_the_files_of_a_board(copied: Path) -> None:
    for argv, preset in (((), "0"), (("-board_part", "a:b:c:1"), "1")):
        done = run(copied, "overlay.tcl", *argv)
        (automation,) = done.of("apply_bd_automation")
        assert f"apply_board_preset {preset}" in automation[3]
        assert any("board_part" in c for c in done.of("set_property")) == bool(argv)


@needs_tcl
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("STATS.WNS -0.25", r"timing is not met at 142\.857132 MHz: worst slack -0\.25 ns"),
        ("PROGRESS 60%", r"implementation failed; see runs/runme\.log"),
    ],
)
def test_no_bitstream_of_a_failed_run(answer: str, message: str, copied: Path) -> None:
    with pytest.raises(RuntimeError, match=message):
        run(copied, "overlay.tcl", before=f"dict set answers {answer}")
    assert not (copied / "board" / "board_rtl" / "net.bit").exists()


@needs_tcl
def test_a_part_without_processors(tmp_path: Path) -> None:
    folder = convert(QuantizedModel(small_graph()), "kcu105", output_dir=tmp_path / "p").folder
    with pytest.raises(RuntimeError, match="xcku040-ffva1156-2-e has no processing system"):
        run(folder, "overlay.tcl")


@needs_tcl
def test_words_too_wide_for_a_dma(copied: Path) -> None:
    settings = copied / "board" / "settings.tcl"
    settings.write_text(settings.read_text().replace("output_bytes 8", "output_bytes 256"))
    with pytest.raises(RuntimeError, match=r"words of 256 bytes at the output: .* fewer lanes"):
        run(copied, "overlay.tcl")


@needs_tcl
def test_a_vivado_without_an_ip(copied: Path) -> None:
    with pytest.raises(RuntimeError, match="this Vivado has no IP axi_dma"):
        run(copied, "overlay.tcl", before="dict unset pins axi_dma")
