"""constant: the same codes for every image, in emulation, C++ and RTL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hyq_hls.emulate import Emulator
from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Constant, Multiply
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.flow.depths import safe_depths, safe_hls_depths
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, random_folding
from tests.ops.harness import (
    BIT_ACCURATE,
    check_rtl,
    random_codes,
    reference,
    run_csim,
    saved_and_loaded,
)

CODES = Quantization(6, True, zero_point=(3,))
FOLDINGS = {"tokens": Folding(2, 2), "gated": Folding(4, 4)}


def random_case(seed: int) -> Case[Constant]:
    """Codes of random widths and shapes, and any lanes."""
    rng = np.random.default_rng(seed)
    q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    operation = Constant(rng.integers(q.qmin, q.qmax + 1, (2, 3, 4)), q)
    return Case(operation, (), random_folding(rng, circuit_of(operation)))


def gated_map() -> Graph:
    """A map whose positions and channels have learned factors of their own."""
    rng = np.random.default_rng(0)
    graph = Graph("x", TensorType((2, 3, 4), Quantization(8, False, zero_point=(100,))))
    graph.add("tokens", Constant(rng.integers(-32, 32, (2, 3, 4)), CODES))
    out = Requantize(Quantization(8, True), np.array([4]), np.array([1]))
    graph.add("gated", Multiply(((100,), (3,)), out), "x", "tokens")
    return graph


def test_emulation_equals_reference_for_any_number_of_images() -> None:
    graph = gated_map()
    for count in (1, 5):
        codes = random_codes(graph.input_type, np.random.default_rng(1), count)
        emulated = dict(Emulator(graph).trace(codes))
        for name, wanted in graph.reference(codes):
            assert np.array_equal(emulated[name], wanted), name
            assert len(wanted) == len(codes)


def test_bounds_are_those_of_its_codes() -> None:
    operation = Constant(np.array([[-7, 3], [0, 5]]), CODES)
    assert operation.output_type() == TensorType((2, 2), CODES)
    assert (operation.accumulator().low, operation.accumulator().high) == (-7, 5)


def test_its_stream_is_shallow_and_makes_no_other_deeper() -> None:
    """It waits for its reader, so that nothing can pile up before the other operand."""
    flow = build_dataflow(gated_map(), FOLDINGS)
    for depths in (safe_depths(flow), safe_hls_depths(flow)):
        assert set(depths.values()) == {2}


def test_lanes_and_cycles() -> None:
    circuit = circuit_of(gated_map().nodes["tokens"].operation)
    assert [folding.outputs for folding in circuit.foldings] == [1, 2, 4]
    assert circuit.cycles(Folding(4, 4)) == circuit.latency(Folding(4, 4)) == 6
    (memory,) = circuit.memories(Folding(2, 2))
    assert (memory.width, memory.depth, memory.constant) == (12, 12, True)


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    graph = gated_map()
    codes = random_codes(graph.input_type, np.random.default_rng(1))
    assert np.array_equal(
        reference(saved_and_loaded(graph, tmp_path), codes), reference(graph, codes)
    )


@pytest.mark.slow
def test_csim_equals_reference(tmp_path: Path) -> None:
    graph = gated_map()
    codes = random_codes(graph.input_type, np.random.default_rng(1))
    found = run_csim(graph, codes, tmp_path, BIT_ACCURATE, FOLDINGS)
    assert np.array_equal(found, reference(graph, codes))


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Stalled and not, through a width converter; its reader loses no cycle."""
    check_rtl(gated_map(), np.random.default_rng(1), tmp_path, FOLDINGS)


def test_codes_that_do_not_fit() -> None:
    with pytest.raises(GraphError, match=r"codes in \[0, 32\] leave the range \[-32, 31\]"):
        Constant(np.array([[0, 32]]), CODES)
    with pytest.raises(GraphError, match=r"integers .* are wanted, found float64 of shape"):
        Constant(np.array([0.5]), CODES)
    with pytest.raises(GraphError, match=r"integers .* are wanted, found int64 of shape \(0,\)"):
        Constant(np.empty(0, int), CODES)
    graph = Graph("x", TensorType((2,), Quantization(8, True)))
    with pytest.raises(GraphError, match="op: constant takes 0 inputs, found 1"):
        graph.add("op", Constant(np.array([1]), CODES), "x")
