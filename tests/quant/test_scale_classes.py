"""Classes of tied scales: what is tied, by which ratio, and that requantizations become shifts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from hyq_hls import quantize
from hyq_hls.capture.elementwise import Silu
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.float_ops import (
    Add,
    AttentionScores,
    AttentionValues,
    Concat,
    Fold,
    GlobalAveragePool,
    Input,
    Linear,
    Unfold,
)
from hyq_hls.quant.octave_softmax import OctaveSoftmax
from hyq_hls.quant.scales.readers import reads_fraction_bits
from hyq_hls.quant.scales.scale_classes import (
    ScaleClass,
    choose_bases,
    product_bases,
    scale_classes,
)
from tests.capture.hybrids import Hybrid, settle
from tests.quant.networks import IMAGES, INTEGERS, lean, multipliers

Nodes = Mapping[str, tuple[FloatOp, tuple[str, ...]]]


def graph_of(side: int, channels: int, nodes: Nodes) -> FloatGraph:
    """A graph behind an input of ``side * side`` positions."""
    made = [FloatNode("image", Input((side, side, channels)))]
    made += [FloatNode(name, op, inputs) for name, (op, inputs) in nodes.items()]
    return FloatGraph(made, made[-1].name)


def linear(inputs: int, outputs: int) -> Linear:
    return Linear(np.ones((outputs, inputs)), np.zeros(outputs))


def class_of(classes: list[ScaleClass], name: str) -> ScaleClass:
    (found,) = (group for group in classes if name in group.ratios)
    return found


def relative(classes: list[ScaleClass], name: str, other: str) -> float:
    ratios = class_of(classes, name).ratios
    return ratios[name] / ratios[other]


def test_operations_without_weights_tie_and_others_do_not() -> None:
    graph = graph_of(
        6,
        3,
        {
            "a": (linear(3, 4), ("image",)),
            "act": (Silu(), ("a",)),
            "b": (linear(4, 4), ("act",)),
            "add": (Add(), ("act", "b")),
            "tokens": (Unfold((2, 3)), ("add",)),
            "map": (Fold((2, 3), 6, 6), ("tokens",)),
            "c": (linear(4, 5), ("map",)),
            "concat": (Concat(), ("map", "c")),
            "pool": (GlobalAveragePool(), ("concat",)),
            "head": (linear(9, 2), ("pool",)),
        },
    )
    classes = scale_classes(graph, ())
    tied = {"act", "b", "add", "tokens", "map", "c", "concat", "pool"}
    assert [set(group.ratios) for group in classes] == [{"a"}, tied, {"head"}]
    assert not any(group.pinned for group in classes)
    for name in tied - {"pool"}:
        assert relative(classes, name, "act") == 1
    assert relative(classes, "pool", "concat") == pytest.approx(1 / 36, rel=1e-15)


@pytest.mark.parametrize("side", [1, 3, 5, 7])
def test_a_mean_ties_by_the_number_of_positions(side: int) -> None:
    nodes: Nodes = {
        "a": (linear(3, 4), ("image",)),
        "pool": (GlobalAveragePool(), ("a",)),
        "b": (linear(4, 4), ("pool",)),
        "add": (Add(), ("pool", "b")),
        "head": (linear(4, 2), ("add",)),
    }
    classes = scale_classes(graph_of(side, 3, nodes), ())
    for name in ("pool", "b", "add"):
        assert relative(classes, name, "a") == pytest.approx(1 / side**2, rel=1e-15)


def test_ratios_survive_the_union_of_two_classes() -> None:
    """Two means of one map, and their sum: whichever comes first, every pair keeps its ratio."""
    nodes: Nodes = {
        "a": (linear(3, 4), ("image",)),
        "b": (linear(3, 4), ("image",)),
        "pool_a": (GlobalAveragePool(), ("a",)),
        "pool_b": (GlobalAveragePool(), ("b",)),
        "sum": (Add(), ("pool_b", "pool_a")),
        "both": (Add(), ("a", "b")),
        "pool": (GlobalAveragePool(), ("both",)),
        "end": (Add(), ("sum", "pool")),
    }
    (group,) = scale_classes(graph_of(3, 3, nodes), ())
    for map_, mean in (("a", "pool_a"), ("b", "pool_b"), ("both", "pool"), ("a", "end")):
        assert group.ratios[mean] / group.ratios[map_] == pytest.approx(1 / 9, rel=1e-14)
    assert group.ratios["a"] / group.ratios["b"] == pytest.approx(1, rel=1e-14)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_random_graphs(data: st.DataObject) -> None:
    """Every tie holds inside one class, and every tensor with a choice is in exactly one."""
    side = data.draw(st.integers(1, 5))
    shapes: dict[str, tuple[int, ...]] = {"image": (side, side, 3)}
    nodes: dict[str, tuple[FloatOp, tuple[str, ...]]] = {}
    for index in range(data.draw(st.integers(1, 12))):
        name = f"n{index}"
        source = data.draw(st.sampled_from([n for n in shapes if n != "image"] or ["image"]))
        same = [n for n in shapes if shapes[n] == shapes[source] and n != "image"]
        kinds = ["linear", "silu"]
        kinds += ["add", "concat"] if source != "image" else []
        kinds += ["pool"] if len(shapes[source]) == 3 and source != "image" else []
        kind = data.draw(st.sampled_from(kinds))
        other = data.draw(st.sampled_from(same)) if kind in ("add", "concat") else ""
        op: FloatOp = {
            "linear": linear(shapes[source][-1], 4),
            "silu": Silu(),
            "add": Add(),
            "concat": Concat(),
            "pool": GlobalAveragePool(),
        }[kind]
        inputs: tuple[str, ...] = (source, other) if other else (source,)
        nodes[name] = (op, inputs)
        shapes[name] = op.output_shape(*(shapes[n] for n in inputs))
    graph = graph_of(side, 3, nodes)
    classes = scale_classes(graph, ())
    assert sorted(n for group in classes for n in group.ratios) == sorted(nodes)
    for name, (op, inputs) in nodes.items():
        for source in inputs:
            if source == "image":
                continue
            if isinstance(op, Add | Concat):
                assert relative(classes, name, source) == pytest.approx(1)
            elif isinstance(op, GlobalAveragePool):
                assert relative(classes, name, source) == pytest.approx(1 / side**2)


def attention(shared: bool = False) -> FloatGraph:
    query = "key" if shared else "query"
    nodes: dict[str, tuple[FloatOp, tuple[str, ...]]] = {
        "x": (linear(3, 4), ("image",)),
        "tokens": (Unfold((1, 1)), ("x",)),
        **({} if shared else {"query": (linear(4, 4), ("tokens",))}),
        "key": (linear(4, 4), ("tokens",)),
        "value": (linear(4, 4), ("tokens",)),
        "scores": (AttentionScores(2, 0.7), (query, "key")),
        "softmax": (OctaveSoftmax(), ("scores",)),
        "values": (AttentionValues(2), ("softmax", "value")),
        "residual": (Add(), ("values", "tokens")),
    }
    return graph_of(3, 3, nodes)


def test_attention_ties_values_and_leaves_queries_to_the_keys() -> None:
    graph = attention()
    classes = scale_classes(graph, ["scores"])
    names = [set(group.ratios) for group in classes]
    assert names == [{"x", "tokens", "value", "values", "residual"}, {"key"}, {"scores"}]
    assert [group.pinned for group in classes] == [False, False, True]
    bases = {"key": 1.3, "scores": 1.0}
    assert product_bases(graph, bases) == {"query": pytest.approx(1 / (1.3 * 0.7))}


def test_a_query_that_is_its_own_key_has_a_base() -> None:
    graph = attention(shared=True)
    classes = scale_classes(graph, ["scores"])
    assert {"key"} in [set(group.ratios) for group in classes]
    bases = choose_bases(classes, lambda name, base: base)
    assert product_bases(graph, bases) == {}


def test_pinned_classes_keep_powers_of_two() -> None:
    """A SiLU behind a mean reads fraction bits: its scale is a power of two, the map's is not."""
    nodes: Nodes = {
        "a": (linear(3, 4), ("image",)),
        "pool": (GlobalAveragePool(), ("a",)),
        "act": (Silu(), ("pool",)),
        "head": (linear(4, 2), ("act",)),
    }
    graph = graph_of(3, 3, nodes)
    fraction = reads_fraction_bits(graph, lean())
    assert fraction == ["pool", "act"]
    classes = scale_classes(graph, fraction)
    group = class_of(classes, "pool")
    assert group.pinned
    assert group.ratios["pool"] == 1
    assert group.ratios["a"] == pytest.approx(9)
    bases = choose_bases(classes, lambda name, base: -base)
    assert bases["pool"] == bases["act"] == 1
    assert bases["head"] == 2 ** (15 / 16)
    assert reads_fraction_bits(graph, lean(swish="table")) == []


