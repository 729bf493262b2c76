"""Masks and biases of positions on the scores of an attention, in the ways people write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import FloatGraph, UnsupportedModelError
from hyq_hls.capture.channel_affine import HIDDEN, PositionConstant
from hyq_hls.capture.float_ops import AttentionScores
from tests.capture.nets import captured, kinds

SHAPE = (8, 3, 4)
COUNT = 12
CAUSAL = torch.ones(COUNT, COUNT, dtype=torch.bool).tril()
ADDED = torch.zeros(COUNT, COUNT).masked_fill(~CAUSAL, -torch.inf)
BIAS = torch.sin(torch.arange(2.0 * COUNT * COUNT)).view(1, 2, COUNT, COUNT)
KINDS = ["Linear", "AttentionScores", "PositionConstant", "Softmax", "AttentionValues"]


class Constants(nn.Module):
    """Masks and biases as buffers, which follow the module into double precision."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("added", ADDED)
        self.register_buffer("bias", BIAS)
        self.register_buffer("nothing", torch.full((COUNT, COUNT), -torch.inf))
        self.register_buffer("table", torch.linspace(-1, 1, 2 * COUNT).view(2, COUNT))
        self.register_buffer("distance", (torch.arange(COUNT)[:, None] - torch.arange(COUNT)).abs())


#: A function of q, k, v ``(1, heads, N, D)`` and the constants.
Attention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Any], torch.Tensor]
Scores = Callable[[torch.Tensor, Any], torch.Tensor]
sdpa = functional.scaled_dot_product_attention


