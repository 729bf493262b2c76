"""Accelerator.cosimulate: RTL == emulation == HLS C++, cycles, FIFO sizing, deadlock, errors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import ConversionError, InputError, SimulationError
from hyq_hls.machine import SimulationOptions
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl import write_rtl
from hyq_hls.stream.rtl.modules import needed_modules
from tests.golden.network import FOLDINGS, golden_graph
from tests.stream.hls.conftest import images, small_graph
from tests.stream.hls.hybrid import hybrid_graph

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    """The network with every operation, about one position per cycle; not to be changed."""
    folder = tmp_path_factory.mktemp("hybrid") / "net"
    return convert(QuantizedModel(hybrid_graph()), output_dir=folder).compile("-O0")


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    """A small network in which a short way meets one that keeps a whole map; not to be changed."""
    folder = tmp_path_factory.mktemp("joined") / "net"
    qmodel = QuantizedModel(golden_graph())
    return convert(qmodel, output_dir=folder, folding=FOLDINGS).compile("-O0")


def test_equal_and_as_fast_as_predicted(hybrid: Accelerator, tmp_path: Path) -> None:
    report = hybrid.cosimulate(images(12), activity_cycles=64)
    assert report.ok, str(report)
    assert report.cycles_per_frame is not None
    assert abs(report.cycles_per_frame - report.predicted_cycles) <= 0.01 * report.predicted_cycles
    assert report.fps == pytest.approx(100e6 / report.cycles_per_frame)
    assert all(s.max_occupancy <= s.depth + 1 for s in report.streams)
    data = json.loads(report.save(tmp_path / "cosim.json").read_text())
    assert data["rtl_equal_images"] == data["csim_equal_images"] == 12
    assert [s["name"] for s in data["streams"]] == list(hybrid.flow.streams)
    assert "RTL == HLS C++    12 of 12 images" in str(report)
    assert report.result is not None
    assert set(report.result.activity) == {*hybrid.flow.streams, "s_axis", "m_axis"}
    # What is saved ends with the first frame, whose output is whole.
    assert set(data["activity"]) == set(report.result.activity)
    assert sum(data["activity"]["m_axis"]) >= hybrid.flow.streams[hybrid.flow.sink].beats
    assert len(data["activity"]["m_axis"]) <= 2 + report.latency_cycles // 64


@pytest.mark.parametrize(("idle", "backpressure"), [(0.5, 0.0), (0.0, 0.5), (0.4, 0.4), (0.9, 0.9)])
def test_equal_under_stalls(hybrid: Accelerator, idle: float, backpressure: float) -> None:
    report = hybrid.cosimulate(images(6), idle=idle, backpressure=backpressure, seed=7)
    assert report.ok, str(report)


def test_every_node_is_equal(hybrid: Accelerator) -> None:
    pixels = images(3)
    found = hybrid.trace_rtl(pixels)
    for name, codes in hybrid.qmodel.graph.reference(pixels.astype(np.int64)):
        if name in found:
            assert np.array_equal(found[name], codes), name
    assert list(found) == list(hybrid.qmodel.graph.nodes)


def test_a_flipped_bit_is_found_at_its_node(hybrid: Accelerator) -> None:
    memory = hybrid.folder / "rtl/memory/expand_weight.mem"
    text = memory.read_text()
    try:
        first, _, rest = text.partition("\n")
        memory.write_text(f"{int(first, 16) ^ 64:x}\n{rest}")
        report = hybrid.cosimulate(images(2))
    finally:
        memory.write_text(text)
    assert not report.ok
    assert "node expand differs first" in str(report)
    assert hybrid.cosimulate(images(2)).ok


def copied(accelerator: Accelerator, folder: Path) -> Accelerator:
    """The project in another folder, with its compiled C++ and RTL, for changes."""
    return Accelerator.open(Path(shutil.copytree(accelerator.folder, folder)))


def test_fifos_shrink_and_stay_fast(joined: Accelerator, tmp_path: Path) -> None:
    accelerator = copied(joined, tmp_path / "net")
    sizing = accelerator.size_fifos(images(8))
    assert sizing.bits_after < sizing.bits_before
    assert sizing.cycles_after <= 1.01 * sizing.cycles_before
    opened = Accelerator.open(tmp_path / "net")
    depths = {s.name: s.depth for s in opened.flow.streams.values()}
    assert depths == {s.name: s.depth for s in accelerator.flow.streams.values()}
    assert f".Depth({max(depths.values())})" in (tmp_path / "net/rtl/net.sv").read_text()


def test_a_fifo_that_is_too_small_deadlocks_by_name(joined: Accelerator, tmp_path: Path) -> None:
    """The residual path must hold what the other path keeps inside."""
    accelerator = copied(joined, tmp_path / "net")
    (join,) = [s for s in accelerator.flow.operations if s.node.name == "sum"]
    shallow = {s.name: s.depth for s in accelerator.flow.streams.values()}
    shallow |= dict.fromkeys(join.inputs, 1)
    machine = accelerator.stream.with_depths(shallow)
    machine.rewrite_rtl(accelerator.folder)
    accelerator.machine = machine
    with pytest.raises(SimulationError, match=r"deadlock: no transfer .*\n.*conv_copy"):
        accelerator.cosimulate(images(2))


def test_target_fps_and_folding(tmp_path: Path) -> None:
    qmodel = QuantizedModel(small_graph())
    slow = convert(qmodel, output_dir=tmp_path / "slow", target_fps=100_000, clock_mhz=100)
    fast = convert(qmodel, output_dir=tmp_path / "fast", target_fps=3_000_000, clock_mhz=100)
    assert slow.flow.cycles_per_frame > fast.flow.cycles_per_frame
    assert fast.flow.cycles_per_frame <= 33
    mixed = convert(qmodel, output_dir=tmp_path / "mixed", folding={"a": Folding(2, 3)})
    assert mixed.nodes[0].folding == Folding(2, 3)
    assert mixed.cosimulate(images(4)).ok
    with pytest.raises(ConversionError, match=r"takes .* cycles per frame at its fastest folding"):
        convert(qmodel, output_dir=tmp_path / "no", target_fps=1e8)
    with pytest.raises(ConversionError, match="a positive frame rate is wanted"):
        convert(qmodel, output_dir=tmp_path / "no", target_fps=0)
    with pytest.raises(ConversionError, match="a: folding 7 x 1"):
        convert(qmodel, output_dir=tmp_path / "no", folding={"a": Folding(7, 1)})
    assert not (tmp_path / "no").exists()


def test_wrong_input_and_waveforms(tmp_path: Path) -> None:
    accelerator = convert(QuantizedModel(small_graph()), output_dir=tmp_path / "net").compile("-O0")
    with pytest.raises(InputError):
        accelerator.cosimulate(np.zeros((0, 4, 4, 3), np.uint8))
    with pytest.raises(InputError, match="idle"):
        accelerator.cosimulate(images(2), idle=1.5)
    with pytest.raises(InputError):
        accelerator.cosimulate(np.full((1, 4, 4, 3), np.nan))
    with pytest.raises(InputError, match="optimize=4: a level of g\\+\\+ from 0 to 3 is wanted"):
        accelerator.cosimulate(images(1), optimize=4)
    assert SimulationOptions(optimize=2).flags == ("-O2",)
    assert SimulationOptions().flags == ()
    report = accelerator.cosimulate(images(1), vcd=tmp_path / "net.vcd")
    assert report.ok
    assert report.cycles_per_frame is report.fps is None
    assert (tmp_path / "net.vcd").read_text().startswith("$")


_VENDOR = """module net (
  input ap_clk, input ap_rst_n, input ap_start,
  output ap_done, output ap_ready, output ap_idle,
  input [{i}:0] image_TDATA, input image_TVALID, output image_TREADY,
  output [{o}:0] head_TDATA, output head_TVALID, input head_TREADY
);
  assign {{ap_done, ap_ready, ap_idle}} = 3'b0;
  wire last;
  hyq_counter #(.Count({beats})) u_beat (
    .clk_i(ap_clk), .rst_ni(ap_rst_n), .en_i(image_TVALID && image_TREADY), .last_o(last)
  );
  core #(.MemoryDir("{memory}")) u_core (
    .aclk(ap_clk), .aresetn(ap_rst_n && ap_start),
    .s_axis_tdata(image_TDATA), .s_axis_tvalid(image_TVALID), .s_axis_tready(image_TREADY),
    .s_axis_tlast(last), .m_axis_tdata(head_TDATA), .m_axis_tvalid(head_TVALID),
    .m_axis_tready(head_TREADY), .m_axis_tlast(), .frame_errors()
  );
