"""Projects for Bambu: here the tool and its headers are stand-ins.

The stand-in of the tool checks its command line, and answers with our own RTL behind the ports
that Bambu gives a function with streams. Its integers are those of ``verif/bambu``.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import CompilationError, ConversionError, InputError, SimulationError
from hyq_hls.graph import Graph
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.bambu_rtl import write_bambu_top
from hyq_hls.stream.hls.compilers import COMPILERS, fifo_places
from hyq_hls.stream.hls.project import build_model
from hyq_hls.stream.hls.text import project_files
from hyq_hls.stream.rtl import write_rtl
from hyq_hls.stream.rtl.modules import needed_modules
from tests.ops.examples import example_graph
from tests.ops.harness import random_codes, reference, widest_folding
from tests.stream.hls.conftest import edit, expected, images, small_graph
from tests.stream.hls.hybrid import hybrid_graph
from verif.bambu_subset import HEADERS, check_project, main
from verif.clang import compile_library

#: What the script must ask for; the stand-in of the tool compares.
COMMAND = (
    "../firmware/net.cpp --top-fname=net --std=c++14 -I../firmware --compiler=I386_CLANG16 "
    "--generate-interface=INFER --hls-div=none --reset-type=sync --reset-level=low "
    "--device-name=xc7z020-1clg484-VVD --clock-period=10.000"
)
#: The mangled name that clang gives the top function, and its ports as Bambu writes them.
VERILOG = """module _Z3netR10ac_channelIS_ (clock, reset, start_port, image_dout, image_empty_n,
  head_full_n, done_port, image_read, head_din, head_write);
  input clock;
  input reset;
  input start_port;
  input [{i}:0] image_dout;
  input image_empty_n;
  input head_full_n;
  output done_port;
  output image_read;
  output [{o}:0] head_din;
  output head_write;
  wire last, valid, ready;
  wire [{i}:0] data;
  assign done_port = 1'b0;
  dataflow_fifo #(.BITSIZE_din({i} + 1), .QUEUESIZE_LOG(2)) fifo (
    .clock(clock), .reset(reset), .write(image_empty_n), .read(ready), .din(image_dout),
    .empty_n(valid), .full_n(image_read), .dout(data)
  );
  hyq_counter #(.Count({beats})) u_beat (
    .clk_i(clock), .rst_ni(reset), .en_i(valid && ready), .last_o(last)
  );
  core #(.MemoryDir("{memory}")) u_core (
    .aclk(clock), .aresetn(reset && start_port),
    .s_axis_tdata(data), .s_axis_tvalid(valid), .s_axis_tready(ready),
    .s_axis_tlast(last), .m_axis_tdata(head_din), .m_axis_tvalid(head_write),
    .m_axis_tready(head_full_n), .m_axis_tlast(), .frame_errors()
  );
endmodule
module dataflow_fifo #(
  parameter BITSIZE_din=1,
  parameter QUEUESIZE_LOG=2
) (
  input clock, input reset, input write, input read, input [BITSIZE_din-1:0] din,
  output empty_n, output full_n, output [BITSIZE_din-1:0] dout
);
  reg [QUEUESIZE_LOG-1:0] read_idx, write_idx;
  reg [BITSIZE_din-1:0] words [0:(1<<QUEUESIZE_LOG)-1];
  wire [QUEUESIZE_LOG-1:0] next = write_idx + 1'b1;
  assign full_n = next != read_idx;
  assign empty_n = write_idx != read_idx;
  assign dout = words[read_idx];
  always @(posedge clock)
    if (!reset) begin
      read_idx <= 0;
      write_idx <= 0;
    end else begin
      if (write && full_n) begin
        words[write_idx] <= din;
        write_idx <= next;
      end
      if (read && empty_n) read_idx <= read_idx + 1'b1;
    end
