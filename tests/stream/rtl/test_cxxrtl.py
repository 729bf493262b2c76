"""A whole network in a second simulator: Yosys' CXXRTL computes what Verilator and numpy do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.rtl.plumbing import code_bytes
from hyq_hls.tools.verilator.compiler import Log, compiler
from hyq_hls.tools.yosys import read_rtl, run_yosys, yosys_share
from tests.ops.harness import random_codes, reference
from tests.stream.hls.hybrid import hybrid_graph
from tests.stream.rtl.conftest import (
    Codes,
    mixed_foldings,
    planned,
    stream_bytes,
    stream_codes,
    written,
)

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).resolve().parents[3] / "verif" / "cxxrtl_driver.cpp"


def build(folder: Path) -> Path:
    """The program of the project ``top`` in ``folder``."""
    commands = [*read_rtl(folder, "top"), "proc", "opt_clean", "write_cxxrtl -O6 -g0 design.cc"]
    run_yosys(commands, folder / "yosys.log", folder)
    runtime = yosys_share() / "include" / "backends" / "cxxrtl" / "runtime"
    # Optimization would take minutes, and the frames take seconds without it.
    flags = ["-std=c++14", "-O0", f'-DDESIGN="{folder / "design.cc"}"', "-isystem", str(runtime)]
    log, program = Log(folder / "g++.log"), folder / "simulation"
    log.run([compiler(), *flags, DRIVER, "-o", program])
    return program


def simulate(
    program: Path, flow: Dataflow, codes: Codes, idle: float, backpressure: float
) -> Codes:
    """Output codes (B, codes); the program checks the protocol."""
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    arguments = [len(codes), source.beats, sink.beats, idle, backpressure, 7]
    data = stream_bytes(codes.reshape(len(codes), -1), code_bytes(source.type)).tobytes()
    command = [str(a) for a in (program, *arguments)]
    result = subprocess.run(command, input=data, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    frames = np.frombuffer(result.stdout, np.uint8).reshape(len(codes), -1)
    return stream_codes(frames, code_bytes(sink.type), sink.type.quantization.signed)


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataflow, Path]:
    """Every operation, with random foldings of few lanes, because g++ reads all of the netlist."""
    graph = hybrid_graph()
    flow = planned(graph, mixed_foldings(graph, seed=3, most=2))
    folder = tmp_path_factory.mktemp("cxxrtl")
    written(flow, folder)
    return flow, build(folder)


@pytest.mark.parametrize(("idle", "backpressure"), [(0.0, 0.0), (0.3, 0.3)])
def test_same_codes_in_a_second_simulator(
    hybrid: tuple[Dataflow, Path], idle: float, backpressure: float
) -> None:
    flow, program = hybrid
    random, _, largest = random_codes(flow.graph.input_type, np.random.default_rng(5), samples=1)
    codes = np.stack([random, largest])
    wanted = reference(flow.graph, codes).reshape(len(codes), -1)
    assert np.array_equal(simulate(program, flow, codes, idle, backpressure), wanted)


def test_the_driver_refuses_wrong_frames(hybrid: tuple[Dataflow, Path]) -> None:
    """Its checks are alive: half a frame of output is not TLAST's place, bytes must be whole."""
    flow, program = hybrid
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    for beats, size, message in (
        ((source.beats, sink.beats + 1), source.beats * source.lanes, b"m_axis_tlast"),
        ((source.beats - 1, sink.beats), (source.beats - 1) * source.lanes, b"frame_errors"),
        ((source.beats, sink.beats), 5, b"the input has 5 bytes"),
    ):
        command = [str(a) for a in (program, 1, *beats, 0, 0, 1)]
        result = subprocess.run(command, input=bytes(size), capture_output=True, check=False)
        assert result.returncode == 1
        assert message in result.stderr