def test_what_cannot_both_be_powers_of_two_is_not_tied() -> None:
    """SiLU, mean, SiLU: the mean pays with a multiplier."""
    nodes: Nodes = {
        "a": (linear(3, 4), ("image",)),
        "act": (Silu(), ("a",)),
        "pool": (GlobalAveragePool(), ("act",)),
        "act2": (Silu(), ("pool",)),
    }
    graph = graph_of(3, 3, nodes)
    classes = scale_classes(graph, reads_fraction_bits(graph, lean()))
    for name in ("a", "act", "pool", "act2"):
        group = class_of(classes, name)
        assert group.pinned
        assert np.frexp(group.ratios[name])[0] == 0.5


def test_fraction_bits_are_seen_through_moved_codes() -> None:
    nodes: Nodes = {
        "a": (linear(3, 4), ("image",)),
        "tokens": (Unfold((1, 1)), ("a",)),
        "map": (Fold((1, 1), 3, 3), ("tokens",)),
        "act": (Silu(), ("map",)),
    }
    assert reads_fraction_bits(graph_of(3, 3, nodes), lean()) == ["a", "act"]


def test_bases_minimize_the_sum_over_a_class() -> None:
    """The target is half an octave up for the sum of two members of different ratio."""
    group = ScaleClass({"a": 1.0, "b": 1 / 9})
    wanted = 2**0.5

    def error(name: str, base: float) -> float:
        return abs(base / group.ratios[name] - wanted)

    bases = choose_bases([group], error)
    assert bases["a"] == pytest.approx(wanted)
    assert bases["b"] == pytest.approx(wanted / 9)
    assert choose_bases([ScaleClass({"a": 1.0}, pinned=True)], error) == {"a": 1.0}


