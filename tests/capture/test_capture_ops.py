"""Single patterns: each small module is captured, compared, and its graph looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import FloatGraph, capture, float_ops
from tests.capture.hybrids import fold_by_permute, settle, unfold_by_permute

EXACT = 1e-12
Forward = Callable[..., torch.Tensor]


class Net(nn.Module):
    """Layers by name, and a forward function of them."""

    def __init__(self, forward: Forward, **layers: nn.Module) -> None:
        super().__init__()
        self.function = forward
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(self, x)


def _capture(
    forward: Forward, shape: tuple[int, int, int] = (3, 4, 6), **layers: nn.Module
) -> FloatGraph:
    graph, report = capture(settle(Net(forward, **layers)), shape)
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    return graph


def _nodes(graph: FloatGraph) -> dict[str, str]:
    return {node.name: node.op.kind for node in graph if node.op.kind != "Input"}


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (nn.Conv2d(3, 4, 3), "Conv2d"),
        (nn.Conv2d(3, 4, (1, 3), (2, 1), (0, 1), bias=False), "Conv2d"),
        (nn.Conv2d(3, 4, 3, padding="same"), "Conv2d"),
        (nn.Conv2d(3, 4, 3, padding="valid"), "Conv2d"),
        (nn.Conv2d(3, 3, 3, groups=3, padding=1), "Conv2d"),
        (nn.Conv2d(3, 3, 1, groups=3), "Conv2d"),
        (nn.Conv2d(3, 4, 1, stride=2), "Conv2d"),
        (nn.Conv2d(3, 4, 1), "Linear"),
    ],
)
@pytest.mark.parametrize("norm", [False, True])
def test_convolutions(layer: nn.Conv2d, kind: str, norm: bool) -> None:
    bn = nn.BatchNorm2d(layer.out_channels, eps=0.1) if norm else nn.Identity()
    graph = _capture(lambda m, x: m.bn(m.conv(x)), conv=layer, bn=bn)
    assert _nodes(graph) == {"conv": kind}


@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_after_linear(affine: bool) -> None:
    graph = _capture(
        lambda m, x: m.bn(m.fc(x.mean((2, 3)))),
        fc=nn.Linear(3, 4),
        bn=nn.BatchNorm1d(4, affine=affine),
    )
    assert _nodes(graph) == {"pool": "GlobalAveragePool", "fc": "Linear"}


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (nn.SiLU(), "Silu"),
        (nn.SiLU(inplace=True), "Silu"),
        (nn.ReLU(), "Relu"),
        (nn.ReLU(inplace=True), "Relu"),
        (nn.GELU(), "Gelu"),
        (nn.GELU(approximate="tanh"), "Gelu"),
    ],
)
def test_activations(act: nn.Module, kind: str) -> None:
    graph = _capture(lambda m, x: m.act(m.conv(x)), conv=nn.Conv2d(3, 4, 3), act=act)
    assert _nodes(graph) == {"conv": "Conv2d", "act": kind}


@pytest.mark.parametrize(
    "swish",
    [
        lambda m, x: functional.silu(x),
        lambda m, x: x * torch.sigmoid(x),
        lambda m, x: x.sigmoid() * x,
    ],
)
def test_functional_activations_are_named_by_kind(swish: Forward) -> None:
    assert _nodes(_capture(swish)) == {"silu": "Silu"}


def test_in_place_changes_reach_all_views_of_the_memory() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        flat = y.flatten(2)  # a view
        copy = y.clone()
        y.relu_()
        y += copy
        result: torch.Tensor = flat.unflatten(2, y.shape[2:]) + copy
        return result

    graph = _capture(forward, conv=nn.Conv2d(3, 4, 3, padding=1))
    assert list(_nodes(graph).values()) == ["Conv2d", "Relu", "Add", "Add"]
    assert graph["add"].inputs == ("relu", "conv")
    assert graph["add_1"].inputs == ("add", "conv")


def test_in_place_gate() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.conv(x)
        result: torch.Tensor = y.mul_(y.sigmoid())
        return result

    assert _nodes(_capture(forward, conv=nn.Conv2d(3, 4, 3))) == {"conv": "Conv2d", "silu": "Silu"}


@pytest.mark.parametrize(
    "pool",
    [
        lambda x: functional.adaptive_avg_pool2d(x, 1).flatten(1),
        lambda x: functional.adaptive_avg_pool2d(x, (1, 1)).squeeze(-1).squeeze(-1),
        lambda x: functional.avg_pool2d(x, (4, 6)).view(1, -1),
        lambda x: x.mean((2, 3)),
        lambda x: x.mean((-1, -2), keepdim=True).reshape(1, 4),
        lambda x: x.flatten(2).mean(-1),
        lambda x: x.permute(0, 2, 3, 1).mean((1, 2)),
        lambda x: functional.adaptive_avg_pool1d(x.flatten(2), 1)[:, :, 0],
    ],
)
def test_global_average_pooling(pool: Callable[[torch.Tensor], torch.Tensor]) -> None:
    graph = _capture(
        lambda m, x: m.fc(pool(m.conv(x))), conv=nn.Conv2d(3, 4, 1), fc=nn.Linear(4, 2)
    )
    assert _nodes(graph) == {"conv": "Linear", "pool": "GlobalAveragePool", "fc": "Linear"}


def test_layer_norm_over_channels_of_a_map() -> None:
    graph = _capture(
        lambda m, x: m.conv(m.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)),
        norm=nn.LayerNorm(3, eps=0.1),
        conv=nn.Conv2d(3, 4, 3),
    )
    assert _nodes(graph) == {"norm": "LayerNorm", "conv": "Conv2d"}
    plain = _capture(lambda m, x: functional.layer_norm(x.movedim(1, -1), (3,)))
    assert _nodes(plain) == {"norm": "LayerNorm"}


def test_concatenation_of_parts_is_a_movement() -> None:
    def shuffle(m: Any, x: torch.Tensor) -> torch.Tensor:
        a, b = m.conv(x).chunk(2, dim=1)
        result: torch.Tensor = m.fuse(torch.cat((b, a), dim=1))
        return result

    graph = _capture(shuffle, conv=nn.Conv2d(3, 4, 3), fuse=nn.Conv2d(4, 2, 1))
    assert graph["fuse"].inputs[0].startswith("concat")


def test_part_of_the_channels() -> None:
    def split(m: Any, x: torch.Tensor) -> torch.Tensor:
        a, b = m.conv(x).split((1, 3), dim=1)
        return torch.cat((functional.silu(b), m.next(a)), dim=1)

    graph = _capture(split, conv=nn.Conv2d(3, 4, 3), next=nn.Conv2d(1, 2, 1))
    assert {"conv.part0", "conv.part1", "silu", "next", "concat"} <= set(_nodes(graph))
    assert "conv" not in graph


def test_channel_shuffle_is_absorbed_by_the_next_weights() -> None:
    def shuffle(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(m.conv(x))
        y = y.unflatten(1, (2, 3)).transpose(1, 2).flatten(1, 2)
        result: torch.Tensor = m.next(y)
        return result

    graph = _capture(shuffle, conv=nn.Conv2d(3, 6, 3), next=nn.Conv2d(6, 2, 1))
    assert _nodes(graph) == {"conv": "Conv2d", "relu": "Relu", "next": "Linear"}


def test_the_layer_before_absorbs_constants() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 4)
            self.gamma = nn.Parameter(torch.ones(4))
            self.beta = nn.Parameter(torch.ones(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.fc(x.permute(0, 2, 3, 1)) * self.gamma + self.beta
            result: torch.Tensor = (0 + y).permute(0, 3, 1, 2)
            return result

    graph, report = capture(settle(Scaled()), (3, 4, 4))
    assert _nodes(graph) == {"fc": "Linear"}
    assert report["mul"].outcome == "absorbed by fc"


def test_weights_computed_from_parameters() -> None:
    conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    graph, report = capture(Net(lambda m, x: m.conv(x), conv=conv), (3, 4, 4))
    assert [node.op.kind for node in graph] == ["Input", "Conv2d"]
    assert any(entry.status == "constant" for entry in report.nodes)


def test_a_module_called_twice_has_two_nodes() -> None:
    graph = _capture(
        lambda m, x: m.act(m.conv(m.act(m.conv(x)))), conv=nn.Conv2d(3, 3, 1), act=nn.SiLU()
    )
    assert len(_nodes(graph)) == 4
    assert graph[graph.output].name.startswith("act")


def test_nodes_without_effect_are_dropped() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        m.unused(x)
        result: torch.Tensor = m.conv(m.drop(x)).to(torch.float32)
        return result

    model = Net(forward, conv=nn.Conv2d(3, 4, 3), unused=nn.Conv2d(3, 4, 3), drop=nn.Dropout2d())
    graph, report = capture(model, (3, 4, 4))
    assert _nodes(graph) == {"conv": "Conv2d"}
    assert report["conv2d"].outcome == "dropped: the output does not depend on it"
    outcomes = {entry.outcome for entry in report.nodes}
    assert "dropped: dropout in eval" in outcomes


def test_maps_and_tokens_as_output() -> None:
    graph = _capture(lambda m, x: x)
    assert _nodes(graph) == {}
    graph = _capture(lambda m, x: m.fc(x.flatten(2).transpose(1, 2)), fc=nn.Linear(3, 4))
    assert _nodes(graph) == {"unfold": "Unfold", "fc": "Linear"}
    assert graph.shape("fc") == (1, 24, 4)
    graph = _capture(
        lambda m, x: m.fc(x.flatten(2).mT).mT.unflatten(-1, x.shape[2:]), fc=nn.Linear(3, 4)
    )
    assert list(_nodes(graph)) == ["unfold", "fc"]  # The order of an output costs no node.


class _Sequence(nn.Module):
    """Tokens of all positions through PyTorch's own attention module."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(2).transpose(1, 2)
        y = self.norm(x)
        y, _ = self.attn(y, y, y, need_weights=False)
        result: torch.Tensor = x + y
        return result


