"""Balanced folding: just fast enough, never illegal."""

from __future__ import annotations

import pytest

from hyq_hls.errors import ConversionError
from hyq_hls.stream.choose import balance, fastest
from hyq_hls.stream.flow import build_dataflow
from tests.stream.hls.conftest import small_graph
from tests.stream.hls.hybrid import hybrid_graph


@pytest.mark.parametrize("cycles", [None, 500, 1000, 10**6])
def test_every_node_is_fast_enough(cycles: int | None) -> None:
    graph = hybrid_graph()
    flow = build_dataflow(graph, balance(graph, cycles))
    assert flow.cycles_per_frame <= (cycles or max(fastest(graph), -(-graph.macs() // 200)))


def test_more_time_takes_no_more_multipliers() -> None:
    graph = hybrid_graph()

    def dsps(cycles: int) -> int:
        flow = build_dataflow(graph, balance(graph, cycles))
        return sum(s.node.operation.dsps(s.folding, *s.types) for s in flow.operations)

    counts = [dsps(c) for c in (fastest(graph), 600, 1000, 3000, 10**5)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_what_cannot_be() -> None:
    graph = small_graph()
    limit = fastest(graph)
    build_dataflow(graph, balance(graph, limit))
    with pytest.raises(ConversionError, match=r": \w+ takes .* at its fastest folding"):
        balance(graph, limit - 1)
    with pytest.raises(ConversionError, match="at least 1 is wanted"):
        balance(graph, 0)
