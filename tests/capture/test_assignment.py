"""Tensors that are written in parts, in every way in which models write them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.capture.nets import Forward, captured, kinds

MASK = torch.rand(4, 6, generator=torch.Generator().manual_seed(0)) > 0.5


def _changed(change: Any) -> Forward:
    """A copy of a convolution's result, after an operation in place."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        x = m.conv(x)
        y = torch.zeros_like(x)
        changed = change(m, x, x.clone(), y)
        return x if changed is None else changed

    return forward


def _padded_by_hand(m: Any, x: torch.Tensor, y: Any, zeros: Any) -> torch.Tensor:
    around = x.new_zeros(len(x), 8, 6, 8)
    around[:, :, 1:-1, 1:-1] = x
    result: torch.Tensor = m.last(around)
    return result


def _class_token(m: Any, x: torch.Tensor, y: Any, zeros: Any) -> torch.Tensor:
    tokens = x.new_empty(len(x), 25, 8)
    tokens[:, 0] = m.token.weight
    tokens[:, 1:] = x.flatten(2).mT
    return tokens


def _assigned(key: Any, value: Any = None) -> Any:
    def change(m: Any, x: torch.Tensor, y: torch.Tensor, zeros: Any) -> torch.Tensor:
        y[key] = m.other(x)[key] if value is None else value
        return y

    return change


def _part_in_place(m: Any, x: torch.Tensor, y: torch.Tensor, zeros: Any) -> torch.Tensor:
    y[:, :4].relu_()
    return y


def _buffer_of_constants(m: Any, x: torch.Tensor, y: Any, zeros: Any) -> torch.Tensor:
    table = x.new_zeros(8, 1, 1)
    table[2:] = m.token.weight[0, 2:, None, None]
    return x + table


WAYS = {
    "all": lambda m, x, y, o: y.copy_(m.other(x)),
    "channels": _assigned((slice(None), slice(2, 5))),
    "the first rows": _assigned((slice(None), slice(None), slice(2))),
    "columns": _assigned((..., slice(2, None))),
    "a block": _assigned((slice(None), slice(None), slice(1, 3), slice(2))),
    "a number for channels": _assigned((slice(None), slice(3)), 0.25),
    "a number for a block": _assigned((..., slice(1, 3), slice(1, 3)), -1.0),
    "a number for a list of channels": _assigned((slice(None), [0, 5]), 2.0),
    "a number by a mask": _assigned((..., MASK), 0.5),
    "masked_fill": lambda m, x, y, o: y.masked_fill(MASK, 0.5),
    "where": lambda m, x, y, o: torch.where(MASK, y, 0.5),
    "where of two": lambda m, x, y, o: torch.where(
        torch.arange(8)[:, None, None] < 3, y, m.other(x)
    ),
    "zero_": lambda m, x, y, o: (y[:, 1:3].zero_(), y)[1],
    "a part in place": _part_in_place,
    "a shift within itself": lambda m, x, y, o: (y[:, :, 1:].copy_(x[:, :, :-1]), y)[1],
    "slice_scatter": lambda m, x, y, o: y.slice_scatter(m.other(x)[:, :3], 1, 0, 3),
    "select_scatter": lambda m, x, y, o: y.select_scatter(m.other(x)[:, 0], 1, 0),
    "zeros around a map": _padded_by_hand,
    "a class token": _class_token,
    "constants": _buffer_of_constants,
}


def _layers() -> dict[str, nn.Module]:
    return {
        "conv": nn.Conv2d(3, 8, 1),
        "other": nn.Conv2d(8, 8, 1),
        "last": nn.Conv2d(8, 2, 3),
        "token": nn.Linear(8, 1),
    }


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_writing_a_part(way: str) -> None:
    captured(_changed(WAYS[way]), (3, 4, 6), **_layers())