def test_multihead_attention_module() -> None:
    graph, report = capture(settle(_Sequence()), (8, 3, 5))
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    scores = graph["attn.scores"].op
    assert isinstance(scores, float_ops.AttentionScores)
    assert scores.heads == 2
    assert graph.shape("attn.scores") == (1, 15, 2, 15)


@pytest.mark.parametrize("rows", [False, True])
def test_axial_attention_is_attention_with_long_patches(rows: bool) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = x.permute(0, 2, 3, 1) if rows else x.permute(0, 3, 2, 1)
        q, k, v = m.qkv(y).chunk(3, -1)
        y = functional.scaled_dot_product_attention(q, k, v, scale=0.25)
        return y.permute(0, 3, 1, 2) if rows else y.permute(0, 3, 2, 1)

    graph = _capture(forward, (4, 3, 5), qkv=nn.Linear(4, 12))
    scores = graph["scores"]
    assert graph.shape("scores") == ((3, 5, 1, 5) if rows else (5, 3, 1, 3))
    assert isinstance(scores.op, float_ops.AttentionScores)
    assert scores.op.scale == 0.25


def test_transposed_products() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = m.qkv(x.flatten(2).mT).chunk(3, -1)
        attention = torch.softmax(torch.matmul(q, k.mT).div(3.0), dim=2)
        return torch.matmul(v.mT, attention.mT)

    graph = _capture(forward, (4, 3, 2), qkv=nn.Linear(4, 12))
    assert [node.op.kind for node in graph][-3:] == ["Softmax", "Linear", "AttentionValues"]


