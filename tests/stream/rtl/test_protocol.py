"""AXI4-Stream seen by cocotbext-axi: its source and sink drive a generated network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import Table
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.rtl.plumbing import code_bytes
from hyq_hls.stream.rtl.project import MEMORY_DIR
from tests.stream.hls.conftest import expected, images, small_graph
from tests.stream.rtl.conftest import mixed_foldings, planned, stream_bytes, stream_codes, written
from verif.cocotb.protocol import Beat, ProtocolError, StreamRules

pytest.importorskip("cocotbext.axi", reason="pip install cocotb==2.1.0 cocotbext-axi==0.1.28")

from verif.cocotb.simulate import CocotbError, CocotbSimulation

#: Probabilities of a pause at the source and at the sink.
STALLS = [(0.0, 0.0), (0.3, 0.3), (0.9, 0.1), (0.1, 0.9)]


def simulation(flow: Dataflow, folder: Path) -> CocotbSimulation:
    parameters = {"MemoryDir": str(folder / MEMORY_DIR)}
    sources = sorted(folder.rglob("*.sv"))
    return CocotbSimulation(sources, "top", folder / "cocotb", parameters, ("-O0",))


def beats(flow: Dataflow) -> tuple[int, int]:
    return flow.streams[flow.source].beats, flow.streams[flow.sink].beats


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataflow, CocotbSimulation]:
    graph = small_graph()
    flow = planned(graph, mixed_foldings(graph))
    folder = tmp_path_factory.mktemp("protocol") / "small network"
    written(flow, folder)
    return flow, simulation(flow, folder)


@pytest.mark.slow
@pytest.mark.parametrize(("idle", "backpressure"), STALLS)
def test_codes_and_protocol_under_pauses(
    network: tuple[Dataflow, CocotbSimulation], idle: float, backpressure: float
) -> None:
    flow, simulated = network
    pixels = images(5, seed=int(100 * idle + backpressure))
    frames = stream_bytes(pixels.reshape(5, -1).astype(np.int64), 1)
    found = simulated.frames(
        frames, beats(flow), 50 * flow.cycles_per_frame, idle=idle, backpressure=backpressure
    )
    wanted = expected(flow.graph, pixels)
    tensor = flow.graph.output_type
    codes = stream_codes(found, code_bytes(tensor), tensor.quantization.signed)
    assert np.array_equal(codes, wanted.reshape(5, -1))


@pytest.mark.parametrize(("signed", "size"), [(True, 1), (False, 1), (True, 2), (False, 2)])
def test_bytes_of_codes(signed: bool, size: int) -> None:
    q = Quantization(8 * size, signed)
    codes = np.array([[q.qmin, -1 if signed else 5, 0], [1, q.qmax, q.qmax - 1]])
    assert np.array_equal(stream_codes(stream_bytes(codes, size), size, signed), codes)


# What the rules have to find: cycles as (valid, ready, data, last), frames of two beats.
BROKEN = {
    "tvalid fell": [(1, 0, 7, 0), (0, 0, 7, 0)],
    "tdata changed": [(1, 0, 7, 0), (1, 1, 8, 0)],
    "tlast changed": [(1, 1, 7, 0), (1, 0, 8, 1), (1, 1, 8, 0)],
    "tlast is 1 with beat 0 of a frame of 2": [(1, 1, 7, 0), (1, 1, 8, 1), (1, 1, 9, 1)],
    "tlast is 0 with beat 1 of a frame of 2": [(1, 1, 7, 0), (0, 1, 8, 1), (1, 0, 8, 0)],
}


@pytest.mark.parametrize("message", BROKEN)
def test_rules_see_every_error(message: str) -> None:
    *before, error = (Beat(bool(v), bool(r), d, bool(t)) for v, r, d, t in BROKEN[message])
    rules = StreamRules("m_axis", 2)
    for beat in before:
        rules.observe(beat)
    with pytest.raises(ProtocolError, match=f"m_axis: {message}"):
        rules.observe(error)


# One design with errors that can be switched on, each only while a beat waits.
FAULTS = {
    "fall": "tvalid fell",
    "change": "tdata changed",
    "early": "tlast is 1",
    "lose": "Timeout",
}
FAULTY = {
    "assign m_axis_tvalid = in_valid_i;": """\
  logic fall, change, early, lose, waited_q, last_beat, first_q;
  initial begin
    fall = $test$plusargs("fall") != 0;
    change = $test$plusargs("change") != 0;
    early = $test$plusargs("early") != 0;
    lose = $test$plusargs("lose") != 0;
  end
  always_ff @(posedge clk_i) waited_q <= m_axis_tvalid && !m_axis_tready;
  assign m_axis_tvalid = in_valid_i && !(fall && waited_q) && !(lose && m_axis_tlast);""",
    "assign code = in_data_i[lane*Bits +: Bits];": (
        "assign code = in_data_i[lane*Bits +: Bits] ^ Bits'(change && waited_q);"
    ),
    ".last_o(m_axis_tlast)\n  );": """\
.last_o(last_beat)
  );
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) first_q <= 1'b1;
    else if (m_axis_tvalid && m_axis_tready) first_q <= last_beat;
  end
  assign m_axis_tlast = early ? first_q : last_beat;""",
    # The module's own assertion would stop the simulation before a monitor sees anything.
    ".valid_i(m_axis_tvalid), .ready_i(m_axis_tready)": ".valid_i(1'b0), .ready_i(1'b1)",
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataflow, CocotbSimulation]:
    graph = Graph("x", TensorType((3, 4), Quantization(8, False)))
    graph.add("invert", Table(np.arange(255, -1, -1), Quantization(8, False)), "x")
    flow = planned(graph)
    folder = tmp_path_factory.mktemp("protocol") / "faulty"
    written(flow, folder)
    port = folder / "hyq" / "hyq_axis_output.sv"
    text = port.read_text()
    for right, wrong in FAULTY.items():
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    port.write_text(text)
    return flow, simulation(flow, folder)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_the_monitors_are_connected(
    faulty: tuple[Dataflow, CocotbSimulation], fault: str | None
) -> None:
    flow, simulated = faulty
    frames = np.arange(24, dtype=np.uint8).reshape(2, 12)
    plusargs = [f"+{fault}"] if fault else []
    options: dict[str, Any] = {"backpressure": 0.5, "plusargs": plusargs}
    if fault is None:
        assert np.array_equal(simulated.frames(frames, beats(flow), 1000, **options), 255 - frames)
        return
    with pytest.raises(CocotbError, match=FAULTS[fault]):
        simulated.frames(frames, beats(flow), 1000, **options)
