"""The board folder of a project: complete, the same everywhere, its Verilog without warnings."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.stream.board.words import WordFormat
from hyq_hls.stream.flow import Stream
from hyq_hls.stream.folding import Folding
from hyq_hls.tools.verilator.tool import find_verilator
from tests.stream.hls.conftest import convert_small, small_graph


def test_convert_writes_the_folder(tmp_path: Path) -> None:
    folder = convert_small(tmp_path / "p").folder / "board"
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} == {
        *("settings.tcl", "common.tcl", "vivado_rtl.tcl", "overlay.tcl", "clock.xdc"),
        *("driver.py", "streams.json", "hyq_dma_frames.sv", "rtl/net_dma.v", "hls/net_dma.v"),
    }
    streams = json.loads((folder / "streams.json").read_text())
    assert streams["project"] == "net"
    assert streams["normalization"] == "byte / 255"
    assert streams["input"] == {
        "shape": [4, 4, 3],
        "beats": 16,
        "lanes": 3,
        "bits": 8,
        "signed": False,
        "code_bytes": 1,
        "word_bytes": 4,
    }
    assert (streams["output"]["shape"], streams["output"]["word_bytes"]) == ([5], 8)


@pytest.mark.parametrize(
    ("lanes", "bits", "beat_bytes", "word_bytes"),
    [(1, 2, 1, 1), (1, 9, 2, 2), (3, 8, 3, 4), (3, 16, 6, 8), (4, 8, 4, 4), (64, 9, 128, 128)],
)
def test_words(lanes: int, bits: int, beat_bytes: int, word_bytes: int) -> None:
    stream = Stream("x", "x", TensorType((2, 5, 64 * 3), Quantization(bits, True)), lanes)
    word = WordFormat.of(stream)
    assert (word.beat_bytes, word.word_bytes) == (beat_bytes, word_bytes)
    assert word.beats * word.lanes == 2 * 5 * 64 * 3


def lint(top: str, *sources: Path) -> str:
    tool = find_verilator()
    command = [str(tool.binary), "--lint-only", "-Wall", "--top-module", top, *map(str, sources)]
    result = subprocess.run(
        command, env={**os.environ, **tool.environment}, capture_output=True, text=True, check=False
    )
    return result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("full", [False, True])
def test_verilog_without_warnings(full: bool, tmp_path: Path) -> None:
    """Words with unused bytes, and words that are full."""
    folder = convert_small(tmp_path / "p").folder
    if full:
        graph = small_graph()
        lanes = {name: Folding(1, 1) for name in graph.nodes}
        folder = convert(QuantizedModel(graph), output_dir=tmp_path / "full", folding=lanes).folder
    modules = sorted((folder / "rtl" / "hyq").glob("*.sv"))
    frames = folder / "board" / "hyq_dma_frames.sv"
    core = folder / "rtl" / "net.sv"
    wrapper = folder / "board" / "rtl" / "net_dma.v"
    assert lint("net_dma", *modules, core, frames, wrapper) == ""
    text = wrapper.read_text()
    assert ("unused_bytes" in text) != full
    wrapper.write_text(text.replace("input_last, output_last", "input_last"))
    assert "output_last" in lint("net_dma", *modules, core, frames, wrapper)

    # The wrapper of Vitis HLS' core has its ports, and no parameter.
    header = re.compile(r"module net #\(.*?\) \(", re.DOTALL)
    vitis = header.sub("module net_vitis (", core.read_text())
    core = core.rename(folder / "net_vitis.sv")
    core.write_text(vitis.replace(");", ');\n  localparam MemoryDir = "memory";', 1))
    hls = folder / "board" / "hls" / "net_dma.v"
    assert lint("net_dma", *modules, core, frames, hls) == ""


def test_a_part_of_a_file_goes_the_whole_way(tmp_path: Path) -> None:
    """The scripts have it, and the project opens without the file."""
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "xc7k70t"\ndevice = "xc7k70tfbg676-1"\nfamily = "kintex-7"\nluts = 41000\n'
        "ffs = 82000\ndsps = 240\nbram36 = 135\nclock_mhz = [50, 200]\n"
    )
    model = QuantizedModel(small_graph())
    made = convert(model, part=file, output_dir=tmp_path / "p")
    file.unlink()
    settings = (made.folder / "board" / "settings.tcl").read_text()
    assert "set part xc7k70tfbg676-1\nset family kintex-7\n" in settings
    assert Accelerator.open(made.folder).part == made.part
    assert (made.part.luts, made.part.source) == (41000, "the file of its user")
