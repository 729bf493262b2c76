"""Attention in the ways in which people write it, with PyTorch's modules and by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import UnsupportedModelError, capture, float_ops
from tests.capture.hybrids import fold_by_permute, settle, unfold_by_permute
from tests.capture.nets import Forward, Net, captured, kinds

ATTENTION = ["AttentionScores", "Softmax", "AttentionValues"]


def _attention_of(forward: Forward, shape: tuple[int, int, int], **layers: nn.Module) -> list[str]:
    """The kinds of the nodes of attention in the captured graph."""
    graph = captured(forward, shape, **layers)
    return [kind for kind in kinds(graph).values() if kind in ATTENTION]


def _tokens(x: torch.Tensor, batch_first: bool = True) -> torch.Tensor:
    return x.flatten(2).transpose(1, 2) if batch_first else x.flatten(2).permute(2, 0, 1)


@pytest.mark.parametrize("rows", [False, True])
def test_axial_attention_is_attention_with_long_patches(rows: bool) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = x.permute(0, 2, 3, 1) if rows else x.permute(0, 3, 2, 1)
        q, k, v = m.qkv(y).chunk(3, -1)
        y = functional.scaled_dot_product_attention(q, k, v, scale=0.25)
        return y.permute(0, 3, 1, 2) if rows else y.permute(0, 3, 2, 1)

    graph = captured(forward, (4, 3, 5), qkv=nn.Linear(4, 12))
    scores = graph["scores"]
    assert graph.shape("scores") == ((3, 5, 1, 5) if rows else (5, 3, 1, 3))
    assert isinstance(scores.op, float_ops.AttentionScores)
    assert scores.op.scale == 0.25


def test_transposed_products() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = m.qkv(_tokens(x)).chunk(3, -1)
        attention = torch.softmax(torch.matmul(q, k.mT).div(3.0), dim=2)
        return torch.matmul(v.mT, attention.mT)

    graph = captured(forward, (4, 3, 2), qkv=nn.Linear(4, 12))
    assert [node.op.kind for node in graph][-3:] == ["Softmax", "Linear", "AttentionValues"]


def test_shared_keys_of_several_heads() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = _tokens(x)
        q = m.q(y).unflatten(-1, (2, 3)).transpose(1, 2)
        k, v = (f(y).unsqueeze(1).expand(-1, 2, -1, -1) for f in (m.k, m.v))
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

    layers = (nn.Linear(4, 6), nn.Linear(4, 3), nn.Linear(4, 3))
    graph = captured(forward, (4, 3, 2), q=layers[0], k=layers[1], v=layers[2])
    assert graph.shape("k.k") == (1, 6, 6)


def test_attention_with_an_axis_for_the_pixels_of_a_patch() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = unfold_by_permute(x, (1, 2))  # (B, P, N, C)
        q, k, v = m.qkv(m.norm(y)).unflatten(-1, (3, 2, -1)).permute(3, 0, 1, 4, 2, 5)
        scores = q @ k.transpose(-1, -2) * 0.5
        out = (scores.softmax(-1) @ v).transpose(2, 3).flatten(-2)
        result: torch.Tensor = m.conv(fold_by_permute(out + y, (1, 2), (3, 4)))
        return result

    layers = {"norm": nn.LayerNorm(6), "qkv": nn.Linear(6, 18), "conv": nn.Conv2d(6, 2, 3)}
    graph = captured(forward, (6, 3, 4), **layers)
    assert list(kinds(graph)) == [
        *("unfold", "norm", "qkv.q", "qkv.k", "scores", "softmax", "qkv.v", "values"),
        *("add", "fold", "conv"),
    ]
    assert graph["unfold"].op.patch == (1, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("need_weights", [False, True])
def test_multihead_attention_module(batch_first: bool, need_weights: bool) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = _tokens(x, batch_first)
        out, _ = m.attn(y, y, y, need_weights=need_weights)
        result: torch.Tensor = (y + out).mean(1 if batch_first else 0)
        return result

    attn = nn.MultiheadAttention(8, 2, batch_first=batch_first)
    graph = captured(forward, (8, 3, 5), attn=attn)
    scores = graph["attn.scores"].op
    assert isinstance(scores, float_ops.AttentionScores)
    assert scores.heads == 2
    assert graph.shape("attn.scores") == (1, 15, 2, 15)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
def test_transformer_encoder_layer(norm_first: bool, batch_first: bool) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = m.layer(_tokens(x, batch_first)).mean(1 if batch_first else 0)
        return result

    layer = nn.TransformerEncoderLayer(
        8, 2, 16, activation="gelu", norm_first=norm_first, batch_first=batch_first
    )
    assert _attention_of(forward, (8, 3, 4), layer=layer) == ATTENTION


def test_keys_and_values_of_a_smaller_map() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        few = _tokens(m.reduce(x))
        out, _ = m.attn(_tokens(x), few, m.norm(few))
        result: torch.Tensor = out.mean(1)
        return result

    graph = captured(
        forward,
        (8, 4, 6),
        reduce=nn.Conv2d(8, 6, 2, 2),
        norm=nn.LayerNorm(6),
        attn=nn.MultiheadAttention(8, 2, kdim=6, vdim=6, batch_first=True),
    )
    assert graph.shape("attn.scores") == (1, 24, 2, 6)


def _by_view(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Heads as entries of the batch of ``bmm``, as in PyTorch's own module."""
    count, batch, _ = q.shape
    q, k, v = (z.reshape(count, 2 * batch, 4).transpose(0, 1) for z in (q, k, v))
    out = torch.bmm(torch.bmm(q * 0.5, k.transpose(1, 2)).softmax(-1), v)
    return out.transpose(0, 1).reshape(count, batch, 8)