def graph_of(attention: Attention) -> FloatGraph:
    """The graph of an attention with two heads."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = m.qkv(x.flatten(2).mT).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
        return attention(q, k, v, m.c).transpose(1, 2).flatten(2).mean(1)

    return captured(forward, SHAPE, qkv=nn.Linear(8, 24), c=Constants())


def constant_of(graph: FloatGraph) -> PositionConstant:
    found = [node.op for node in graph if isinstance(node.op, PositionConstant)]
    assert len(found) == 1
    return found[0]


def by_hand(change: Scores) -> Attention:
    """Attention whose scores are changed before their softmax."""
    return lambda q, k, v, c: change(q @ k.mT, c).softmax(-1) @ v


CAUSAL_FORMS: dict[str, Attention] = {
    "is_causal": lambda q, k, v, c: sdpa(q, k, v, is_causal=True),
    "boolean": lambda q, k, v, c: sdpa(q, k, v, attn_mask=CAUSAL),
    "added": lambda q, k, v, c: sdpa(q, k, v, attn_mask=c.added),
    "by hand": by_hand(lambda s, c: s * 0.5 + c.added),
    "scaled afterwards": by_hand(lambda s, c: (s + c.added) / 2),
    "-100, as Swin": by_hand(lambda s, c: s + (~CAUSAL) * -100.0),
    "-10000": by_hand(lambda s, c: s + (~CAUSAL) * -1e4),
    "subtracted": by_hand(lambda s, c: s - (~CAUSAL) * 1e9),
    "masked_fill": by_hand(lambda s, c: s.masked_fill(~CAUSAL, -torch.inf)),
    "masked_fill in place": by_hand(lambda s, c: s.masked_fill_(~CAUSAL, float("-inf"))),
    "least float": by_hand(lambda s, c: s.masked_fill(~CAUSAL, torch.finfo(torch.float32).min)),
    "where": by_hand(lambda s, c: torch.where(CAUSAL, s, -1e9)),
    "where not": by_hand(lambda s, c: torch.where(~CAUSAL, torch.tensor(-torch.inf), s)),
}


@pytest.mark.parametrize("attention", CAUSAL_FORMS.values(), ids=CAUSAL_FORMS)
def test_causal_masks(attention: Attention) -> None:
    graph = graph_of(attention)
    found = [kind for kind in kinds(graph).values() if kind not in ("Unfold", "Linear")]
    assert found == [*KINDS[1:], "GlobalAveragePool"]
    hidden = constant_of(graph).hidden
    assert np.array_equal(hidden, np.broadcast_to(~CAUSAL.numpy()[:, None], hidden.shape))
    assert not constant_of(graph).constant[~hidden].any()


BIAS_FORMS: dict[str, Attention] = {
    "fused": lambda q, k, v, c: sdpa(q, k, v, attn_mask=c.bias),
    "by hand": by_hand(lambda s, c: s * 0.5 + c.bias),
    "product with addition": lambda q, k, v, c: (
        torch.baddbmm(
            c.bias[0].repeat(len(q), 1, 1), q.flatten(0, 1), k.flatten(0, 1).mT, alpha=0.5
        )
        .softmax(-1)
        .unflatten(0, (-1, 2))
        @ v
    ),
    "scaled afterwards": by_hand(lambda s, c: (s + 2 * c.bias) * 0.5),
    "two of them": by_hand(lambda s, c: s * 0.5 + 0.25 * c.bias + 0.75 * c.bias),
}


@pytest.mark.parametrize("attention", BIAS_FORMS.values(), ids=BIAS_FORMS)
def test_biases_of_positions(attention: Attention) -> None:
    op = constant_of(graph_of(attention))
    wanted = BIAS[0].permute(1, 0, 2).double().numpy()[None]
    assert not op.hidden.any()
    np.testing.assert_allclose(op.constant, wanted, rtol=1e-12)


def test_a_bias_and_a_mask_are_one_constant() -> None:
    """As in windowed attention, which adds them one after the other."""
    graph = graph_of(by_hand(lambda s, c: s + c.bias + c.added))
    op = constant_of(graph)
    hidden = np.broadcast_to(~CAUSAL.numpy()[:, None], op.constant.shape)
    assert np.array_equal(op.hidden, hidden)
    wanted = BIAS[0].permute(1, 0, 2).double().numpy()[None]
    assert np.array_equal(op.constant[~hidden], wanted[~hidden])


def test_a_key_that_nobody_sees() -> None:
    mask = torch.arange(COUNT)[None] != 5
    op = constant_of(graph_of(lambda q, k, v, c: sdpa(q, k, v, attn_mask=mask)))
    assert np.array_equal(op.hidden, np.broadcast_to(~mask.numpy(), op.hidden.shape))


def test_learned_biases_by_an_index() -> None:
    """LeViT and EfficientFormer: a bias for each distance of two positions, read by an index."""
    op = constant_of(graph_of(by_hand(lambda s, c: s * 0.5 + c.table[:, c.distance])))
    assert op.constant.shape == (1, COUNT, 2, COUNT)
    assert len(np.unique(op.constant)) == 2 * COUNT


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("boolean", [False, True])
def test_multihead_attention(need_weights: bool, boolean: bool) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        mask = ~CAUSAL if boolean else m.c.added
        y = x.flatten(2).mT
        out, _ = m.attn(y, y, y, attn_mask=mask, need_weights=need_weights)
        result: torch.Tensor = out.mean(1)
        return result

    attn = nn.MultiheadAttention(8, 2, batch_first=True)
    assert constant_of(captured(forward, SHAPE, attn=attn, c=Constants())).hidden.sum() == 132


@pytest.mark.slow
def test_transformer_encoder() -> None:
    mask = nn.Transformer.generate_square_subsequent_mask(COUNT)

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = m.encoder(x.flatten(2).mT, mask=mask, is_causal=True).mean(1)
        return result

    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    graph = captured(forward, SHAPE, encoder=nn.TransformerEncoder(layer, 2))
    hidden = [node.op.hidden.sum() for node in graph if isinstance(node.op, PositionConstant)]
    assert hidden == [132, 132]


def test_the_scale_of_the_scores_takes_up_a_factor_behind_a_bias() -> None:
    graph = graph_of(by_hand(lambda s, c: (s + c.bias) * 0.25))
    scores = next(node.op for node in graph if isinstance(node.op, AttentionScores))
    assert scores.scale == 0.25


def test_hidden_is_no_probability_in_any_float() -> None:
    for dtype in (torch.float32, torch.float64):
        scores = torch.tensor([300.0, -300.0 + HIDDEN, 300 + HIDDEN], dtype=dtype)
        assert scores.softmax(-1).tolist() == [1, 0, 0]


def _refused(attention: Attention) -> str:
    with pytest.raises(UnsupportedModelError) as caught:
        graph_of(attention)
    return str(caught.value)


@pytest.mark.parametrize(
    ("attention", "found"),
    [
        (
            by_hand(lambda s, c: s.masked_fill(~CAUSAL, -torch.inf).masked_fill(CAUSAL, -1e9)),
            "hides",
        ),
        (by_hand(lambda s, c: s + c.nothing), "hides all 12 keys"),
        (by_hand(lambda s, c: s * c.bias), "factors that differ between the scores"),
        (by_hand(lambda s, c: s.masked_fill(~CAUSAL, 0.0)), "masked_fill of 'scores'"),
        (by_hand(lambda s, c: s.masked_fill(s > 0, -1e9)), "gt"),
        (
            lambda q, k, v, c: sdpa(q, k, v, attn_mask=q @ k.mT),
            "attn_mask that is computed from the image",
        ),
        (lambda q, k, v, c: sdpa(q, k, v) + torch.full((4,), -torch.inf), "infinite values"),
    ],
)
def test_what_is_no_mask_is_refused(attention: Attention, found: str) -> None:
    assert found in _refused(attention)