def test_zeros_around_a_map_become_the_padding_of_the_convolution() -> None:
    graph = captured(_changed(_padded_by_hand), (3, 4, 6), **_layers())
    assert kinds(graph) == {"conv": "Linear", "last": "Conv2d"}
    assert graph["last"].op.padding == (1, 1)  # type: ignore[attr-defined]


PADDINGS: dict[str, tuple[Any, tuple[int, int]]] = {
    "the same on all sides": ((1, 1, 1, 1), (1, 1)),
    "as TensorFlow": ((0, 1, 0, 1), (1, 1)),
    "different sides": ((2, 1, 0, 2), (2, 2)),
    "rows only": ((0, 0, 1, 2), (2, 0)),
    "a crop and zeros": ((-1, 2, 1, 0), (1, 2)),
}


@pytest.mark.parametrize("groups", [1, 8])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("way", PADDINGS)
def test_a_convolution_takes_up_the_zeros_before_it(way: str, stride: int, groups: int) -> None:
    sides, padding = PADDINGS[way]
    graph = captured(
        lambda m, x: m.last(functional.pad(m.conv(x), sides)),
        (3, 6, 8),
        conv=nn.Conv2d(3, 8, 1),
        last=nn.Conv2d(8, 8, 3, stride, groups=groups),
    )
    assert set(kinds(graph)) <= {"conv", "last", "conv.select", "conv.crop", "select"}
    assert graph["last"].op.padding == padding  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: functional.pad(m.conv(x), (1, 2, 0, 1)),
        lambda m, x: functional.pad(m.conv(x), (1, 1, 1, 1), value=0.5),
        lambda m, x: functional.pad(m.conv(x)[:, :, ::2, ::2], (0, 0, 0, 0, 2, 3)),
        lambda m, x: functional.pad(m.conv(x).permute(0, 2, 3, 1), (0, 0, 1, 1, 0, 1)),
        lambda m, x: functional.pad(m.conv(x).flatten(2).mT, (0, 0, 1, 0)),
        lambda m, x: functional.pad(m.conv(x), (0, 0, 0, 0)),
        lambda m, x: functional.max_pool2d(functional.pad(m.conv(x).relu(), (0, 1, 0, 1)), 3, 2),
        lambda m, x: m.same(functional.pad(functional.pad(m.conv(x), (1, 0)), (1, 1, 0, 2))),
        lambda m, x: m.zero(m.conv(x)) + m.conv(functional.pad(x, (1, 1, 1, 1))),
    ],
)
def test_paddings(forward: Forward) -> None:
    captured(
        forward,
        conv=nn.Conv2d(3, 8, 1, bias=False),
        same=nn.Conv2d(8, 4, 3, padding=1),
        zero=nn.ZeroPad2d(1),
    )


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: torch.addcmul(x, x.relu(), m.factors, value=0.5),
        lambda m, x: torch.addcmul(m.factors, x, x.sigmoid()),
        lambda m, x: x.addcmul_(x.relu(), x.sigmoid(), value=-2.0),
        lambda m, x: torch.addcdiv(x, x.relu(), m.factors + 3, value=0.5),
        lambda m, x: torch.lerp(x, x.relu(), 0.3),
        lambda m, x: torch.lerp(x, m.factors.expand_as(x), 0.3),
        lambda m, x: torch.lerp(x, x.relu(), m.factors),
        lambda m, x: torch.lerp(x, x.relu(), x.sigmoid()),
        lambda m, x: torch.lerp(m.factors.expand_as(x), x.relu(), x.sigmoid()),
        lambda m, x: x.lerp_(x.tanh(), 0.25),
    ],
)
def test_multiply_adds(forward: Forward) -> None:
    def run(m: Any, x: torch.Tensor) -> torch.Tensor:
        return forward(m, m.conv(x))

    conv = nn.Conv2d(3, 8, 1)
    conv.factors = nn.Parameter(torch.rand(8, 1, 1))
    captured(lambda m, x: forward(m.conv, m.conv(x)), conv=conv)
