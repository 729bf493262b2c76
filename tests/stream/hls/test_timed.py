"""The C++ with bounded queues and a clock: depths that suffice, depths that do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import ConversionError, SimulationError
from hyq_hls.graph import Graph, TensorType
from hyq_hls.ops import Conv2d, DepthwiseConv2d, GlobalAveragePool, Table
from hyq_hls.project_file import MARKER
from hyq_hls.stream.cost.plan import processes
from hyq_hls.stream.flow import Dataflow, build_dataflow
from hyq_hls.stream.flow.depths import safe_depths, safe_hls_depths, safe_hls_flow
from hyq_hls.stream.flow.sizing import fifo_bits
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.depths import latencies, size_hls_fifos
from hyq_hls.stream.hls.project import build_model
from hyq_hls.stream.hls.timed import TimedSimulation, compile_timed
from tests.golden.network import FOLDINGS, golden_graph
from tests.ops.examples import BYTE, requantize
from tests.stream.flow.test_build import random_foldings
from tests.stream.hls.conftest import small_graph
from tests.stream.hls.hybrid import hybrid_graph
from tests.stream.hls.test_csim import fan


def mixed_lanes(graph: Graph) -> dict[str, Folding]:
    return random_foldings(graph, np.random.default_rng(7))


#: Small networks with their lanes: every operation, every kind of join, forks of forks.
NETWORKS: dict[str, tuple[Callable[[], Graph], Callable[[Graph], dict[str, Folding]]]] = {
    "small": (small_graph, lambda _: {}),
    "golden": (golden_graph, lambda _: FOLDINGS),
    "fan": (lambda: fan(2, 4, 5, 9), lambda _: {}),
    "hybrid": (hybrid_graph, mixed_lanes),
}


@pytest.fixture(scope="module")
def compiled(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], tuple[Dataflow, TimedSimulation]]:
    """Network by name to its dataflow with analysed depths, and the simulation of its C++."""
    made: dict[str, tuple[Dataflow, TimedSimulation]] = {}

    def get(name: str) -> tuple[Dataflow, TimedSimulation]:
        if name not in made:
            graph, lanes = NETWORKS[name][0](), NETWORKS[name][1]
            flow = build_dataflow(graph, lanes(graph))
            flow = safe_hls_flow(flow)
            folder = tmp_path_factory.mktemp("timed") / "project"
            build_model(flow, folder, "top", "xc7z020clg400-1", 150).write()
            library = compile_timed(folder, "top")
            made[name] = flow, TimedSimulation.of_graph(library, graph)
        return made[name]

    return get


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_depths_by_analysis_and_by_simulation_suffice(
    name: str, compiled: Callable[[str], tuple[Dataflow, TimedSimulation]]
) -> None:
    """Whatever latencies the pipelines have; ``of_graph`` has compared the codes."""
    flow, simulation = compiled(name)
    written = {s: d for s, d in simulation.depths.items() if s in flow.depths}
    ports = {flow.source, flow.sink}
    assert written == {s: 2 if s in ports else d for s, d in flow.depths.items()}
    small, sizing = size_hls_fifos(flow, simulation)
    assert fifo_bits(small) == sizing.bits_after < sizing.bits_before == fifo_bits(flow)
    for seed in range(3, 6):
        for chosen in latencies(len(simulation.processes), seed):
            simulation.run(latency=chosen)
            simulation.run(depths=small.depths, latency=chosen)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small", "hybrid"])
def test_cycles_are_those_of_the_slowest_process(
    name: str, compiled: Callable[[str], tuple[Dataflow, TimedSimulation]]
) -> None:
    _, simulation = compiled(name)
    run = simulation.run(frames=8)
    slowest = max(simulation.processes.values())
    assert run.cycles_per_frame == slowest
    assert run.latency_cycles > slowest
    paced = simulation.run(frames=8, pace=2 * slowest)
    assert paced.cycles_per_frame == 2 * slowest


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_the_plan_knows_the_iterations_of_every_process(
    name: str, compiled: Callable[[str], tuple[Dataflow, TimedSimulation]]
) -> None:
    flow, simulation = compiled(name)
    planned = [p.iterations for stage in flow.stages for p in processes(flow, stage)]
    regions = {name.rpartition("/")[0] for name in simulation.processes}
    inner = {name: count for name, count in simulation.processes.items() if name not in regions}
    source, *found, sink = inner.values()
    names = [*inner][1:-1]
    wrong = [pair for pair in zip(names, found, planned, strict=True) if pair[1] != pair[2]]
    assert not wrong
    assert (source, sink) == (flow.streams[flow.source].beats, flow.streams[flow.sink].beats)


#: Streams of one word, each of another kind: the network, its stream, and who waits to write it.
TOO_SHORT = {
    "a way around a stage": ("small", "a_copy2", "fork<64>(a)"),
    "a way around an attention": ("hybrid", "tokens_copy2", "fork<64>(tokens)"),
    "behind a width converter": (
        "hybrid",
        "act1_copy2_x1",
        "convert_width<32>(act1_copy2)",
    ),
    "a join of a map and its tokens": (
        "hybrid",
        "residual1_copy2_x2",
        "convert_width<32>(residual1_copy2)",
    ),
    "inside a softmax": (
        "hybrid",
        "linear_softmax<softmax_uniform_config>(scores_copy2).codes",
        "linear_softmax<softmax_uniform_config>(scores_copy2)/softmax_maxima<CONFIG_T>(data)",
    ),
    "inside a LayerNorm": (
        "hybrid",
        "layer_norm<norm_config>(tokens_copy1).values",
        "layer_norm<norm_config>(tokens_copy1)/layer_norm_moments<CONFIG_T>(data)",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", TOO_SHORT)
def test_a_stream_that_is_too_short_is_named(
    kind: str, compiled: Callable[[str], tuple[Dataflow, TimedSimulation]]
) -> None:
    name, stream, writer = TOO_SHORT[kind]
    _, simulation = compiled(name)
    with pytest.raises(SimulationError, match="deadlock in frame 0") as caught:
        simulation.run(depths={stream: 1})
    message = str(caught.value)
    assert f"{writer} writes {stream}, which is full (depth 1)" in message
    assert stream in message.split("raise the depth of ")[1]


def chain_graph() -> Graph:
    """Windows, a table and sums of an odd map, one behind the other: no ways join."""
    rng = np.random.default_rng(0)
    graph, out = Graph("x", TensorType((5, 7, 3), BYTE)), requantize(rng, 6, 9)
    zeros, weight = out.quantization.zero_point, rng.integers(-128, 128, (6, 3, 3, 3))
    conv = Conv2d(weight, 8, rng.integers(-9999, 9999, 6), (1, 1), (1, 1), (128,), out)
    graph.add("conv", conv, "x")
    depthwise = DepthwiseConv2d(
        rng.integers(-8, 8, (6, 3, 3)), 4, np.zeros(6, int), (2, 1), (1, 1), zeros, requantize(rng)
    )
    graph.add("depthwise", depthwise, "conv")
    graph.add("table", Table(rng.integers(0, 256, 256), BYTE), "depthwise")
    graph.add("pool", GlobalAveragePool((128,), requantize(rng, 6, 4, dyadic=True)), "table")
    return graph


@pytest.mark.slow
def test_streams_of_two_words_suffice_where_no_ways_join(tmp_path: Path) -> None:
    """Frame behind frame, with any latencies. Windows wait for each other, so frames get slower."""
    graph = chain_graph()
    build_model(
        build_dataflow(graph, mixed_lanes(graph)), tmp_path, "top", "xc7z020clg400-1", 150
    ).write()
    simulation = TimedSimulation.of_graph(compile_timed(tmp_path, "top"), graph)
    depths = dict.fromkeys(simulation.depths, 2)
    for chosen in latencies(len(simulation.processes), 1):
        run = simulation.run(frames=4, depths=depths, latency=chosen)
        assert max(run.peaks.values()) == 2
        assert run.cycles_per_frame >= max(simulation.processes.values())


@pytest.mark.slow
def test_unknown_streams_and_depths(
    compiled: Callable[[str], tuple[Dataflow, TimedSimulation]],
) -> None:
    _, simulation = compiled("small")
    for depths in ({"nobody": 3}, {"a": 0}):
        with pytest.raises(ConversionError, match=rf"\['{next(iter(depths))}'\].*1 or more"):
            simulation.run(depths=depths)


@pytest.mark.slow
def test_a_project_is_sized_and_keeps_its_depths(copied: Accelerator) -> None:
    """In its C++, in its marker, and in what a new compilation reads from the C++."""
    before = copied.stream.hls_flow
    sizing = copied.size_hls_fifos()
    assert sizing.bits_after < sizing.bits_before == fifo_bits(before)
    again = Accelerator.open(copied.folder)
    depths = again.stream.hls_flow.depths
    assert depths == copied.stream.hls_flow.depths != before.depths
    assert again.flow.depths == copied.flow.depths, "those of the RTL stay"
    found = again.stream.timed_simulation(again.folder).depths
    inner = set(depths) - {again.flow.source, again.flow.sink}
    assert {name: found[name] for name in inner} == {name: depths[name] for name in inner}


@pytest.mark.slow
def test_the_analysis_leaves_room_for_pipelines() -> None:
    """Depths of the C++ are those of the RTL, and more where ways join."""
    graph = hybrid_graph()
    for seed in range(10):
        flow = build_dataflow(graph, random_foldings(graph, np.random.default_rng(seed)))
        rtl, hls = safe_depths(flow), safe_hls_depths(flow)
        assert rtl.keys() == hls.keys() == flow.streams.keys()
        more = {name for name in rtl if hls[name] > rtl[name]}
        assert all(hls[name] >= rtl[name] for name in rtl)
        joins = {s for stage in flow.operations if len(stage.inputs) > 1 for s in stage.inputs}
        assert more
        assert more <= joins


def test_convert_writes_depths_by_analysis_and_a_marker_keeps_them(tmp_path: Path) -> None:
    accelerator = convert(QuantizedModel(small_graph()), output_dir=tmp_path / "p")
    machine = accelerator.stream
    wanted = safe_hls_depths(machine.flow)
    assert machine.hls_flow.depths == wanted
    text = (accelerator.folder / "firmware/net.cpp").read_text()
    for name in set(wanted) - {machine.flow.source, machine.flow.sink}:
        assert f"HYQ_STREAM_DEPTH({name}, {wanted[name]})" in text
    marker = accelerator.folder / MARKER
    data = json.loads(marker.read_text())
    assert data["hls_depths"] == wanted
    other = {name: depth + 1 for name, depth in wanted.items()}
    marker.write_text(json.dumps(data | {"hls_depths": other}))
    opened = Accelerator.open(accelerator.folder).stream
    assert opened.hls_flow.depths == other
    assert replace(opened, hls_depths=None).hls_flow.depths == wanted
    assert opened.with_hls_depths(wanted).hls_flow.depths == wanted