@pytest.mark.slow
@pytest.mark.parametrize("side", [6, 14])
@pytest.mark.parametrize("swish", ["shift", "table"])
def test_shifts_behind_means_of_9_and_49(side: int, swish: str) -> None:
    model = settle(Hybrid(channels=4, dim=4, heads=2, depth=1, patch=(1, 1)), 5)
    images = np.random.default_rng(1).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    config = lean(scale="shift", swish=swish)
    graph = quantize(model, images, config, progress=False).graph
    assert graph.type(graph.nodes["pool"].inputs[0]).shape == (side // 2, side // 2, 4)
    assert {name: m for name, m in multipliers(graph).items() if m != {1}} == {}


class PooledSwish(nn.Module):
    """SiLU behind a mean, and before it if wanted."""

    def __init__(self, before: bool) -> None:
        super().__init__()
        self.conv, self.fc, self.before = nn.Conv2d(3, 4, 3, 2, 1), nn.Linear(4, 3), before

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        y = functional.silu(y) if self.before else y
        result: torch.Tensor = self.fc(functional.silu(y.mean((2, 3))))
        return result


class SharedQuery(nn.Module):
    """Attention whose queries are its keys."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.qk, self.v = nn.Conv2d(3, 4, 2, 2), nn.Linear(4, 4), nn.Linear(4, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.conv(x).flatten(2).transpose(1, 2)
        q = self.qk(tokens)
        attention = (q @ q.transpose(1, 2) * 0.5).softmax(-1)
        result: torch.Tensor = self.head((attention @ self.v(tokens)).mean(1))
        return result


class SwishOfMovedCodes(nn.Module):
    """SiLU reads codes that a fold put together again."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Hybrid(channels=4, dim=4, heads=2, depth=1, patch=(3, 1))
        fold = self.inner.block.fold
        self.inner.block.fold = lambda x, patch, size: functional.silu(fold(x, patch, size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.inner(x)
        return result


@pytest.mark.slow
@pytest.mark.parametrize("swish", ["shift", "table"])
@pytest.mark.parametrize("scale", ["power_of_two", "shift", "dyadic"])
@pytest.mark.parametrize(
    "model",
    [PooledSwish(False), PooledSwish(True), SharedQuery(), SwishOfMovedCodes()],
    ids=["pooled", "pooled twice", "shared query", "moved codes"],
)
def test_unusual_networks(model: nn.Module, scale: str, swish: str) -> None:
    config = lean(scale=scale, swish=swish)
    qmodel = quantize(settle(model), IMAGES, config, progress=False)
    wanted = dict(qmodel.graph.reference(INTEGERS))[qmodel.graph.output_name]
    assert np.array_equal(qmodel.codes(IMAGES), wanted)
    with_multiplier = {name for name, m in multipliers(qmodel.graph).items() if m != {1}}
    if scale == "shift":
        paid = {"pool", "mean"} if isinstance(model, PooledSwish) and model.before else set()
        paid |= {"scores"} if isinstance(model, SharedQuery) else set()
        assert all(any(word in name for word in paid) for name in with_multiplier), with_multiplier
