"""Means over positions, at once or in steps, and poolings that give a map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture.average_pool import AveragePool
from tests.capture.nets import captured, kinds

Function = Callable[[torch.Tensor], torch.Tensor]


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
        lambda x: x.mean(2).mean(2),
        lambda x: x.mean(-1, keepdim=True).mean(-2, keepdim=True).flatten(1),
        lambda x: x.flatten(2).unflatten(2, (8, 3)).mean(3).mean(2),
        lambda x: x.sum((2, 3)) / 24,
        lambda x: x.sum(2).sum(2) * (1 / 24),
        lambda x: x.mean(2).sum(2).div(6),
    ],
)
def test_global_average_pooling(pool: Function) -> None:
    graph = captured(
        lambda m, x: m.fc(pool(m.conv(x))), conv=nn.Conv2d(3, 4, 1), fc=nn.Linear(4, 2)
    )
    assert kinds(graph) == {"conv": "Linear", "pool": "GlobalAveragePool", "fc": "Linear"}


def test_a_row_of_positions_is_a_map_of_one_row() -> None:
    """NextViT makes fewer keys so."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        x = functional.avg_pool1d(m.conv(x).flatten(2), 4)
        result: torch.Tensor = m.fc(m.edge(x).transpose(1, 2).contiguous())
        return result

    layers = {"conv": nn.Conv2d(3, 4, 1), "fc": nn.Linear(4, 2)}
    edge = nn.AvgPool1d(3, 1, 1, count_include_pad=False)
    graph = captured(forward, (3, 4, 6), **layers, edge=edge)
    found = list(kinds(graph).values())
    assert [kind for kind in found if kind not in ("Unfold", "Fold")] == [
        *("Linear", "Conv2d", "AveragePool", "Linear")
    ]
    assert graph.shape(graph.output)[-2:] == (6, 2)


