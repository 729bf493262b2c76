"""The float graph: checks, running, calibration callbacks and transformations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from hyq_hls.capture import FloatGraph, FloatNode, elementwise, float_ops
from hyq_hls.errors import GraphError, ShapeError


def _linear(inputs: int, outputs: int, value: float = 1.0) -> float_ops.Linear:
    return float_ops.Linear(np.full((outputs, inputs), value), np.zeros(outputs))


@pytest.fixture
def graph() -> FloatGraph:
    nodes = [
        FloatNode("input", float_ops.Input((4, 6, 3))),
        FloatNode("a", _linear(3, 2), ("input",)),
        FloatNode("b", elementwise.Relu(), ("a",)),
        FloatNode("c", float_ops.Add(), ("a", "b")),
        FloatNode("d", float_ops.Add(), ("c", "c")),
        FloatNode("e", float_ops.GlobalAveragePool(), ("d",)),
    ]
    return FloatGraph(nodes, "e")


def test_structure(graph: FloatGraph) -> None:
    assert [node.name for node in graph] == ["input", "a", "b", "c", "d", "e"]
    assert graph.input == "input"
    assert graph.shape("a") == (4, 6, 2)
    assert graph.shape("e") == (2,)
    assert graph.consumers("a") == ("b", "c")
    assert graph.consumers("c") == ("d",)
    assert graph.consumers("e") == ()
    assert len(graph) == 6
    assert "a" in graph
    assert "z" not in graph
    assert "e" in str(graph)
    assert "GlobalAveragePool" in str(graph)
    for ask in (graph.shape, graph.consumers, graph.__getitem__):
        with pytest.raises(GraphError, match="no node 'z'"):
            ask("z")


def test_run_returns_all_or_some_values(graph: FloatGraph) -> None:
    images = torch.randn(2, 3, 4, 6)
    values = graph.run(images)
    assert set(values) == {node.name for node in graph}
    x = images.permute(0, 2, 3, 1)
    a = x.sum(-1, keepdim=True).expand(-1, -1, -1, 2)
    torch.testing.assert_close(values["d"], 2 * (a + a.relu()))
    assert set(graph.run(images, keep=["b"])) == {"b"}
    assert graph.run(images, keep=()) == {}
    assert torch.equal(graph(images), values["e"])
    assert torch.equal(graph(x), values["e"])
    with pytest.raises(GraphError):
        graph.run(images, keep=["z"])


def test_layouts() -> None:
    graph = FloatGraph([FloatNode("input", float_ops.Input((3, 3, 3)))], "input")
    images = torch.randn(1, 3, 3, 3)
    assert torch.equal(graph(images), images.permute(0, 2, 3, 1))
    assert torch.equal(graph(images, layout="nhwc"), images)
    for wrong in (torch.randn(3, 3, 3), torch.randn(1, 4, 3, 3)):
        with pytest.raises(ShapeError, match=r"images must be \(B, 3, 3, 3\)"):
            graph(wrong)


def test_observer_sees_and_may_replace(graph: FloatGraph) -> None:
    images = torch.randn(2, 3, 4, 6)
    seen: dict[str, tuple[int, ...]] = {}
    graph.run(images, keep=(), observe=lambda name, x: seen.update({name: tuple(x.shape)}))
    assert seen == {node.name: (2, *graph.shape(node.name)) for node in graph}
    found = graph.run(images, observe=lambda name, x: torch.ones_like(x) if name == "c" else None)
    assert bool((found["c"] == 1).all())
    assert bool((found["e"] == 2).all())


def test_gradients_flow(graph: FloatGraph) -> None:
    images = torch.randn(2, 3, 4, 6, requires_grad=True)
    graph(images).sum().backward()
    assert images.grad is not None


def test_transformations_leave_the_graph_alone(graph: FloatGraph) -> None:
    images = torch.randn(2, 3, 4, 6)
    before = graph(images)
    op = graph["a"].op
    assert isinstance(op, float_ops.Linear)
    doubled = graph.replace({"a": dataclasses.replace(op, weight=2 * op.weight)})
    torch.testing.assert_close(doubled(images), 2 * before)
    assert torch.equal(graph(images), before)
    shorter = graph.with_nodes(graph.nodes[:3], output="b")
    assert shorter.output == "b"
    with pytest.raises(GraphError, match="no node 'z'"):
        graph.replace({"z": op})
    with pytest.raises(GraphError, match="node 'c' reading"):
        graph.replace({"a": _linear(3, 2), "b": _linear(2, 3)})


@pytest.mark.parametrize(
    ("nodes", "output", "message"),
    [
        ([FloatNode("a", elementwise.Relu(), ("x",))], "a", "reads .*'x'.*no earlier node"),
        ([FloatNode("x", float_ops.Input((1, 1, 1)))] * 2, "x", "two nodes are named 'x'"),
        ([], "x", "exactly one Input"),
        ([FloatNode("x", float_ops.Input((1, 1, 1)))], "y", "output 'y'"),
    ],
)
def test_malformed_graphs(nodes: list[FloatNode], output: str, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        FloatGraph(nodes, output)