endmodule
"""


def test_vendor_rtl_in_the_same_driver(tmp_path: Path) -> None:
    """Our own RTL under the vendor's port names stands in for what Vitis HLS would write."""
    accelerator = convert(QuantizedModel(small_graph()), output_dir=tmp_path / "net").compile("-O0")
    with pytest.raises(SimulationError, match=r"no Verilog of Vitis HLS in .*run build\(\) first"):
        accelerator.cosimulate(images(2), rtl="vitis")
    with pytest.raises(InputError, match=r"rtl='vhdl': .hyq., or .vitis."):
        accelerator.cosimulate(images(2), rtl="vhdl")
    flow = accelerator.flow
    verilog = accelerator.folder / "net_prj/solution1/syn/verilog"
    verilog.mkdir(parents=True)
    brought = needed_modules({"hyq_axis_input", "hyq_axis_output"})  # by the wrapper
    for path in write_rtl(flow, tmp_path / "core", "core"):
        if path.stem not in brought:
            # The files are read in the order of their names, and a package comes first.
            name = f"0_{path.name}" if path.stem == "hyq_pkg" else path.name
            (verilog / name).write_bytes(path.read_bytes())
    widths = {"i": 8 * flow.streams[flow.source].lanes - 1, "o": 8 * flow.streams["head"].lanes - 1}
    beats = flow.streams[flow.source].beats
    text = _VENDOR.format(**widths, memory=tmp_path / "core/memory", beats=beats)
    (verilog / "net.v").write_text(text)
    report = accelerator.cosimulate(images(5), rtl="vitis", backpressure=0.3)
    assert report.ok, str(report)
    assert report.streams == []
    (verilog / "net.v").write_text(text.replace(f"[{widths['o']}:0] head", "[2:0] head"))
    with pytest.raises(SimulationError, match="head: TDATA of 2 as its highest bit does not hold"):
        accelerator.cosimulate(images(1), rtl="vitis")


def test_simulator_of_one_node(hybrid: Accelerator) -> None:
    """One table look-up by hand; an unknown node is refused with a near name."""
    with pytest.raises(ConversionError, match="no node 'act4'; near are"):
        hybrid.simulator("act4")
    with hybrid.simulator("act3") as sim:
        sim.reset()
        sim.io.in_data_i, sim.io.in_valid_i, sim.io.out_ready_i = 7, 1, 1
        while not sim.io.out_valid_o:
            sim.clock.tick()
        table = hybrid.qmodel.graph.nodes["act3"].operation
        lanes = next(n.folding.outputs for n in hybrid.nodes if n.name == "act3")
        codes = [7] + [0] * (lanes - 1)
        wanted = table.reference(np.array(codes))
        assert sim.io.out_data_o == sum(int(v) << 8 * i for i, v in enumerate(wanted))
