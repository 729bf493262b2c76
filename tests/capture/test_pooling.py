"""Means over positions, at once or in steps, and poolings that give a map."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

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
    ],
)
def test_a_pooling_that_gives_a_map_is_a_depthwise_convolution(pool: nn.Module) -> None:
    graph = captured(lambda m, x: m.pool(x), pool=pool)
    assert kinds(graph) == {"pool": "Conv2d"}