endmodule
"""

#: Passes samples through a top function, without the headers of the C simulation.
RUN = """#include "top.cpp"
extern "C" void run(const int *input, int *output) {{
    for (int sample = 0; sample < {samples}; sample++) {{
        hyq::stream<input_t> source;
        hyq::stream<result_t> sink;
        for (int i = 0; i < {in_words}; i++) {{
            input_t word;
            for (unsigned c = 0; c < input_t::size; c++) {{
                word[c] = *input++;
            }}
            source.write(word);
        }}
        top(source, sink);
        for (int i = 0; i < {out_words}; i++) {{
            const result_t word = sink.read();
            for (unsigned c = 0; c < result_t::size; c++) {{
                *output++ = word[c].to_int();
            }}
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def accelerator(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    """A project for Bambu; not to be changed but by ``build``."""
    folder = tmp_path_factory.mktemp("bambu") / "p"
    return convert(QuantizedModel(small_graph()), output_dir=folder, hls="bambu")


@pytest.fixture
def bambu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Path of ``bambu`` on PATH; the test writes it."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path / "bin" / "bambu"


def install(path: Path, script: str) -> None:
    head = f'#!/bin/bash\nset -e\n[ "$*" = "{COMMAND}" ] || {{ echo "odd: $*"; exit 90; }}\n'
    path.write_text(head + script)
    path.chmod(0o755)


def verilog(accelerator: Accelerator, core: Path) -> str:
    """The answer of the stand-in: our RTL, and modules with the ports of Bambu."""
    flow = accelerator.flow
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    brought = needed_modules({"hyq_axis_input", "hyq_axis_output"})  # by the wrapper
    files = [path for path in write_rtl(flow, core, "core") if path.stem not in brought]
    files.sort(key=lambda path: path.stem != "hyq_pkg")  # a package comes first
    ours = "\n".join(path.read_text() for path in files)
    widths = {"i": 8 * source.lanes - 1, "o": 8 * sink.lanes - 1}
    return ours + VERILOG.format(**widths, memory=core / "memory", beats=source.beats)


@pytest.mark.skipif(shutil.which("bambu") is not None, reason="Bambu is installed")
def test_without_bambu(accelerator: Accelerator) -> None:
    with pytest.raises(CompilationError, match="bambu was not found: building needs PandA Bambu"):
        accelerator.build(hls="bambu")
    with pytest.raises(SimulationError, match=r"no Verilog of Bambu in .*net\.v; convert with"):
        write_bambu_top(accelerator.flow, accelerator.folder, "net", accelerator.folder / "x")


def test_what_build_takes(accelerator: Accelerator, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Bambu runs no test bench: give neither images"):
        accelerator.build(images(1))
    with pytest.raises(ConversionError, match=r"was written for bambu; convert .* hls='vitis'"):
        accelerator.build(images(1), hls="vitis")
    with pytest.raises(ConversionError, match="hls='catapult': vitis or bambu is wanted"):
        accelerator.build(hls="catapult")
    with pytest.raises(ConversionError, match="hls='catapult': vitis or bambu is wanted"):
        convert(QuantizedModel(small_graph()), output_dir=tmp_path / "p", hls="catapult")


def test_the_project_remembers_its_compiler(accelerator: Accelerator, tmp_path: Path) -> None:
    assert Accelerator.open(accelerator.folder).stream.hls == "bambu"
    shutil.copytree(accelerator.folder, tmp_path / "old")
    old = Accelerator.open(tmp_path / "old")
    edit(old, "hyq_project.json", '"hls": "bambu"', '"other": 0')
    assert Accelerator.open(tmp_path / "old").stream.hls == "vitis", "older projects name none"
    assert "DATAFLOW" in (accelerator.folder / "firmware/hyq/target.h").read_text()
    assert not (accelerator.folder / "firmware/hyq/targets").exists()


def test_memories_are_globals(accelerator: Accelerator) -> None:
    text = (accelerator.folder / "firmware/net.cpp").read_text()
    function, call = text.split("void net(")
    assert "void head_process(hyq::stream<pool_x2_word> &pool_x2, hyq::stream<result_t>" in function
    assert "<head_config>(pool_x2, head, head_weight, head_bias, head_requantize);" in function
    assert "    HYQ_PROCESS(head_process(pool_x2, head));\n" in call
    assert "_weight" not in call.split("HYQ_PROCESS", 1)[1]


def test_processes_of_an_operation_read_globals() -> None:
    """An operation with processes of its own has streams alone; its configuration names arrays."""
    flow = build_dataflow(example_graph("layer_norm", np.random.default_rng(0)), {})
    (stage,) = flow.operations
    vitis, bambu = (project_files(flow, "net", compiler) for compiler in COMPILERS)
    call = f"    HYQ_PROCESS(hyq::layer_norm<{stage.name}_config>({flow.source}, {flow.sink}));\n"
    assert call in bambu["firmware/net.cpp"]
    assert call not in vitis["firmware/net.cpp"]
    for rom in stage.arguments.roms:
        member = f"static constexpr const {rom.name}_t &{rom.name} = {stage.name}_{rom.name};"
        assert member in bambu["firmware/parameters.h"]
        assert member not in vitis["firmware/parameters.h"]


def test_fifos_of_the_copy_have_room_for_a_row() -> None:
    """All FIFOs get one depth. That of a LayerNorm's values is more than its row and a pipeline."""
    graph = example_graph("layer_norm", np.random.default_rng(0))
    flow = build_dataflow(graph, {name: widest_folding(graph, name) for name in graph.nodes})
    (stage,) = flow.operations
    row_and_pipelines = stage.arguments.constants["row_depth"] + 64
    assert max(stream.beats for stream in flow.streams.values()) < row_and_pipelines
    assert fifo_places(flow) > row_and_pipelines


def test_a_part_that_bambu_does_not_know(tmp_path: Path) -> None:
    model = QuantizedModel(small_graph())
    with pytest.raises(ConversionError, match="Bambu has no device for part xczu3eg; it has xc7z"):
        convert(model, "ultra96", output_dir=tmp_path / "p", hls="bambu")


@pytest.mark.slow
def test_integers_with_the_types_of_bambu(tmp_path: Path) -> None:
    """The operations with exact integers, words packed in FIFOs: the test bench compares."""
    compile_and_run(hybrid_graph(), tmp_path / "hybrid", {})
    small = small_graph()
    lanes = {name: widest_folding(small, name) for name in small.nodes}
    compile_and_run(small, tmp_path / "small", lanes)


def compile_and_run(graph: Graph, folder: Path, foldings: dict[str, Folding]) -> None:
    """Run the top function of a project, with types that stand in for those of Bambu."""
    flow = build_dataflow(graph, foldings)
    build_model(flow, folder, "top", "xc7z020clg400-1", 150, "bambu").write()
    codes = random_codes(graph.input_type, np.random.default_rng(2), 3).astype(np.int32)
    wanted = reference(graph, codes.astype(np.int64))
    source, library = folder / "run.cpp", folder / "run.so"
    words = [flow.streams[name].beats for name in (flow.source, flow.sink)]
    source.write_text(RUN.format(samples=len(codes), in_words=words[0], out_words=words[1]))
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label"]
    compile_library(
        source, library, [HEADERS[0], folder / "firmware"], ["-O1", "-D__BAMBU__", *warnings]
    )
    found = np.zeros(wanted.shape, np.int32)
    pointers = (array.ctypes.data_as(ctypes.c_void_p) for array in (codes, found))
    ctypes.CDLL(str(library)).run(*pointers)
    assert np.array_equal(found, wanted)


@pytest.mark.slow
def test_plain_c_simulation(accelerator: Accelerator) -> None:
    """The same project with g++ and hls4ml's integers, which have no __BAMBU__."""
    compiled = Accelerator.open(accelerator.folder).compile("-O1")
    assert np.array_equal(compiled.codes(images()), expected(small_graph(), images()))


@pytest.mark.slow
def test_nothing_is_left_that_bambu_refuses(
    accelerator: Accelerator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_project(accelerator.folder) == []
    assert main([str(accelerator.folder)]) == 0
    assert main([str(tmp_path)]) == 2
    assert "one C++ file is wanted in" in capsys.readouterr().err


@pytest.mark.slow
def test_processes_inside_an_operation_have_streams_alone(tmp_path: Path) -> None:
    for name in ("attention_scores", "attention_values", "group_norm", "table_softmax"):
        write_example(name, tmp_path / name)
        assert check_project(tmp_path / name) == []
    write_example("layer_norm", tmp_path / "norm")
    assert check_project(tmp_path / "norm") == []
    header = tmp_path / "norm/firmware/hyq/normalization.h"
    text = header.read_text()
    changed = text.replace("stream<root_T> &roots)", "stream<root_T> &roots, int extra = 0)")
    assert changed != text
    header.write_text(changed)
    (finding,) = check_project(tmp_path / "norm")
    assert "process: found argument extra of norm_roots(), int; wanted streams" in str(finding)


def write_example(name: str, folder: Path) -> None:
    """A project for Bambu with one operation."""
    flow = build_dataflow(example_graph(name, np.random.default_rng(0)), {})
    build_model(flow, folder, "top", "xc7z020clg400-1", 150, "bambu").write()


#: A text of the project that is replaced, by the rule that must notice it.
FAULTS = {
    "directive": (
        "firmware/hyq/target.h",
        "#define HYQ_PIPELINE(interval)\n",
        "#define HYQ_PIPELINE(interval) HYQ_PRAGMA(HLS PIPELINE II=interval)\n",
    ),
    "process": (
        "firmware/net.cpp",
        "(head_process(pool_x2, head));",
        "(hyq::dense<head_config>(pool_x2, head, head_weight, head_bias, head_requantize));",
    ),
    "word": (
        "firmware/hyq/target.h",
        "exact<int(T::width) * int(lanes), false>",
        "exact<int(T::width), false>",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found(
    rule: str, accelerator: Accelerator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(accelerator.folder, tmp_path / "p")
    edit(Accelerator.open(tmp_path / "p"), *FAULTS[rule])
    assert main([str(tmp_path / "p")]) == 1
    found = capsys.readouterr().out.splitlines()[:-1]
    assert found
    assert all(f" {rule}: " in line for line in found), found


@pytest.mark.slow
def test_built_and_simulated(accelerator: Accelerator, bambu: Path, tmp_path: Path) -> None:
    """The stand-in's Verilog runs in our driver, with FIFOs that are deep enough."""
    (tmp_path / "net.v").write_text(verilog(accelerator, tmp_path / "core"))
    install(bambu, f"cp {tmp_path / 'net.v'} net.v\necho done")
    assert accelerator.build() == accelerator.folder / "bambu" / "net.v"
    assert (accelerator.folder / "bambu.log").read_text() == "done\n"
    report = accelerator.cosimulate(images(5), rtl="bambu", backpressure=0.3)
    assert report.ok, str(report)
    text = (accelerator.folder / "bambu_cosim/verilog/net.v").read_text()
    longest = max(stream.beats for stream in accelerator.flow.streams.values())
    log = longest.bit_length()
    assert 2**log - 1 >= longest
    assert f".QUEUESIZE_LOG({log})" in text
    assert f"QUEUESIZE_LOG={log}\n" in text


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo broken; exit 3", r"Bambu failed with status 3, see .*bambu\.log:\nbroken"),
        ("echo fine", r"Bambu left no net\.v, see .*:\nfine"),
    ],
)
def test_bambu_fails(script: str, message: str, accelerator: Accelerator, bambu: Path) -> None:
    install(bambu, "touch net.v")
    accelerator.build()
    install(bambu, script)
    with pytest.raises(CompilationError, match=message):
        accelerator.build()
    assert not (accelerator.folder / "bambu" / "net.v").exists(), "an old one would mislead"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("_Z3netR", "_Z4netsR", r"Bambu's Verilog has 0 modules net or _Z3net\.\.\., one is want"),
        ("image_dout;", "image_TDATA;", "image_dout is missing in the top module of Bambu; 24 bit"),
        ("output [{o}:0] head_din", "output [2:0] head_din", "head_din has 3 bits in the top modu"),
        ("QUEUESIZE_LOG", "DEPTH", "its FIFOs have no parameter QUEUESIZE_LOG, so their depth"),
    ],
)
def test_verilog_that_is_not_known(
    old: str, new: str, message: str, accelerator: Accelerator, tmp_path: Path
) -> None:
    flow = accelerator.flow
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    text = VERILOG.replace(old, new).format(
        i=8 * source.lanes - 1, o=8 * sink.lanes - 1, memory="", beats=1
    )
    (tmp_path / "bambu").mkdir()
    (tmp_path / "bambu" / "net.v").write_text(text)
    with pytest.raises(SimulationError, match=message):
        write_bambu_top(flow, tmp_path, "net", tmp_path / "copy")
