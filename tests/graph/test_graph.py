"""Graph: names, arity, dead nodes, widths, order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from hyq_hls.errors import GraphError
from hyq_hls.graph import Bounds, Graph, Operation, Quantization, TensorType
from hyq_hls.graph.graph import MAX_ACCUMULATOR_BITS
from hyq_hls.graph.operation import Codes

BYTE = TensorType((2, 3), Quantization(8, False))
BYTES = Bounds(0, 255)


@dataclass(frozen=True)
class Halve(Operation):
    """Half of one input, as wide as a test wants its accumulator."""

    name: ClassVar[str] = "halve"
    bounds: Bounds = BYTES

    def output_type(self, *inputs: TensorType) -> TensorType:
        if inputs[0].shape != BYTE.shape:
            raise GraphError(f"shape {inputs[0].shape} does not fit")
        return BYTE

    def accumulator(self, *inputs: TensorType) -> Bounds:
        return self.bounds

    def reference(self, *codes: Codes) -> Codes:
        return codes[0] >> 1

    def macs(self, *inputs: TensorType) -> int:
        return 5


@dataclass(frozen=True)
class Larger(Halve):
    """The larger of two or more inputs."""

    name: ClassVar[str] = "larger"
    arity: ClassVar[int | None] = None

    def reference(self, *codes: Codes) -> Codes:
        largest: Codes = np.maximum.reduce(codes)
        return largest


@dataclass(frozen=True)
class Wrong(Halve):
    """Breaks its promise about the range of its codes."""

    def reference(self, *codes: Codes) -> Codes:
        return codes[0] + 999


def chain() -> Graph:
    graph = Graph("x", BYTE)
    graph.add("a", Halve(), "x")
    graph.add("b", Halve(), "a")
    graph.add("c", Larger(), "a", "x", "a")
    graph.add("d", Larger(), "b", "c")
    return graph


def test_order_types_and_work() -> None:
    graph = chain()
    graph.check()
    assert list(graph.nodes) == ["a", "b", "c", "d"]
    assert graph.output_name == "d"
    assert graph.output_type == BYTE
    assert graph.input_types(graph.nodes["c"]) == [BYTE, BYTE, BYTE]
    assert graph.macs() == 20


def test_consumers_in_order_and_once() -> None:
    graph = chain()
    assert [n.name for n in graph.consumers("x")] == ["a", "c"]
    assert [n.name for n in graph.consumers("a")] == ["b", "c"]
    assert graph.consumers("d") == []


def test_reference_yields_every_tensor_in_order() -> None:
    codes = np.random.default_rng(0).integers(0, 256, (4, 2, 3))
    values = dict(chain().reference(codes))
    assert list(values) == ["x", "a", "b", "c", "d"]
    assert np.array_equal(values["d"], np.maximum(codes >> 2, np.maximum(codes >> 1, codes)))


def test_reference_checks_its_input_and_each_result() -> None:
    with pytest.raises(GraphError, match=r"x: codes in \[256, 256\] leave the range"):
        list(chain().reference(np.full((1, 2, 3), 256)))
    graph = Graph("x", BYTE)
    graph.add("liar", Wrong(), "x")
    with pytest.raises(GraphError, match=r"liar: codes in \[999, 999\] leave the range"):
        list(graph.reference(np.zeros((1, 2, 3), np.int64)))


@pytest.mark.parametrize("name", ["x", "a"])
def test_duplicate_names(name: str) -> None:
    graph = chain()
    with pytest.raises(GraphError, match=f"{name}: a node of this name exists already"):
        graph.add(name, Halve(), "x")
    assert len(graph.nodes) == 4


def test_unknown_input() -> None:
    graph = chain()
    with pytest.raises(GraphError, match="e: unknown tensor 'nope'; nodes must be added after"):
        graph.add("e", Halve(), "nope")
    with pytest.raises(GraphError, match="e: unknown tensor 'e'"):
        graph.add("e", Larger(), "x", "e")


@pytest.mark.parametrize(
    ("operation", "inputs", "wanted"),
    [
        (Halve(), (), "halve takes 1 inputs, found 0"),
        (Halve(), ("x", "x"), "halve takes 1 inputs, found 2"),
        (Larger(), (), "larger takes two or more inputs, found 0"),
        (Larger(), ("x",), "larger takes two or more inputs, found 1"),
    ],
)
def test_arity(operation: Operation, inputs: tuple[str, ...], wanted: str) -> None:
    graph = Graph("x", BYTE)
    with pytest.raises(GraphError, match=f"e: {wanted}"):
        graph.add("e", operation, *inputs)
    assert not graph.nodes


def test_errors_of_an_operation_name_the_node() -> None:
    graph = Graph("x", TensorType((5,), Quantization(8, False)))
    with pytest.raises(GraphError, match=r"stages\.0: shape \(5,\) does not fit"):
        graph.add("stages.0", Halve(), "x")


def test_widest_accumulator() -> None:
    graph = Graph("x", BYTE)
    widest = (1 << (MAX_ACCUMULATOR_BITS - 1)) - 1
    graph.add("fits", Halve(Bounds(-widest - 1, widest)), "x")
    for bounds in (Bounds(0, widest + 1), Bounds(-widest - 2, 0)):
        with pytest.raises(GraphError, match="wide: the accumulator needs 63 bits, 62 are"):
            graph.add("wide", Halve(bounds), "fits")


def test_dead_nodes_and_unread_input() -> None:
    graph = chain()
    graph.add("e", Halve(), "x")
    with pytest.raises(GraphError, match="d: nobody reads this output"):
        graph.check()


def test_empty_graph() -> None:
    graph = Graph("x", BYTE)
    for use in (lambda: graph.output_name, lambda: graph.output_type, graph.check):
        with pytest.raises(GraphError, match="the graph has no nodes"):
            use()
