"""Circuits with the same integers: equal by reference, chosen by cost, or as asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import RequantizeTensor, ShiftSwish
from hyq_hls.parts import part
from hyq_hls.stream.arguments import Rom
from hyq_hls.stream.choose import balance
from hyq_hls.stream.choose.circuits import choose_circuits, circuit_utilization, share
from hyq_hls.stream.circuits import circuits_of
from hyq_hls.stream.folding import Folding
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
@given(bits=st.integers(4, 12), shift=st.integers(0, 6))
def test_all_circuits_give_the_same_integers(bits: int, shift: int) -> None:
    graph = unary(bits, shift)
    for node in graph.nodes.values():
        types = graph.input_types(node)
        circuits = circuits_of(node.operation, *types)
        assert len(circuits) == 3
        q = types[0].quantization
        codes = np.arange(q.qmin, q.qmax + 1)
        wanted = node.operation.reference(codes)
        for name in ("table", "block_table"):
            (values,) = circuits[name].arguments(Folding(1, 1)).roms
            assert isinstance(values, Rom)
            assert np.array_equal(values.values, wanted)


def test_the_cheapest_is_taken() -> None:
    for graph in (unary(8, 2), hybrid_graph()):
        chosen = choose_circuits(graph, PART)
        foldings = balance(chosen)
        for name, node in graph.nodes.items():
            used = circuit_utilization(node, chosen[name], foldings[name])
            for other in circuits_of(node.operation, *graph.input_types(node)).values():
                rival = circuit_utilization(node, other, foldings[name])
                assert share(used, PART) <= share(rival, PART)


def test_an_8_bit_function_is_a_table() -> None:
    """A table of 256 entries costs less than the arithmetic of Shift-Swish: docs/area.md."""
    assert choose_circuits(unary(8, 2), PART)["swish"].name == "table"


def test_forced_circuits() -> None:
    graph = unary(8, 2)
    chosen = choose_circuits(graph, PART, {"*": "block_table"})
    assert [circuit.name for circuit in chosen.values()] == ["block_table", "block_table"]
    used = circuit_utilization(graph.nodes["again"], chosen["again"], Folding(2, 2))
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
        choose_circuits(graph, PART, forced)


def test_a_project_keeps_its_circuits(tmp_path: Path) -> None:
    graph = unary(8, 2)
    codes = random_codes(graph.input_type, np.random.default_rng(0), 2)
    circuits = {"swish": "arithmetic", "again": "block_table"}
    qmodel = QuantizedModel(graph)
    written = convert(qmodel, output_dir=tmp_path / "net", circuits=circuits)
    assert written.qmodel is qmodel
    assert written.qmodel.graph is graph
    opened = Accelerator.open(tmp_path / "net")
    assert {name: c.name for name, c in opened.flow.circuits.items()} == circuits
    assert [n.function for n in opened.nodes] == ["shift_swish", "table"]
    found = opened.qmodel.graph
    assert np.array_equal(reference(found, codes), reference(graph, codes))
    assert "LutsPerBlock(0)" in (tmp_path / "net/rtl/net.sv").read_text()


@pytest.mark.slow
def test_a_part_that_is_too_small(tmp_path: Path) -> None:
    graph = small_graph()
    qmodel = QuantizedModel(graph)
    huge = {name: Folding(4, 4) for name in ("b",)}
    with pytest.raises(ConversionError, match=r"does not fit 0% of xc7z010.*smallest part"):
        convert(qmodel, "xc7z010", output_dir=tmp_path / "a", share=0.001)
    assert not (tmp_path / "a").exists()
    written = convert(qmodel, "xc7z010", output_dir=tmp_path / "b", folding=huge, must_fit=False)
    assert written.flow.operations[1].folding == Folding(4, 4)
