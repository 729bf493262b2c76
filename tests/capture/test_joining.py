"""Concatenation and stacking, and convolution along tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls import quantize
from hyq_hls.support import sqnr_db
from tests.capture.hybrids import settle
from tests.capture.nets import Net, captured, kinds

Join = Callable[[list[torch.Tensor]], torch.Tensor]


def test_concatenation_of_parts_is_a_movement() -> None:
    def shuffle(m: Any, x: torch.Tensor) -> torch.Tensor:
        a, b = m.conv(x).chunk(2, dim=1)
        result: torch.Tensor = m.fuse(torch.cat((b, a), dim=1))
        return result

    graph = captured(shuffle, conv=nn.Conv2d(3, 4, 3), fuse=nn.Conv2d(4, 2, 1))
    assert graph["fuse"].inputs == ("conv",)


def _branches(m: Any, x: torch.Tensor) -> list[torch.Tensor]:
    return [functional.silu(m.a(x)), m.b(x), functional.relu(m.c(x)), m.a(x)]


def _layers() -> dict[str, nn.Module]:
    return {"a": nn.Conv2d(3, 4, 1), "b": nn.Conv2d(3, 4, 3, padding=1), "c": nn.Conv2d(3, 4, 1)}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_any_number_of_tensors(count: int) -> None:
    graph = captured(
        lambda m, x: m.last(torch.cat(_branches(m, x)[:count], 1)),
        (3, 4, 6),
        **_layers(),
        last=nn.Conv2d(4 * count, 2, 3),
    )
    concats = [node for node in graph if node.op.kind == "Concat"]
    assert [len(node.inputs) for node in concats] == [2] * (count - 1)


JOINS: dict[str, Join] = {
    "interleaved channels": lambda t: torch.stack(t, 2).flatten(1, 2),
    "channels of a new first axis": lambda t: torch.stack(t, 1).flatten(1, 2),
    "a tensor twice": lambda t: torch.cat((t[0], t[1], t[0], t[2]), 1),
    "a part of a tensor": lambda t: torch.cat((t[0][:, 1:3], t[1].flip(1), t[2]), 1),
    "along an axis of the map": lambda t: torch.cat((t[0], t[1]), 3),
    "tokens": lambda t: torch.cat([x.flatten(2).mT for x in t], -1),
}


@pytest.mark.parametrize("name", JOINS)
def test_joins(name: str) -> None:
    graph = captured(lambda m, x: JOINS[name](_branches(m, x)[:3]), (3, 4, 6), **_layers())
    assert {"Concat", "ConcatPositions"} & {*kinds(graph).values()}


def test_stacked_parts_of_one_tensor_are_a_movement() -> None:
    graph = captured(lambda m, x: torch.stack(m.conv(x).chunk(2, 1), 1), conv=nn.Conv2d(3, 4, 1))
    assert kinds(graph) == {"conv": "Linear"}


@pytest.mark.slow
def test_integers_of_three_tensors() -> None:
    model = settle(
        Net(
            lambda m, x: m.fc(torch.cat(_branches(m, x)[:3], 1).mean((2, 3))),
            **_layers(),
            fc=nn.Linear(12, 5),
        )
    )
    pixels = np.random.default_rng(0).integers(0, 256, (16, 6, 8, 3), dtype=np.uint8)
    qmodel = quantize(model, pixels, progress=False)
    with torch.no_grad():
        wanted = model(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255).numpy()
    assert sqnr_db(wanted, qmodel(pixels)) > 30


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (nn.Conv1d(3, 4, 1), "Linear"),
        (nn.Conv1d(3, 4, 3, padding=1), "Conv2d"),
        (nn.Conv1d(3, 4, 5, padding="same"), "Conv2d"),
        (nn.Conv1d(3, 4, 4, stride=4, padding="valid"), "Conv2d"),
        (nn.Conv1d(3, 3, 3, groups=3), "Conv2d"),
    ],
)
def test_convolution_along_tokens(layer: nn.Conv1d, kind: str) -> None:
    norm = nn.BatchNorm1d(layer.out_channels)
    graph = captured(lambda m, x: m.norm(m.conv(x.flatten(2))).mean(2), conv=layer, norm=norm)
    assert kinds(graph)["conv"] == kind
    tokens = nn.LayerNorm(3)
    graph = captured(
        lambda m, x: m.conv(m.tokens(x.flatten(2).mT).mT).relu(), conv=layer, tokens=tokens
    )
    assert kinds(graph)["conv"] == kind
