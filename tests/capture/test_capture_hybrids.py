"""Whole hybrids, written in many ways, become the same float graph as the module computes."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hyq_hls.capture import CaptureReport, FloatGraph, NodeReport, capture
from hyq_hls.models import mobilevit_digits, mobilevit_xxs
from tests.capture.hybrids import ATTENTIONS, FOLDINGS, Hybrid, settle

# Both sides compute in float64, so nothing but the order of sums may differ.
EXACT = 1e-12


def _agree(model: nn.Module, size: tuple[int, int], batch: int = 3) -> FloatGraph:
    graph, report = capture(model, (3, *size))
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    images = torch.randn(batch, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(graph(images), model.double()(images), rtol=1e-10, atol=1e-10)
    model.float()
    return graph


def _kinds(graph: FloatGraph) -> Counter[str]:
    return Counter(node.op.kind for node in graph)


@pytest.mark.slow
@pytest.mark.parametrize("folding", FOLDINGS)
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_every_way_to_write_it(folding: str, attention: str) -> None:
    model = settle(Hybrid(folding=folding, attention=attention, dim=8, heads=2))
    graph = _agree(model, (8, 12))
    assert _kinds(graph) == {
        "Input": 1,
        "Conv2d": 4,
        "Linear": 11,
        "Silu": 7,
        "Add": 3,
        "Unfold": 1,
        "Fold": 1,
        "LayerNorm": 3,
        "AttentionScores": 1,
        "Softmax": 1,
        "AttentionValues": 1,
        "Concat": 1,
        "GlobalAveragePool": 1,
    }
    (scores,) = (node for node in graph if node.op.kind == "AttentionScores")
    assert scores.op.heads == 2  # type: ignore[attr-defined]
    assert scores.op.scale == pytest.approx(0.5, rel=1e-12)  # type: ignore[attr-defined]
    (unfold,) = (node for node in graph if node.op.kind == "Unfold")
    assert unfold.op.patch == (2, 2)  # type: ignore[attr-defined]
    assert graph.shape(unfold.name) == (4, 6, 8)
    assert graph.shape(scores.name) == (4, 6, 2, 6)


@st.composite
def hybrids(draw: st.DrawFn) -> tuple[Hybrid, tuple[int, int]]:
    heads = draw(st.integers(1, 3))
    patch = draw(st.tuples(st.integers(1, 2), st.integers(1, 3)))
    grid = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    model = Hybrid(
        channels=draw(st.integers(2, 6)),
        dim=heads * draw(st.integers(1, 4)),
        heads=heads,
        depth=draw(st.integers(0, 2)),
        patch=patch,
        folding=draw(st.sampled_from(sorted(FOLDINGS))),
        attention=draw(st.sampled_from(sorted(ATTENTIONS))),
        act=draw(st.sampled_from([nn.SiLU, nn.GELU, nn.ReLU])),
    )
    return model, (2 * patch[0] * grid[0], 2 * patch[1] * grid[1])


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(hybrids())
def test_random_hybrids(case: tuple[Hybrid, tuple[int, int]]) -> None:
    model, size = case
    graph = _agree(settle(model), size, batch=2)
    kinds = _kinds(graph)
    assert kinds["AttentionScores"] == kinds["AttentionValues"] == len(model.block.transformer)
    assert len({node.name for node in graph}) == len(graph)


@pytest.mark.slow
def test_names_of_the_digits_model() -> None:
    graph, report = capture(settle(mobilevit_digits(pretrained=False)), (3, 32, 32))
    block = "stages.1.1.transformer.0"
    for name in (
        "input",
        "stem.conv",
        "stem.act",
        "stages.0.0.conv1_1x1.conv",
        "stages.0.1.add",
        "stages.1.1.unfold",
        f"{block}.norm1",
        f"{block}.attn.qkv.q",
        f"{block}.attn.qkv.k",
        f"{block}.attn.qkv.v",
        f"{block}.attn.scores",
        f"{block}.attn.softmax",
        f"{block}.attn.values",
        f"{block}.attn.proj",
        f"{block}.add",
        f"{block}.add_1",
        f"{block}.mlp.fc1",
        "stages.1.1.fold",
        "stages.1.1.concat",
        "head.pool",
        "head.fc",
    ):
        assert name in graph
    assert graph.output == "head.fc"
    assert graph.shape("head.fc") == (10,)
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    assert f"{block}.attn.qkv" not in graph  # split, and then without a reader
    kept = "\n".join(str(node.op) for node in graph)
    again, _ = capture(settle(mobilevit_digits(pretrained=False)), (3, 32, 32))
    assert [node.name for node in again] == [node.name for node in graph]
    assert "\n".join(str(node.op) for node in again) == kept


@pytest.mark.slow
@pytest.mark.parametrize("size", [64, 256])
def test_mobilevit_xxs(size: int) -> None:
    graph, report = capture(settle(mobilevit_xxs()), (3, size, size))
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    kinds = _kinds(graph)
    assert kinds["AttentionScores"] == 9
    assert kinds["Unfold"] == kinds["Fold"] == kinds["Concat"] == 3
    assert kinds["Conv2d"] == 14
    assert kinds["LayerNorm"] == 21
    assert graph.shape("stages.2.1.unfold") == (4, (size // 16) ** 2, 64)


@pytest.mark.slow
def test_the_module_is_left_as_it_is() -> None:
    model = Hybrid().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    capture(model, (3, 8, 8))
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.slow
def test_report_tells_the_fate_of_every_node() -> None:
    model = settle(Hybrid(attention="explicit"))
    graph, report = capture(model, (3, 8, 8))
    assert isinstance(report, CaptureReport)
    assert report.unsupported == ()
    by_target: dict[str, list[NodeReport]] = {}
    for entry in report.nodes:
        by_target.setdefault(entry.target.removeprefix("aten."), []).append(entry)
        assert entry.outcome
        assert all(name in graph for name in entry.names)
    named = {name for entry in report.nodes for name in entry.names}
    assert named == {node.name for node in graph}
    assert by_target["batch_norm.default"][0].outcome == "absorbed by stem.0"
    assert by_target["batch_norm.default"][0].status == "absorbed"
    assert by_target["conv2d.default"][0].outcome == "became stem.0 (Conv2d)"
    assert by_target["conv2d.default"][0].module == "stem.0"
    assert by_target["dropout.default"][0].outcome == "dropped: dropout in eval"
    attention = "block.transformer.0.attn"
    assert by_target["mul.Tensor"][0].outcome == f"constant factor, part of {attention}.scores"
    assert by_target["linear.default"][0].outcome == (
        f"split into {attention}.qkv.q (Linear), {attention}.qkv.k (Linear), "
        f"{attention}.qkv.v (Linear)"
    )
    assert "data movement, part of block.unfold" in {e.outcome for e in report.nodes}
    assert "data movement, part of block.fold" in {e.outcome for e in report.nodes}
    parameters = [entry for entry in report.nodes if entry.status == "parameter"]
    assert parameters
    assert parameters[0].outcome.startswith("parameter or buffer of conv2d")
    assert report["output"].outcome == "output is head (Linear)"
    text = str(report)
    assert "relative error against the module" in text
    assert "     1  AttentionScores" in text
    rows = [line for line in report.table().splitlines() if line]
    assert len(rows) == 2 + len(report.nodes) - len(parameters)
    assert len(report.table(parameters=True).splitlines()) == 2 + len(report.nodes)
    column = rows[0].index("operation")
    assert all(line[column - 1] == " " for line in rows)
    with pytest.raises(KeyError):
        report["nothing"]
