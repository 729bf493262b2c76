"""Yosys reads every module and synthesizes it to a netlist that computes the same codes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.errors import CompilationError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import (
    OPERATIONS,
    Add,
    Dense,
    LinearSoftmax,
    RequantizeTensor,
    Table,
    TableSoftmax,
)
from hyq_hls.stream.cosimulation import stream_format
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.rtl.modules import module_file, needed_modules
from hyq_hls.stream.rtl.top import modules_of
from hyq_hls.support import template_dir
from hyq_hls.tools.verilator import RtlSimulation, build_cosimulation
from hyq_hls.tools.yosys import read_rtl, run_yosys, yosys_share
from tests.ops.examples import BYTE, example_graph, requantize
from tests.ops.harness import random_codes, reference, widest_folding
from tests.stream.rtl.conftest import mixed_foldings, planned, written

#: What Verilator says about Yosys' models of the cells is not ours to mend; a carry chain looks
#: like a loop because CARRY4 computes a vector from itself.
CELL_MODELS = ("-Wno-lint", "-Wno-SPECIFYIGN", "-Wno-INITIALDLY", "-Wno-UNOPTFLAT", "-Wno-COMBDLY")
FOLDINGS = ("narrowest", "widest", "mixed")


def folded(graph: Graph, kind: str) -> dict[str, Folding]:
    if kind == "widest":
        return {name: widest_folding(graph, name) for name in graph.nodes}
    return mixed_foldings(graph) if kind == "mixed" else {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FOLDINGS)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_modules_elaborate(name: str, kind: str, tmp_path: Path) -> None:
    graph = example_graph(name, np.random.default_rng(0))
    written(planned(graph, folded(graph, kind)), tmp_path)
    commands = [
        *read_rtl(tmp_path, "top"),
        "proc",
        "check -assert",  # no loop without a register, no wire with two drivers or none
        "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr t:$sr",
        "select -assert-min 1 t:$dff t:$dffe t:$aldff t:$adff",
    ]
    run_yosys(commands, tmp_path / "yosys.log", tmp_path)


def test_every_module_is_elaborated() -> None:
    found: set[str] = set()
    for name in sorted(OPERATIONS):
        graph = example_graph(name, np.random.default_rng(0))
        for kind in FOLDINGS:
            found |= set(needed_modules(modules_of(planned(graph, folded(graph, kind)))))
    assert found == {path.stem for path in template_dir("rtl_templates").glob("*.sv")}


Example = tuple[Graph, dict[str, Folding]]


def pointwise() -> Example:
    """A fork, a table, a requantization per channel, and an addition that reads both."""
    rng = np.random.default_rng(0)
    graph = Graph("x", TensorType((2, 3, 4), BYTE))
    graph.add("table", Table(rng.integers(0, 256, 256), BYTE), "x")
    graph.add("requantize", RequantizeTensor((128,), requantize(rng, 4, 1)), "x")
    zeros = (128,), graph.type("requantize").quantization.zero_point
    multipliers = rng.integers(1, 9, 4), rng.integers(1, 9, 1)
    graph.add("sum", Add(multipliers, zeros, requantize(rng, 4, 2)), "table", "requantize")
    return graph, {"table": Folding(2, 2), "requantize": Folding(1, 1), "sum": Folding(1, 1)}


def dense(weight_bits: int) -> Example:
    """Two by two products in a cycle."""
    rng = np.random.default_rng(0)
    graph = Graph("x", TensorType((3, 4), BYTE))
    weight = rng.integers(-(1 << (weight_bits - 1)), 1 << (weight_bits - 1), (2, 4))
    bias = rng.integers(-99, 100, 2)
    operation = Dense(weight, weight_bits, bias, requantize(rng, 2, weight_bits))
    graph.add("dense", operation, "x")
    return graph, {"dense": Folding(2, 2)}


def softmax() -> Example:
    """Rows of three codes, with a divider."""
    graph = Graph("x", TensorType((4, 3), Quantization(4, True)))
    graph.add("softmax", LinearSoftmax(1, 8, 4, "uniform"), "x")
    return graph, {"softmax": Folding(1, 1)}


def table_softmax() -> Example:
    """A table in LUTs, and a normalizer in each of two lanes."""
    graph = Graph("x", TensorType((4, 4), Quantization(7, False)))
    table = np.rint(np.exp2(9 - np.arange(128) / 8)).astype(np.int64)
    graph.add("softmax", TableSoftmax(table, 4, "log2_rounded"), "x")
    return graph, {"softmax": Folding(2, 2)}


def synthesized(folder: Path, *options: str) -> Path:
    """Netlist of xc7 cells of the project ``top``; memories have become cells too."""
    synth = " ".join(["synth_xilinx -family xc7 -flatten -noiopad", *options, "-top top"])
    commands = [*read_rtl(folder, "top"), synth, "check -mapped -assert"]
    netlist = folder / "netlist.v"
    run_yosys([*commands, f"write_verilog -noattr {netlist.name}"], folder / "yosys.log", folder)
    return netlist


NETLISTS: dict[str, tuple[Callable[[], Example], str]] = {
    "pointwise": (pointwise, "-nodsp"),
    "dense": (lambda: dense(3), "-nodsp"),
    "dense in DSP blocks": (lambda: dense(8), ""),
    "softmax": (softmax, "-nodsp"),
    "table softmax": (table_softmax, "-nodsp"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NETLISTS)
def test_netlist_computes_the_same_codes(name: str, tmp_path: Path) -> None:
    make, option = NETLISTS[name]
    graph, foldings = make()
    flow = planned(graph, foldings)
    written(flow, tmp_path)
    netlist = synthesized(tmp_path, option)
    assert ("DSP48E1 #(" in netlist.read_text()) == (option != "-nodsp")
    cells = yosys_share() / "xilinx" / "cells_sim.v"
    library = build_cosimulation(
        [netlist, cells], "top", tmp_path / "build", flags=("-O0",), verilator_flags=CELL_MODELS
    )
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    simulation = RtlSimulation(library, stream_format(source), stream_format(sink))
    codes = random_codes(graph.input_type, np.random.default_rng(1), 6)
    wanted = reference(graph, codes).reshape(len(codes), -1)
    for idle, backpressure in ((0.0, 0.0), (0.4, 0.4)):
        result = simulation.run(
            codes.reshape(len(codes), -1), idle=idle, backpressure=backpressure, statistics=False
        )
        assert np.array_equal(result.outputs, wanted)


def write_table(folder: Path) -> None:
    written(planned(example_graph("table", np.random.default_rng(0))), folder)


@pytest.mark.slow
def test_a_pass_that_fails_shows_the_end_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "yosys.log"
    with pytest.raises(CompilationError, match=r"yosys\.log:[\s\S]*No such command: frobnicate"):
        run_yosys(["frobnicate"], log, tmp_path)
    assert "frobnicate" in log.read_text()


@pytest.mark.slow
def test_broken_rtl_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path)
    module = tmp_path / "hyq" / "hyq_table.sv"
    module.write_text(module_file("hyq_table").read_text().replace("endmodule", "endmodul"))
    with pytest.raises(CompilationError, match="Yosys failed"):
        run_yosys(read_rtl(tmp_path, "top"), tmp_path / "log", tmp_path)


@pytest.mark.slow
def test_missing_memory_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path)
    for path in (tmp_path / "memory").iterdir():
        path.unlink()
    with pytest.raises(CompilationError, match=r"_values\.mem"):
        run_yosys(read_rtl(tmp_path, "top"), tmp_path / "log", tmp_path)


def test_a_folder_without_the_project(tmp_path: Path) -> None:
    with pytest.raises(CompilationError, match=r"other\.sv does not exist"):
        read_rtl(tmp_path, "other")


def test_without_pyosys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("hyq_hls.tools.yosys.run.find_spec", lambda _: None)
    with pytest.raises(CompilationError, match=r"pip install pyosys==0\.70"):
        run_yosys(["stat"], tmp_path / "log", tmp_path)
