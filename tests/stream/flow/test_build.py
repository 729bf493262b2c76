"""From a graph and a folding to stages and streams."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyq_hls import ops
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph
from hyq_hls.graph.requantize import Requantize
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.flow import ForkStage, OperationStage, WidthConverterStage, build_dataflow
from hyq_hls.stream.flow.depths import safe_depths
from hyq_hls.stream.flow.sizing import FifoSizing, shrunk_depths
from hyq_hls.stream.folding import Folding
from tests.ops.examples import BYTE, MAP
from tests.stream.hls.conftest import small_graph
from tests.stream.hls.hybrid import hybrid_graph


def random_foldings(graph: Graph, rng: np.random.Generator) -> dict[str, Folding]:
    """Any legal folding of every node."""
    chosen = {}
    for node in graph.nodes.values():
        legal = circuit_of(node.operation, *graph.input_types(node)).foldings
        chosen[node.name] = legal[rng.integers(len(legal))]
    return chosen


@pytest.mark.slow
@given(seed=st.integers(0, 1 << 30))
@settings(max_examples=30, deadline=None)
def test_streams_fit_their_stages(seed: int) -> None:
    """Every stream has one writer and one reader, both of its lanes; nothing is left over."""
    graph = hybrid_graph()
    flow = build_dataflow(graph, random_foldings(graph, np.random.default_rng(seed)))
    written = [flow.source, *(s for stage in flow.stages for s in stage.outputs)]
    read = [flow.sink, *(s for stage in flow.stages for s in stage.inputs)]
    assert sorted(written) == sorted(read) == sorted(flow.streams)
    known = {flow.source}
    for stage in flow.stages:
        assert known.issuperset(stage.inputs), "topological order"
        known.update(stage.outputs)
        before = [flow.streams[s] for s in stage.inputs]
        after = [flow.streams[s] for s in stage.outputs]
        if isinstance(stage, OperationStage):
            lanes = stage.circuit.input_lanes(stage.folding)
            assert tuple(s.lanes for s in before) == lanes
            assert [s.lanes for s in after] == [stage.folding.outputs]
            assert [s.tensor for s in before] == list(stage.node.inputs)
        elif isinstance(stage, ForkStage):
            assert {s.lanes for s in after} == {before[0].lanes}
            assert 2 <= len(after) <= 4
        else:
            assert isinstance(stage, WidthConverterStage)
            low, high = sorted((before[0].lanes, after[0].lanes))
            assert low < high
            assert high % low == 0
    assert [s.node.name for s in flow.operations] == list(graph.nodes)


def test_many_readers_take_a_chain_of_forks() -> None:
    graph = Graph("x", MAP)
    copy = ops.Table(np.arange(256), BYTE)
    graph.add("source", copy, "x")
    names = [graph.add(f"reader{i}", copy, "source").name for i in range(6)]
    requantize = Requantize(BYTE, np.array([1]), np.array([1]))
    while len(names) > 1:
        total = ops.Add((np.array([1]), np.array([1])), ((128,), (128,)), requantize)
        names.append(graph.add(f"sum{len(names)}_{names[0]}", total, *names[:2]).name)
        del names[:2]
    forks = [s for s in build_dataflow(graph, {}).stages if isinstance(s, ForkStage)]
    assert [len(f.outputs) for f in forks] == [4, 3]


def test_lanes_without_a_common_multiple_meet_at_their_divisor() -> None:
    graph = Graph("x", type(MAP)((2, 2, 12), BYTE))
    graph.add("a", ops.Table(np.arange(256), BYTE), "x")
    graph.add("b", ops.Table(np.arange(256), BYTE), "a")
    flow = build_dataflow(graph, {"a": Folding(4, 4), "b": Folding(6, 6)})
    converters = [s for s in flow.stages if isinstance(s, WidthConverterStage)]
    lanes = [[flow.streams[s].lanes for s in (*c.inputs, *c.outputs)] for c in converters]
    assert lanes == [[4, 2], [2, 6]]
    assert flow.cycles(converters[0]) == 4 * 12 // 2


@pytest.mark.parametrize(
    ("foldings", "message"),
    [
        ({"nobody": Folding()}, r"unknown nodes \['nobody'\]"),
        ({"a": Folding(3, 1)}, r"a: folding 3 x 1 .* does not divide this dense; legal are 1 x 1"),
        ({"c": Folding(2, 4)}, "c: folding 2 x 4"),
    ],
)
def test_bad_foldings(foldings: dict[str, Folding], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        build_dataflow(small_graph(), foldings)


def test_depths() -> None:
    flow = build_dataflow(small_graph(), {})
    safe = safe_depths(flow)
    assert set(safe) == set(flow.streams)
    (join,) = [s for s in flow.operations if s.node.name == "c"]
    beats = [flow.streams[s].beats for s in join.inputs]
    assert [safe[s] >= b for s, b in zip(join.inputs, beats, strict=True)] == [True, True]
    deep = flow.with_depths(safe)
    assert {n: s.depth for n, s in deep.streams.items()} == safe
    with pytest.raises(ConversionError, match="one depth for every stream"):
        flow.with_depths({"a": 4})
    with pytest.raises(ConversionError, match="a: a depth of 1 or more is wanted, found 0"):
        flow.with_depths({**safe, "a": 0})


def test_shrinking() -> None:
    flow = build_dataflow(small_graph(), {})
    deep = flow.with_depths(dict.fromkeys(flow.streams, 100))
    occupancy = {name: i for i, name in enumerate(flow.streams)}
    depths = shrunk_depths(deep, occupancy)
    for name, waited in occupancy.items():
        assert waited <= depths[name] <= 100
    assert set(shrunk_depths(deep, dict.fromkeys(flow.streams, 200)).values()) == {100}
    sizing = FifoSizing.of(deep, deep.with_depths(depths), (10, 11))
    assert sizing.words_before == 100 * len(flow.streams)
    assert sizing.words_after == sum(depths.values())
    assert "saved" in str(sizing)


def test_a_shortcut_holds_more_the_longer_the_other_path_is() -> None:
    def shortcut(length: int) -> int:
        graph = Graph("x", MAP)
        copy = ops.Table(np.arange(256), BYTE)
        names = [graph.add("first", copy, "x").name]
        for index in range(length):
            names.append(graph.add(f"path{index}", copy, names[-1]).name)
        requantize = Requantize(BYTE, np.array([1]), np.array([1]))
        total = ops.Add((np.array([1]), np.array([1])), ((128,), (128,)), requantize)
        graph.add("sum", total, names[-1], "first")
        flow = build_dataflow(graph, {})
        (join,) = [s for s in flow.operations if s.node.name == "sum"]
        return safe_depths(flow)[join.inputs[1]]

    depths = [shortcut(length) for length in (1, 2, 4, 8)]
    assert depths == sorted(set(depths)), "every stage of the longer path keeps some words"
    assert depths[0] > MAP.size


def test_a_map_waits_for_its_gate_about_two_frames() -> None:
    """A vector comes once per frame: the stages on its way hold no frames of the map."""

    def waiting(length: int) -> int:
        graph = Graph("x", MAP)
        copy = ops.Table(np.arange(256), BYTE)
        graph.add("map", copy, "x")
        mean = Requantize(BYTE, np.array([1]), np.array([1]))
        names = [graph.add("pool", ops.GlobalAveragePool((128,), mean), "map").name]
        for index in range(length):
            names.append(graph.add(f"gate{index}", copy, names[-1]).name)
        graph.add("gated", ops.Multiply(((128,), (128,)), mean), "map", names[-1])
        flow = build_dataflow(graph, {})
        (join,) = [s for s in flow.operations if s.node.name == "gated"]
        return safe_depths(flow)[join.inputs[0]]

    assert 2 * MAP.size <= waiting(0) < waiting(6) < 3.5 * MAP.size
