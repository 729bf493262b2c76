"""Circuits with the same integers: equal by reference, chosen by cost, or as asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Folding, Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import RequantizeTensor, ShiftSwish, Table
from hyq_hls.parts import part
from hyq_hls.stream.choose import balance
from hyq_hls.stream.choose.circuits import circuit_utilization, share, with_circuits
from tests.ops.harness import random_codes, reference
from tests.stream.hls.conftest import small_graph
from tests.stream.hls.hybrid import hybrid_graph

PART = part("xc7z020")


def unary(bits: int, shift: int) -> Graph:
    """A Shift-Swish and a requantization of codes of ``bits`` bits."""
    code = Quantization(bits, False, (2.0**-4,), (1 << (bits - 1),))
    one = np.ones(1, np.int64)
    graph = Graph("x", TensorType((2, 3, 4), code))
    swish = ShiftSwish(4, code.zero_point[0], 12, Requantize(code, np.array([shift + 12]), one))
    graph.add("swish", swish, "x")
    graph.add("again", RequantizeTensor(code.zero_point, Requantize(code, one, one)), "swish")
    return graph


@settings(max_examples=20, deadline=None)
@given(bits=st.integers(4, 12), shift=st.integers(0, 6), seed=st.integers(0, 99))
def test_all_circuits_give_the_same_integers(bits: int, shift: int, seed: int) -> None:
    graph = unary(bits, shift)
    codes = random_codes(graph.input_type, np.random.default_rng(seed), 3)
    for node in graph.nodes.values():
        circuits = node.operation.circuits(*graph.input_types(node))
        assert len(circuits) == 3
        for name in circuits:
            other = with_circuits(graph, PART, balance(graph), {node.name: name})
            assert np.array_equal(reference(other, codes), reference(graph, codes))


def test_the_cheapest_is_taken() -> None:
    for graph in (unary(8, 2), hybrid_graph()):
        chosen = with_circuits(graph, PART, balance(graph))
        foldings = balance(graph)
        for name, node in chosen.nodes.items():
            used = circuit_utilization(chosen, node, node.operation, foldings[name])
            for other in node.operation.circuits(*graph.input_types(node)).values():
                rival = circuit_utilization(graph, node, other, foldings[name])
                assert share(used, PART) <= share(rival, PART)


def test_an_8_bit_function_is_a_table() -> None:
    """A table of 256 entries costs less than the arithmetic of Shift-Swish: docs/area.md."""
    graph = with_circuits(unary(8, 2), PART, balance(unary(8, 2)))
    swish = graph.nodes["swish"].operation
    assert isinstance(swish, ShiftSwish)
    assert swish.circuit == "table"


def test_forced_circuits() -> None:
    graph = with_circuits(unary(8, 2), PART, balance(unary(8, 2)), {"*": "block_table"})
    again = graph.nodes["again"].operation
    assert isinstance(again, Table)
    assert again.circuit == "block_table"
    used = circuit_utilization(graph, graph.nodes["again"], again, Folding(2, 2))
    assert used.bram18 == 2  # a memory per lane


@pytest.mark.parametrize(
    ("forced", "message"),
    [
        ({"nothing": "table"}, "'nothing' matches no node"),
        ({"swish": "magic"}, r"swish: circuit 'magic' is wanted, this shift_swish has arithmetic"),
        ({"again": "arithmetic"}, r"again: .* this requantize has requantize, table"),
    ],
)
def test_what_cannot_be(forced: dict[str, str], message: str) -> None:
    graph = unary(8, 2)
    with pytest.raises(ConversionError, match=message):
        with_circuits(graph, PART, balance(graph), forced)


def test_a_project_keeps_its_circuits(tmp_path: Path) -> None:
    graph = unary(8, 2)
    codes = random_codes(graph.input_type, np.random.default_rng(0), 2)
    circuits = {"swish": "arithmetic", "again": "block_table"}
    convert(QuantizedModel(graph), output_dir=tmp_path / "net", circuits=circuits)
    opened = Accelerator.open(tmp_path / "net")
    assert [n.function for n in opened.nodes] == ["shift_swish", "table"]
    found = opened.qmodel.graph
    assert np.array_equal(reference(found, codes), reference(graph, codes))
    assert "LutsPerBlock(0)" in (tmp_path / "net/rtl/net.sv").read_text()


def test_a_part_that_is_too_small(tmp_path: Path) -> None:
    graph = small_graph()
    qmodel = QuantizedModel(graph)
    huge = {name: Folding(4, 4) for name in ("b",)}
    with pytest.raises(ConversionError, match=r"does not fit 0% of xc7z010.*smallest part"):
        convert(qmodel, "xc7z010", output_dir=tmp_path / "a", share=0.001)
    assert not (tmp_path / "a").exists()
    written = convert(qmodel, "xc7z010", output_dir=tmp_path / "b", folding=huge, must_fit=False)
    assert written.flow.operations[1].folding == Folding(4, 4)
