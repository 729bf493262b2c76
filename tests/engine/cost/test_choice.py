"""An engine for a part: the fastest that fits, and what is missing where none does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyq_hls import ops
from hyq_hls.engine.compiler import compile_graph
from hyq_hls.engine.cost import engine_utilization, program_for
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import predict
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.machine.budget import fits
from hyq_hls.parts import Part, all_parts, part
from tests.golden.network import golden_graph
from tests.ops.examples import example_graph


@pytest.fixture(scope="module")
def graph() -> Graph:
    return golden_graph()


def sizes_for(part: Part, graph: Graph, clock_mhz: float, share: float = 1.0) -> Sizes:
    return program_for(part, graph, clock_mhz, share).sizes


def cycles(graph: Graph, sizes: Sizes) -> int:
    return predict(compile_graph(graph, sizes)).cycles


@pytest.mark.slow
def test_a_large_part_gets_the_fastest_engine(graph: Graph) -> None:
    sizes = sizes_for(part("xczu9eg"), graph, 80)
    assert sizes == sizes_for(part("xczu9eg"), graph, 80)
    fastest = min(
        cycles(graph, replace(sizes, pixels=pixels, softmax_lanes=softmax, norm_lanes=norm))
        for pixels in (2, 4, 8)
        for softmax in (1, 2, 4)
        for norm in (1, 2, 4)
    )
    assert cycles(graph, sizes) == fastest


def test_a_unit_that_is_too_slow_for_the_clock_is_not_taken(graph: Graph) -> None:
    """Four lanes of the norm unit have a longer path than two."""
    wide = engine_utilization(Sizes(pixels=8, norm_lanes=4)).operations["norm unit"]
    clock = 1010 / (2 * wide.delay_ns)
    sizes = sizes_for(part("xczu9eg"), graph, clock)
    assert sizes.norm_lanes < 4
    assert 2 * engine_utilization(sizes).total.delay_ns <= 1000 / clock


def test_a_multiplier_only_where_the_graph_needs_one(graph: Graph) -> None:
    assert sizes_for(part("xczu9eg"), graph, 150).multiplier
    assert not sizes_for(part("xczu9eg"), identity(64), 150).multiplier


@pytest.mark.slow
def test_every_part_that_gets_an_engine_has_room_for_it(graph: Graph) -> None:
    refused = []
    for each in all_parts():
        try:
            sizes = sizes_for(each, graph, 100)
        except ConversionError:
            refused.append(each.name)
        else:
            assert fits(engine_utilization(sizes).total, each)
    assert set(refused) <= {"xc7z010", "xc7a35t"}


def test_memories_shrink_where_block_rams_are_few(graph: Graph) -> None:
    sizes = sizes_for(replace(part("xc7z020"), bram36=40), graph, 100)
    default = Sizes(pixels=sizes.pixels)
    assert sizes.feature_words < default.feature_words or sizes.weight_words < default.weight_words
    assert engine_utilization(sizes).total.bram18 <= 80


def test_a_share_of_a_part(graph: Graph) -> None:
    sizes = sizes_for(part("xczu9eg"), graph, 150, share=0.2)
    assert fits(engine_utilization(sizes).total, part("xczu9eg"), 0.2)


@pytest.mark.slow
def test_a_part_that_is_too_small(graph: Graph) -> None:
    tiny = replace(part("xc7z010"), name="tiny", luts=5000)
    with pytest.raises(
        ConversionError,
        match=r"the smallest engine does not fit 100% of tiny: it needs [\d,]+ LUT of 5,000.*; "
        r"most for .*; the smallest part that would do is xc7",
    ):
        sizes_for(tiny, graph, 100)


@pytest.mark.slow
def test_the_tensor_that_does_not_fit() -> None:
    """A row of this map needs more words than the feature memory of a small part may have."""
    small = replace(part("xc7z020"), name="small", bram36=36)
    with pytest.raises(
        ConversionError,
        match=r"no engine that fits 100% of small can run the network: wide: .* words .*; "
        r"the smallest part that would do is xc7z",
    ):
        sizes_for(small, identity(20000), 100)


def test_what_no_engine_can_run() -> None:
    with pytest.raises(ConversionError, match="has no form for the engine"):
        sizes_for(part("xczu9eg"), example_graph("group_norm", np.random.default_rng(0)), 100)


def identity(channels: int) -> Graph:
    """A requantization of a map of many channels."""
    codes = Quantization(8, False)
    graph = Graph("image", TensorType((2, 2, channels), codes), {})
    table = np.arange(256)
    graph.add("wide", ops.Table(table, codes), "image")
    return graph