def test_shared_keys_of_several_heads() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = x.flatten(2).mT
        q = m.q(y).unflatten(-1, (2, 3)).transpose(1, 2)
        k, v = (f(y).unsqueeze(1).expand(-1, 2, -1, -1) for f in (m.k, m.v))
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

    layers = (nn.Linear(4, 6), nn.Linear(4, 3), nn.Linear(4, 3))
    graph = _capture(forward, (4, 3, 2), q=layers[0], k=layers[1], v=layers[2])
    assert graph.shape("k.k") == (1, 6, 6)


def test_attention_with_an_axis_for_the_pixels_of_a_patch() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = unfold_by_permute(x, (1, 2))  # (B, P, N, C)
        q, k, v = m.qkv(m.norm(y)).unflatten(-1, (3, 2, -1)).permute(3, 0, 1, 4, 2, 5)
        scores = q @ k.transpose(-1, -2) * 0.5
        out = (scores.softmax(-1) @ v).transpose(2, 3).flatten(-2)
        return fold_by_permute(out + y, (1, 2), (3, 4))

    graph = _capture(forward, (6, 3, 4), norm=nn.LayerNorm(6), qkv=nn.Linear(6, 18))
    assert list(_nodes(graph)) == [
        *("unfold", "norm", "qkv.q", "qkv.k", "scores", "softmax", "qkv.v", "values"),
        *("add", "fold"),
    ]
    assert graph["unfold"].op.patch == (1, 2)  # type: ignore[attr-defined]
