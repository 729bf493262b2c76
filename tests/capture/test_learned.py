"""Learned tensors that no layer takes up: queries, factors of positions; maxima; shuffles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.reduced.mobile_former import small_config
from hyq_hls.capture.constant import Constant
from hyq_hls.capture.elementwise import Clamp
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.capture.maximum import Maximum
from hyq_hls.errors import ShapeError
from hyq_hls.models import MobileFormer
from tests.capture.hybrids import settle
from tests.capture.nets import Forward, captured, kinds


def written_out(m: Any, x: torch.Tensor) -> Any:
    x = m.conv(x).flatten(2)
    q = m.tokens.weight[None].unflatten(-1, (2, 2)).transpose(1, 2)
    k = x.unflatten(1, (2, 2))
    return ((q @ k * 0.7).softmax(-1) @ k.mT).transpose(1, 2).flatten(2)


def fused(m: Any, x: torch.Tensor) -> Any:
    x = m.conv(x).flatten(2).mT
    q, k = (t.unflatten(-1, (2, 2)).transpose(1, 2) for t in (m.tokens.weight[None], x))
    return functional.scaled_dot_product_attention(q, k, k).transpose(1, 2).flatten(2)


def one_head(m: Any, x: torch.Tensor) -> Any:
    x = m.conv(x).flatten(2)
    return (m.tokens.weight @ x).softmax(-1) @ x.mT


@pytest.mark.parametrize("forward", [written_out, fused, one_head])
def test_learned_queries_attend_to_a_map(forward: Forward) -> None:
    tokens = nn.Embedding(3, 4)
    graph = captured(forward, conv=nn.Conv2d(3, 4, 1), tokens=tokens)
    (learned,) = (node for node in graph if isinstance(node.op, Constant))
    assert isinstance(learned.op, Constant)
    assert np.array_equal(learned.op.value, tokens.weight.detach().numpy()[None])
    (scores,) = (node for node in graph if node.op.kind == "AttentionScores")
    assert scores.inputs[0] == learned.name
    assert graph.shape(scores.name) == (1, 3, 1 if forward is one_head else 2, 24)


def test_a_constant_has_as_many_images_as_the_batch() -> None:
    graph = captured(one_head, conv=nn.Conv2d(3, 4, 1), tokens=nn.Embedding(3, 4))
    images = torch.rand(5, 3, 4, 6).double()
    values = graph.run(images)
    (name,) = (node.name for node in graph if isinstance(node.op, Constant))
    assert values[name].shape == (5, 1, 3, 4)
    assert values[name].dtype == torch.float64


def test_factors_of_positions_are_a_learned_tensor() -> None:
    layers = {"conv": nn.Conv2d(3, 4, 1), "factors": nn.Embedding(4, 6)}
    graph = captured(lambda m, x: m.conv(x) * m.factors.weight + 1, (3, 4, 6), **layers)
    assert sorted(kinds(graph).values()) == ["ChannelAffine", "Constant", "Linear", "Multiply"]


def test_factors_of_channels_are_none() -> None:
    layers = {"conv": nn.Conv2d(3, 4, 1), "factors": nn.Embedding(4, 1)}
    graph = captured(lambda m, x: m.conv(x) * m.factors.weight[:, None], (3, 4, 6), **layers)
    assert list(kinds(graph).values()) == ["Linear"]


def test_maxima_of_maps_tokens_and_a_number() -> None:
    layers = {"a": nn.Conv2d(3, 4, 1), "b": nn.Conv2d(3, 4, 1)}
    graph = captured(lambda m, x: torch.maximum(m.a(x), m.b(x)), (3, 4, 6), **layers)
    assert list(kinds(graph).values()) == ["Linear", "Linear", "Maximum"]
    graph = captured(
        lambda m, x: torch.maximum(m.a(x).flatten(2).mT, m.b(x).permute(0, 2, 3, 1).flatten(1, 2)),
        (3, 4, 6),
        **layers,
    )
    assert list(kinds(graph).values()).count("Maximum") == 1
    graph = captured(lambda m, x: torch.maximum(m.a(x), torch.tensor(0.5)), (3, 4, 6), **layers)
    (bound,) = (node.op for node in graph if isinstance(node.op, Clamp))
    assert isinstance(bound, Clamp)
    assert (bound.minimum, bound.maximum) == (0.5, float("inf"))
    with pytest.raises(ShapeError, match="two equal shapes"):
        Maximum().output_shape((2, 3), (3,))


def shuffled(x: torch.Tensor, groups: int) -> torch.Tensor:
    batch, channels, *size = x.shape
    grouped = x.reshape(batch, groups, channels // groups, *size)
    return grouped.transpose(1, 2).reshape(x.shape)


def test_channels_are_shuffled_between_grouped_convolutions() -> None:
    """Depthwise filters and gates take the order of the channels; the last layer gets zeros."""

    def forward(m: Any, x: torch.Tensor) -> Any:
        y = shuffled(m.first(x), 2)
        gate = m.gate(x.mean((2, 3))).relu()
        return m.last(m.depthwise(y * gate[:, :, None, None]))

    graph = captured(
        forward,
        (4, 4, 6),
        first=nn.Conv2d(4, 8, 1, groups=2),
        gate=nn.Linear(4, 8),
        depthwise=nn.Conv2d(8, 16, 3, padding=1, groups=8),
        last=nn.Conv2d(16, 4, 1, groups=4),
    )
    found = kinds(graph)
    assert [found[name] for name in ("first", "depthwise", "last")] == [
        "Conv2d",
        "Conv2d",
        "Linear",
    ]
    last = next(node.op for node in graph if node.name == "last")
    assert (last.weight != 0).sum() == 4 * 4  # type: ignore[attr-defined]


def test_a_map_that_tokens_gate_stays_a_map() -> None:
    """The convolution behind it reads it as it is; only the attention takes tokens of a map."""

    def forward(m: Any, x: torch.Tensor) -> Any:
        gate = m.gate(one_head(m, x).mean(1)).sigmoid()
        return m.last(m.conv(x) * gate[:, :, None, None])

    layers = {"conv": nn.Conv2d(3, 4, 1), "gate": nn.Linear(4, 4), "last": nn.Conv2d(4, 4, 3)}
    graph = captured(forward, (3, 4, 6), tokens=nn.Embedding(3, 4), **layers)
    found = list(kinds(graph).values())
    assert found.count("Unfold") == 1
    assert "Fold" not in found


@pytest.mark.slow
@pytest.mark.parametrize("groups", [1, 2])
def test_mobile_former(groups: int) -> None:
    """Tokens are constants as far as they are the same for all images."""
    model = settle(MobileFormer(small_config(groups=groups)))
    graph: FloatGraph = captured(lambda m, x: m.net(x), (3, 12, 20), net=model)
    found = list(kinds(graph).values())
    assert found.count("Constant") == 2  # queries of the first bridge, and its gates
    assert found.count("Maximum") == 4
    assert found.count("AttentionScores") == 2 * 3 + 1
    assert found.count("PositionConstant") == found.count("Concat") == 1
    assert "ChannelAffine" not in found
    maps = [n for n in graph if n.op.kind == "AttentionScores" and graph.shape(n.name)[1] > 2]
    assert [graph.shape(node.name) for node in maps] == [(1, 60, 2, 2), (1, 15, 2, 2)]
