"""The engine in front of a DRAM and a host that others wrote: those of cocotbext-axi."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.cosim import Image
from hyq_hls.engine.cosim.run import CYCLES, STATUS, register_writes
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import predict
from hyq_hls.engine.project import wrapper_v
from hyq_hls.engine.rtl import TOP, module_sources, rtl_folders
from tests.golden.network import golden_graph

pytest.importorskip("cocotbext.axi", reason="pip install cocotb==2.1.0 cocotbext-axi==0.1.28")

from verif.cocotb.simulate import CocotbSimulation

SIZES = Sizes(pixels=2, feature_words=1024, weight_words=256, parameter_groups=16)
IMAGE = np.arange(48).reshape(4, 4, 3) * 5 % 256
#: An AXI4 memory wants the names of transfers, which are all the same here.
_NAMES = """\
  output wire m_axi_arid,
  output wire m_axi_awid,
  input  wire m_axi_rid,
  input  wire m_axi_bid,
"""
_SAME = """\
  assign m_axi_arid = 1'b0;
  assign m_axi_awid = 1'b0;

endmodule
"""


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> CocotbSimulation:
    folder = tmp_path_factory.mktemp("engine")
    text = wrapper_v(SIZES, "top").replace("module top (\n", f"module top (\n{_NAMES}")
    top = folder / "top.v"
    top.write_text(text.replace("endmodule\n", _SAME))
    sources: list[Path] = [*module_sources([TOP], rtl_folders()), top]
    ports = ("clk_i", "rst_ni", "interrupt_o", "s_axi_*", "m_axi_*")
    return CocotbSimulation(sources, "top", folder / "cocotb", {}, ("-O0",), ports)


@pytest.mark.slow
@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_a_frame(simulation: CocotbSimulation, stall: float) -> None:
    graph = golden_graph()
    program = compile_graph(graph, SIZES)
    image = Image.of(program, IMAGE)
    # The memory begins with address 0, and has a power of two of bytes.
    memory = np.zeros(1 << (image.data.size - 1).bit_length(), np.uint8)
    memory[: image.data.size] = image.data
    found = simulation.program(
        memory,
        register_writes(image, origin=0),
        {"status": STATUS, "cycles": CYCLES},
        20 * predict(program).cycles,
        stall=stall,
    )
    assert found["status"] == 0
    start = image.part("output").address - image.origin
    output = found["memory"][start : start + program.output.size]
    expected = dict(graph.reference(IMAGE[None]))[graph.output_name][0]
    assert np.array_equal(program.output.unpack(output), expected)
    for part in image.parts:
        if not part.writable:
            at = part.address - image.origin
            assert np.array_equal(found["memory"][at : at + part.size], image.bytes_of(part.name))
