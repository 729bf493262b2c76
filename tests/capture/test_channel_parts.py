"""Parts of the channels of nodes that no layer can compute alone: a layer picks them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from tests.capture.nets import captured, kinds


def _sum(m: Any, x: torch.Tensor) -> torch.Tensor:
    a = m.a(x)
    result: torch.Tensor = a + m.norm(a.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    return result


def _spatial(m: Any, x: torch.Tensor) -> torch.Tensor:
    kept, moved = _sum(m, x).split([5, 3], 1)
    return torch.cat((kept, m.depthwise(moved)), 1)


def _normalized(m: Any, x: torch.Tensor) -> torch.Tensor:
    some, others = _sum(m, x).split([3, 5], 1)
    return torch.cat((m.group(some), others), 1)


def _shuffled(m: Any, x: torch.Tensor) -> torch.Tensor:
    mixed = _sum(m, x).unflatten(1, (2, 4)).transpose(1, 2).flatten(1, 2)
    result: torch.Tensor = m.pairs(mixed)
    return result


def _shifted(m: Any, x: torch.Tensor) -> torch.Tensor:
    x = _sum(m, x)
    y = torch.zeros_like(x)
    y[:, :2, :, :-1] = x[:, :2, :, 1:]
    y[:, 2:4, 1:] = x[:, 2:4, :-1]
    y[:, 4:] = x[:, 4:]
    return y


Forward = Callable[[Any, torch.Tensor], torch.Tensor]
#: What the module computes, and the number of layers that pick channels.
PARTS: dict[str, tuple[Forward, int]] = {
    "a depthwise convolution of some channels": (_spatial, 2),
    "a normalization of some channels": (_normalized, 2),
    "shuffled channels in groups": (_shuffled, 0),  # The weights take that order.
    "shifts of some channels": (_shifted, 6),
    "a sum of two parts": (lambda m, x: torch.add(*_sum(m, x).chunk(2, 1)), 2),
}


def _layers() -> dict[str, nn.Module]:
    return {
        "a": nn.Conv2d(3, 8, 1),
        "norm": nn.LayerNorm(8),
        "depthwise": nn.Conv2d(3, 3, 3, padding=1, groups=3),
        "group": nn.GroupNorm(1, 3),
        "pairs": nn.Conv2d(8, 8, 3, groups=4),
    }


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_a_sum(name: str) -> None:
    """Captured outputs equal those of the module, which ``captured`` checks."""
    forward, picks = PARTS[name]
    graph = captured(forward, (3, 6, 6), **_layers())
    assert list(kinds(graph).values()).count("Linear") == 1 + picks


def test_a_layer_reads_a_part_without_another_one() -> None:
    graph = captured(
        lambda m, x: m.last(_sum(m, x)[:, 2:5]), (3, 6, 6), **_layers(), last=nn.Conv2d(3, 4, 1)
    )
    assert list(kinds(graph).values()).count("Linear") == 2
