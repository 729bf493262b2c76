"""The generated C++ as text: directives of constant memories and FIFOs."""

from __future__ import annotations

from textwrap import wrap

import numpy as np
import pytest

from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import Table
from hyq_hls.stream.arguments import Rom
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.text import fifo_directives, memory, memory_directives
from tests.stream.hls.hybrid import hybrid_graph

#: They are more than 1,024 bits, which the tool would put into block RAM.
IN_LUTS = ("act3_values", "softmax_table_exponentials", "n_context_exponential", "embedding_bias")
BOUND = [f"HYQ_LUT_ROM({name})" for name in IN_LUTS]


def test_a_memory_has_a_directive_where_the_tool_would_do_otherwise() -> None:
    """Side by side for ``scale``, which has a weight per channel."""
    graph = hybrid_graph()
    assert list(memory_directives(build_dataflow(graph, {}))) == BOUND
    foldings = {"act3": Folding(2, 2), "scale": Folding(4, 4), "grid": Folding(2, 2)}
    found = list(memory_directives(build_dataflow(graph, foldings)))
    assert [line for line in found if "HYQ_RESHAPE" not in line] == BOUND
    assert [line for line in found if "HYQ_RESHAPE" in line] == [
        "HYQ_RESHAPE(scale_weight, 2)",
        "HYQ_RESHAPE(scale_bias, 2)",
        "HYQ_RESHAPE(scale_requantize, 2)",
    ]


def test_a_small_memory_with_several_readers_has_ports_for_them() -> None:
    q = Quantization(4, False)
    graph = Graph("image", TensorType((2, 2), q), {})
    graph.add("act", Table(np.arange(16), q, 0), "image")
    assert list(memory_directives(build_dataflow(graph, {}))) == []
    two = build_dataflow(graph, {"act": Folding(2, 2)})
    assert list(memory_directives(two)) == ["HYQ_ROM(act_values)"]


def test_a_fifo_has_a_directive_where_the_rtl_has_it_in_luts() -> None:
    flow = build_dataflow(hybrid_graph(), {})
    name = next(n for n, s in flow.streams.items() if n not in (flow.source, flow.sink))
    for depth, wanted in ((2, []), (300, [f"HYQ_LUT_FIFO({name})"]), (9000, [])):
        assert list(fifo_directives(flow.with_depths({**flow.depths, name: depth}))) == wanted


@pytest.mark.parametrize(("words", "lanes"), [(1, 1), (7, 3), (40, 1), (24, 5), (200, 4)])
def test_memories_fill_their_lines_as_textwrap_does(words: int, lanes: int) -> None:
    for bits in (1, 5, 62):
        random = np.random.default_rng(bits)
        values = random.integers(-(1 << bits - 1), 1 << bits - 1, words * lanes)
        entries = [str(word).strip("[]") for word in values.reshape(-1, lanes).tolist()]
        text = "{" + "}, {".join(entries) + "}"
        lines = wrap(text, 100, initial_indent="    ", subsequent_indent="    ")
        found = memory("node", Rom("weight", values, bits, lanes=lanes)).splitlines()
        assert found[1:-1] == lines
        assert found[0] == f"static const hyq::rom<{bits}> node_weight[{words}][{lanes}] = {{"