@pytest.mark.parametrize("join", [torch.add, torch.maximum])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_pooled_map_meets_a_map_of_one_position(join: Any, swapped: bool) -> None:
    """The last block of a ResNet at 32x32: one branch pools 2x2 positions, the other strides."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        branches = [m.short(m.pool(x)), m.conv(x)]
        result: torch.Tensor = m.fc(join(*branches[:: -1 if swapped else 1]).flatten(1))
        return result

    graph = captured(
        forward,
        (3, 2, 2),
        pool=nn.AvgPool2d(2),
        short=nn.Conv2d(3, 4, 1),
        conv=nn.Conv2d(3, 4, 3, 2, 1),
        fc=nn.Linear(4, 2),
    )
    assert sorted(len(graph.shape(name)) for name in graph["fc"].inputs[0:1]) == [1 + 2 * swapped]


def test_a_sum_over_49_positions() -> None:
    """49 * (1 / 49) is not 1 in floating point."""
    graph = captured(lambda m, x: m.fc(x.sum((2, 3)) / 49), (3, 7, 7), fc=nn.Linear(3, 2))
    assert kinds(graph) == {"pool": "GlobalAveragePool", "fc": "Linear"}


def test_a_mean_of_channels_in_another_order() -> None:
    graph = captured(lambda m, x: m.fc(functional.silu(x).flip(1).mean((2, 3))), fc=nn.Linear(3, 2))
    assert list(kinds(graph).values()) == ["Silu", "GlobalAveragePool", "Linear"]


@pytest.mark.parametrize(
    "pool",
    [
        nn.AvgPool2d(2),
        nn.AvgPool2d(3, 1, 1),
        nn.AvgPool2d((2, 3), (1, 2), (1, 0)),
        nn.AdaptiveAvgPool2d(2),
        nn.AdaptiveAvgPool2d((None, 3)),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.AvgPool2d(2, divisor_override=3),
        nn.AvgPool2d(3, 1, 1, divisor_override=5),
    ],
)
def test_a_pooling_that_gives_a_map_is_a_depthwise_convolution(pool: nn.Module) -> None:
    graph = captured(lambda m, x: m.pool(x), pool=pool)
    assert kinds(graph) == {"pool": "Conv2d"}


@pytest.mark.parametrize("size", [3, (3, 2), (1, 5)])
def test_borders_that_count_nothing(size: Any) -> None:
    padding = size // 2 if isinstance(size, int) else (size[0] // 2, size[1] // 2)
    for stride in (1, 2):
        pool = nn.AvgPool2d(size, stride, padding, count_include_pad=False)
        graph = captured(lambda m, x: m.pool(x), pool=pool)
        assert kinds(graph) == {"pool": "AveragePool"}


def _mixer(*layers: nn.Module) -> list[str]:
    """The kinds of a network of layers and ``pool(x) - x``."""
    pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        x = m.layers(x)
        result: torch.Tensor = pool(x) - x
        return result

    return list(kinds(captured(forward, layers=nn.Sequential(*layers))).values())


def test_the_token_mixer_of_poolformer_is_one_node() -> None:
    assert _mixer() == ["AveragePool"]
    assert _mixer(nn.Conv2d(3, 4, 1), nn.GELU()) == ["Linear", "Gelu", "AveragePool"]


def test_a_summand_before_the_token_mixer_is_lost_and_a_factor_is_not() -> None:
    assert _mixer(nn.BatchNorm2d(3)) == ["ChannelAffine", "AveragePool"]

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.bn(x)
        result: torch.Tensor = m.fc((m.pool(y) - y).permute(0, 2, 3, 1))
        return result

    graph = captured(
        forward,
        pool=nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        bn=nn.BatchNorm2d(3),
        fc=nn.Linear(3, 2),
    )
    assert list(kinds(graph).values()) == ["AveragePool", "Linear"]


def test_a_pooling_that_others_read_stays() -> None:
    pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = pool(x)
        result: torch.Tensor = m.conv(torch.cat((y - x, y), 1))
        return result

    graph = captured(forward, conv=nn.Conv2d(6, 2, 3))
    ops = [node.op for node in graph]
    assert [op.less_input for op in ops if isinstance(op, AveragePool)] == [False]
    assert "Add" in kinds(graph).values()


@pytest.mark.parametrize(
    "mix",
    [
        lambda p, x: x - p(x),
        lambda p, x: p(x) + x,
        lambda p, x: p(x) - 2 * x,
        lambda p, x: p(x) - 1,
    ],
)
def test_other_sums_with_a_pooling(mix: Callable[..., torch.Tensor]) -> None:
    pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    graph = captured(lambda m, x: mix(pool, m.conv(x)), conv=nn.Conv2d(3, 4, 3))
    assert "AveragePool" in kinds(graph).values()
    assert not any(isinstance(n.op, AveragePool) and n.op.less_input for n in graph)


def test_constants_pass_a_pooling_whose_border_counts_nothing() -> None:
    """A mean of equal summands is that summand, at the border too."""
    graph = captured(
        lambda m, x: m.bn(m.pool(m.conv(x))),
        conv=nn.Conv2d(3, 4, 3),
        pool=nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        bn=nn.BatchNorm2d(4),
    )
    assert list(kinds(graph).values()) == ["Conv2d", "AveragePool"]
    graph = captured(
        lambda m, x: m.fc(m.pool(m.bn(x)).permute(0, 2, 3, 1)),
        bn=nn.BatchNorm2d(3),
        pool=nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        fc=nn.Linear(3, 2),
    )
    assert list(kinds(graph).values()) == ["AveragePool", "Linear"]


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 2, 1), (2, None, 0), ((2, 3), 1, 1)])
def test_max_pooling(kernel: Any, stride: Any, padding: int) -> None:
    pool = nn.MaxPool2d(kernel, stride, padding)
    graph = captured(
        lambda m, x: m.pool(m.conv(x)), (3, 6, 7), conv=nn.Conv2d(3, 4, 3, padding=1), pool=pool
    )
    assert kinds(graph) == {"conv": "Conv2d", "pool": "MaxPool"}


@pytest.mark.parametrize("positive", [True, False])
def test_a_positive_factor_passes_a_maximum(positive: bool) -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        scaled: torch.Tensor = m.pool(m.conv(x)) * (0.5 if positive else -0.5) + 1
        return scaled

    graph = captured(forward, (3, 6, 6), conv=nn.Conv2d(3, 4, 1), pool=nn.MaxPool2d(2))
    affine = set() if positive else {"ChannelAffine"}
    assert set(kinds(graph).values()) == {"Linear", "MaxPool"} | affine
