"""One operation in a graph of its own: reference, emulation, C++ and RTL on the same codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph import Graph, Operation, Quantization, TensorType
from hyq_hls.graph.file import load, save
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import OPERATIONS, Dense
from hyq_hls.stream.circuits import circuit_of, node_circuits
from hyq_hls.stream.cosimulation import build_rtl
from hyq_hls.stream.flow import Dataflow, OperationStage, build_dataflow
from hyq_hls.stream.flow.depths import safe_depths
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.csim import CSimulation
from hyq_hls.stream.hls.project import build_model
from hyq_hls.stream.rtl import write_rtl
from hyq_hls.tools.verilator import RtlSimulation, RunResult
from tests.ahead import quick_project

#: Small test projects compile faster than they would run faster.
FAST_COMPILE = ("-O1",)
BIT_ACCURATE = (*FAST_COMPILE, "-DHYQ_BIT_ACCURATE")


def random_codes(
    tensor: TensorType, rng: np.random.Generator, samples: int = 4
) -> NDArray[np.int64]:
    r"""Codes (samples + 2, \*shape): random ones, then all smallest, then all largest."""
    q = tensor.quantization
    codes = rng.integers(q.qmin, q.qmax + 1, (samples + 2, *tensor.shape))
    codes[-2], codes[-1] = q.qmin, q.qmax
    return codes


def run_csim(
    graph: Graph,
    codes: NDArray[np.int64],
    folder: Path,
    flags: tuple[str, ...] = FAST_COMPILE,
    foldings: Mapping[str, Folding] | None = None,
) -> NDArray[np.int64]:
    """Output codes of the compiled C++ of a whole graph."""
    build_model(
        build_dataflow(graph, foldings or {}), folder, "top", "xc7z020clg400-1", 150
    ).write()
    library = quick_project(folder, "top", flags)
    return CSimulation(library, graph.input_type, graph.output_type, {}).predict(codes)


def rtl_simulation(flow: Dataflow, folder: Path) -> RtlSimulation:
    """The Verilated RTL of ``flow``, built without much optimization."""
    write_rtl(flow, folder, "top")
    return build_rtl(flow, folder, "top", flags=("-O0",))


def run_rtl(
    graph: Graph,
    codes: NDArray[np.int64],
    folder: Path,
    foldings: Mapping[str, Folding] | None = None,
    circuits: Mapping[str, str] | None = None,
    *,
    idle: float = 0.0,
    backpressure: float = 0.0,
    seed: int = 0,
) -> RunResult:
    """Run the RTL of a whole graph; ``RtlSimulation.run`` explains the last three."""
    flow = build_dataflow(graph, foldings or {}, node_circuits(graph, circuits))
    simulation = rtl_simulation(flow.with_depths(safe_depths(flow)), folder)
    flat = codes.reshape(len(codes), -1)
    return simulation.run(flat, idle=idle, backpressure=backpressure, seed=seed)


def check_rtl(
    graph: Graph,
    rng: np.random.Generator,
    folder: Path,
    foldings: Mapping[str, Folding] | None = None,
    samples: int = 4,
    circuits: Mapping[str, str] | None = None,
) -> None:
    """RTL == reference, with and without stalls; cycles and latency of the last node are exact.

    Nodes before the last one must feed it as fast as it can take; by default they do (all lanes).
    """
    chosen = {name: widest_folding(graph, name) for name in graph.nodes} | dict(foldings or {})
    flow = build_dataflow(graph, chosen, node_circuits(graph, circuits))
    flow = flow.with_depths(safe_depths(flow))
    simulation = rtl_simulation(flow, folder)
    codes = random_codes(graph.input_type, rng, samples)
    wanted = reference(graph, codes).reshape(len(codes), -1)
    flat = codes.reshape(len(codes), -1)
    result = simulation.run(flat)
    assert np.array_equal(result.outputs, wanted)
    check_timing(flow, result)
    for idle, backpressure, seed in ((0.5, 0.0, 1), (0.0, 0.5, 2), (0.3, 0.3, 3)):
        stalled = simulation.run(flat, idle=idle, backpressure=backpressure, seed=seed)
        assert np.array_equal(stalled.outputs, wanted), (idle, backpressure)
    # A frame that was cut by a reset leaves nothing behind.
    again = simulation.run(flat, reset_after=int(rng.integers(1, result.latency_cycles + 2)))
    assert np.array_equal(again.outputs, wanted)


def check_timing(flow: Dataflow, result: RunResult) -> None:
    """The last node's ``cycles`` and ``latency`` are what the simulation measured."""
    stage = flow.operations[-1]
    assert isinstance(stage, OperationStage)
    streams = {s.name: s for s in result.streams}
    written = streams[stage.outputs[0]]
    first = min(streams[s].first_read[0] for s in stage.inputs)
    latency = stage.circuit.latency(stage.folding)
    assert written.last_write[0] - first == latency
    assert written.last_write[-1] - written.last_write[-2] == stage.cycles


def widest_folding(graph: Graph, name: str) -> Folding:
    """All lanes."""
    node = graph.nodes[name]
    legal = circuit_of(node.operation, *graph.input_types(node)).foldings
    return max(legal, key=lambda f: f.outputs * f.inputs)


def reference(graph: Graph, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Output codes of the reference."""
    return dict(graph.reference(codes))[graph.output_name]


def several_inputs(
    operation: Operation, types: Sequence[TensorType], rng: np.random.Generator
) -> Graph:
    """A graph that feeds ``operation`` with inputs of the given types.

    A graph has one input, so each operand is made from it by a random dense layer (operands must
    therefore agree in all but the last axis).
    """
    source = TensorType((*types[0].shape[:-1], 4), Quantization(8, True))
    graph = Graph("x", source)
    for i, t in enumerate(types):
        graph.add(f"operand{i}", dense_to(t, source.channels, rng), "x")
    graph.add("op", operation, *(f"operand{i}" for i in range(len(types))))
    return graph


def dense_to(tensor: TensorType, in_channels: int, rng: np.random.Generator) -> Dense:
    """A random dense layer whose output spreads over all codes of an affine ``tensor``."""
    weight = rng.integers(-128, 128, (tensor.channels, in_channels))
    shift = np.array([max(0, 15 + in_channels.bit_length() - tensor.quantization.bits - 1)])
    requantize = Requantize(tensor.quantization, shift, np.array([1]))
    return Dense(weight, 8, rng.integers(-999, 1000, tensor.channels), requantize)


def saved_and_loaded(graph: Graph, folder: Path) -> Graph:
    """The graph after a round trip through its file format."""
    return load(save(graph, folder / "graph.hyq"), OPERATIONS)
