"""The generated C++ as text: directives of constant memories."""

from __future__ import annotations

from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.text import memory_directives
from tests.stream.hls.hybrid import hybrid_graph


def test_a_memory_has_a_directive_where_a_cycle_reads_several_entries() -> None:
    """Side by side for ``scale``, which has a weight per channel; at own addresses for ``act3``."""
    graph = hybrid_graph()
    assert list(memory_directives(build_dataflow(graph, {}))) == []
    foldings = {"act3": Folding(2, 2), "scale": Folding(4, 4), "grid": Folding(2, 2)}
    assert list(memory_directives(build_dataflow(graph, foldings))) == [
        "HYQ_ROM(act3_values)",
        "HYQ_RESHAPE(scale_weight, 2)",
        "HYQ_RESHAPE(scale_bias, 2)",
        "HYQ_RESHAPE(scale_requantize, 2)",
    ]
