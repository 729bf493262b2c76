"""Balanced folding: just fast enough, never illegal."""

from __future__ import annotations

import numpy as np
import pytest

from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, TensorType
from hyq_hls.stream import Folding
from hyq_hls.stream.choose import balance, fastest
from hyq_hls.stream.circuits import node_circuits
from hyq_hls.stream.flow import build_dataflow
from tests.stream.hls.conftest import BYTE, dense, small_graph
from tests.stream.hls.hybrid import hybrid_graph


@pytest.mark.parametrize("cycles", [None, 500, 1000, 10**6])
def test_every_node_is_fast_enough(cycles: int | None) -> None:
    graph = hybrid_graph()
    circuits = node_circuits(graph)
    flow = build_dataflow(graph, balance(circuits, cycles))
    assert flow.cycles_per_frame <= (cycles or max(fastest(circuits), -(-graph.macs() // 200)))


def test_more_time_takes_no_more_multipliers() -> None:
    graph = hybrid_graph()
    circuits = node_circuits(graph)

    def dsps(cycles: int) -> int:
        flow = build_dataflow(graph, balance(circuits, cycles))
        return sum(s.circuit.dsps(s.folding) for s in flow.operations)

    counts = [dsps(c) for c in (fastest(circuits), 600, 1000, 3000, 10**5)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_what_cannot_be() -> None:
    graph = small_graph()
    circuits = node_circuits(graph)
    limit = fastest(circuits)
    build_dataflow(graph, balance(circuits, limit))
    with pytest.raises(ConversionError, match=r": \w+ takes .* at its fastest folding"):
        balance(circuits, limit - 1)
    with pytest.raises(ConversionError, match="at least 1 is wanted"):
        balance(circuits, 0)


@pytest.mark.parametrize(("cycles", "chosen"), [(128, Folding(8, 4)), (256, Folding(4, 4))])
def test_of_equally_many_multipliers_the_simplest_words_win(cycles: int, chosen: Folding) -> None:
    """2 x 16 and 2 x 8 take as many DSP slices and are as fast, but they add wider rows."""
    graph = Graph("x", TensorType((4, 4, 16), BYTE))
    graph.add("dense", dense(np.random.default_rng(0), 16, 16), "x")
    circuits = node_circuits(graph)
    circuit = circuits["dense"]
    other = Folding(2, 16) if cycles == 128 else Folding(2, 8)
    assert circuit.dsps(other) == circuit.dsps(chosen)
    assert circuit.cycles(other) <= cycles
    assert balance(circuits, cycles) == {"dense": chosen}