def _by_einsum(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    q, k, v = (z.unflatten(-1, (2, 4)) for z in (q, k, v))
    attention = torch.einsum("nbhd,mbhd->bhnm", q, k).mul(0.5).softmax(-1)
    return torch.einsum("bhnm,mbhd->nbhd", attention, v).flatten(-2)


def _fused(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    q, k, v = (z.unflatten(-1, (2, 4)).permute(1, 2, 0, 3) for z in (q, k, v))
    return functional.scaled_dot_product_attention(q, k, v).permute(2, 0, 1, 3).flatten(-2)


@pytest.mark.parametrize("attention", [_by_view, _by_einsum, _fused])
def test_sequence_first_by_hand(attention: Callable[..., torch.Tensor]) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        return attention(*m.qkv(_tokens(x, batch_first=False)).chunk(3, -1)).mean(0)

    assert _attention_of(forward, (8, 3, 4), qkv=nn.Linear(8, 24)) == ATTENTION


@pytest.mark.parametrize(
    "weights",
    [
        lambda a: (a - a.amax(-1, keepdim=True)).softmax(-1),
        lambda a: torch.softmax(a - a.amax(), -1),
        lambda a: functional.softmax(a - a.max(-1, keepdim=True).values.detach(), dim=2),
        lambda a: a.exp() / a.exp().sum(-1, keepdim=True),
    ],
)
def test_softmax_that_guards_against_overflow(weights: Forward) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = m.qkv(_tokens(x)).chunk(3, -1)
        result: torch.Tensor = (weights(q @ k.mT * 0.5) @ v).mean(1)
        return result

    assert _attention_of(forward, (8, 3, 4), qkv=nn.Linear(8, 24)) == ATTENTION


def test_a_difference_along_the_softmax_stays() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = m.qkv(_tokens(x)).chunk(3, -1)
        a = q @ k.mT
        result: torch.Tensor = (a - a.amax(1, keepdim=True)).softmax(-1) @ v
        return result

    with pytest.raises(UnsupportedModelError, match="amax"):
        captured(forward, (8, 3, 4), qkv=nn.Linear(8, 24))


@pytest.mark.parametrize("mask", [torch.zeros(12, 12), torch.ones(12, 12, dtype=torch.bool)])
def test_a_mask_that_masks_nothing(mask: torch.Tensor) -> None:
    """The mask is no buffer: it stays float32 in a module of float64."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = m.qkv(_tokens(x)).unsqueeze(1).chunk(3, -1)
        out = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return out.squeeze(1).mean(1)

    graph, report = capture(settle(Net(forward, qkv=nn.Linear(8, 24))), (8, 3, 4))
    assert [kind for kind in kinds(graph).values() if kind in ATTENTION] == ATTENTION
    assert report.relative_error is not None
    assert report.relative_error < 1e-5
