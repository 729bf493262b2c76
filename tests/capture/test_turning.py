"""Channels in the place of positions: attention over channels, linear attention, MLP-Mixer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks._families_levels import emulation_equal
from hyq_hls import quantize
from hyq_hls.support import sqnr_db
from tests.capture.hybrids import settle
from tests.capture.nets import Net, captured, kinds


class _CrossCovariance(nn.Module):
    """Cross-covariance attention as XCiT and EdgeNeXt write it, or by the fused operation."""

    def __init__(self, heads: int, fused: bool) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.temperature = nn.Parameter(torch.linspace(1, 2, heads).reshape(-1, 1, 1))
        self.fused = fused

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, count, width = x.shape
        heads = len(self.temperature)
        qkv = self.qkv(x).reshape(batch, count, 3, heads, width // heads)
        q, k, v = qkv.permute(2, 0, 3, 4, 1).unbind(0)
        q, k = functional.normalize(q, dim=-1), functional.normalize(k, dim=-1)
        if self.fused:
            q = q * self.temperature
            y = functional.scaled_dot_product_attention(q, k, v, scale=1.0)
        else:
            y = ((q @ k.mT) * self.temperature).softmax(-1) @ v
        found: torch.Tensor = self.proj(y.permute(0, 3, 1, 2).reshape(batch, count, width))
        return found


class Linear(nn.Module):
    """Linear attention: the keys weigh the values first, and the queries weigh the result."""

    def __init__(self, kernel: str) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(8, 24), nn.Linear(8, 8)
        self.kernel = kernel

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, count, width = x.shape
        qkv = self.qkv(x).reshape(batch, count, 3, 2, width // 2)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        if self.kernel == "softmax":  # as CoaT has it, with its products of queries and values
            y = 0.5 * (q @ (k.softmax(2).mT @ v))
            y = y + functional.pad(q[:, :, 1:] * v[:, :, 1:], (0, 0, 1, 0))
        else:
            y = q.relu() @ (k.relu().mT @ v)
        found: torch.Tensor = self.proj(y.transpose(1, 2).reshape(batch, count, width))
        return found


def of_tokens(m: Any, x: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = m.layer(m.stem(x).flatten(2).mT)
    return result


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("heads", [1, 2])
def test_cross_covariance_attention(heads: int, fused: bool) -> None:
    graph = captured(of_tokens, stem=nn.Conv2d(3, 8, 1), layer=_CrossCovariance(heads, fused))
    (scores,) = (name for name, kind in kinds(graph).items() if kind == "AttentionScores")
    assert graph.shape(scores) == (heads, 8 // heads, 1, 8 // heads)
    found = list(kinds(graph).values())
    assert found.count("Transpose") == 4
    assert found.count("PermutePositions") == (4 if heads > 1 else 0)


@pytest.mark.parametrize("kernel", ["softmax", "relu"])
def test_linear_attention(kernel: str) -> None:
    graph = captured(of_tokens, stem=nn.Conv2d(3, 8, 1), layer=Linear(kernel))
    found = kinds(graph)
    (scores,) = (name for name, kind in found.items() if kind == "AttentionScores")
    assert graph.shape(scores) == (2, 4, 1, 4)  # no product of every query with every key
    assert list(found.values()).count("Transpose") == 4


@pytest.mark.parametrize("layer", [_CrossCovariance(2, False), Linear("softmax"), Linear("relu")])
def test_their_integers(layer: nn.Module) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    model = settle(Net(of_tokens, stem=nn.Conv2d(3, 8, 3), layer=layer))
    qmodel = quantize(model, images, progress=False)
    with torch.no_grad():
        wanted = model.double()(torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255)
    assert sqnr_db(wanted.numpy(), qmodel.predict(images)) > 30
    assert emulation_equal(qmodel, images[:2])


def test_factors_of_heads_multiply_the_queries() -> None:
    """Swin V2 has a learned factor for each head, in the place of one over a square root."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.stem(x).flatten(2).mT
        q, k, v = (layer(y).unflatten(2, (2, 4)).transpose(1, 2) for layer in (m.q, m.k, m.v))
        scores = (q @ k.mT) * torch.tensor([0.5, 3.0]).reshape(2, 1, 1)
        result: torch.Tensor = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
        return result

    layers = {name: nn.Linear(8, 8) for name in ("q", "k", "v")}
    graph = captured(forward, (3, 4, 6), stem=nn.Conv2d(3, 8, 1), **layers)
    assert "ChannelAffine" not in kinds(graph).values()  # The weights of the queries take them up.


def test_layers_over_positions() -> None:
    """The token mixing of MLP-Mixer."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.norm(m.stem(x).flatten(2).mT)
        y = y + m.down(m.up(y.mT).relu()).mT
        result: torch.Tensor = m.head(y.mean(1))
        return result

    layers = {"norm": nn.LayerNorm(8), "up": nn.Linear(24, 6), "down": nn.Linear(6, 24)}
    graph = captured(forward, (3, 4, 6), stem=nn.Conv2d(3, 8, 1), **layers, head=nn.Linear(8, 5))
    assert list(kinds(graph).values()).count("Transpose") == 2
    assert graph.shape("up") == (1, 8, 6)
