"""Class tokens, tokens of several sources, and parts of the tokens, in every way to write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import FloatGraph
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.positions import ConcatConstant, ConcatPositions, SelectPositions
from hyq_hls.errors import ShapeError
from tests.capture.nets import Forward, captured
from tests.capture.vit import VisionTransformer

DIM = 4
Join = Callable[[Any, torch.Tensor], torch.Tensor]
NEW = ("ConcatConstant", "ConcatPositions", "SelectPositions")


class Learned(nn.Module):
    """Tokens that are trained: one, two more, and one key or value of two heads."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.one = nn.Parameter(torch.randn(1, 1, DIM, generator=generator))
        self.two = nn.Parameter(torch.randn(1, 2, DIM, generator=generator))
        self.head = nn.Parameter(torch.randn(1, 2, 1, DIM // 2, generator=generator))


def _layers() -> dict[str, nn.Module]:
    return {
        "conv": nn.Conv2d(3, DIM, 2, 2),
        "small": nn.Conv2d(3, DIM, 4, 4),
        "learned": Learned(),
        "norm": nn.LayerNorm(DIM),
        "fc": nn.Linear(DIM, DIM),
        "wide": nn.Linear(DIM, 3 * DIM),
        "last": nn.Conv2d(DIM, 3, 2),
        "attention": nn.MultiheadAttention(DIM, 2, batch_first=True),
    }


def _captured(forward: Forward) -> FloatGraph:
    return captured(forward, (3, 4, 6), **_layers())


def _tokens(m: Any, x: torch.Tensor) -> torch.Tensor:
    tokens: torch.Tensor = m.conv(x).flatten(2).transpose(1, 2)
    return tokens


def _few(m: Any, x: torch.Tensor) -> torch.Tensor:
    tokens: torch.Tensor = m.small(x).flatten(2).transpose(1, 2)
    return tokens


def _with_class(m: Any, x: torch.Tensor) -> torch.Tensor:
    return torch.cat([m.learned.one.expand(len(x), -1, -1), _tokens(m, x)], 1)


def _sequence_first(m: Any, x: torch.Tensor) -> torch.Tensor:
    tokens = m.conv(x).flatten(2).permute(2, 0, 1)
    return torch.cat([m.learned.one.expand(-1, len(x), -1), tokens]).transpose(0, 1)


def _memory(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Keys and values with one that is learned, behind those of the image."""
    wide = m.wide(_tokens(m, x)).reshape(len(x), -1, 3, 2, DIM // 2)
    q, k, v = wide.permute(2, 0, 3, 1, 4)
    one = m.learned.head.expand(len(x), -1, -1, -1)
    attention = functional.scaled_dot_product_attention(
        q, torch.cat([k, one], 2), torch.cat([v, one], 2)
    )
    return attention.transpose(1, 2).flatten(2)


def _class_attention(m: Any, x: torch.Tensor) -> torch.Tensor:
    """CaiT: the class token asks, itself and all others answer."""
    tokens, one = _tokens(m, x), m.learned.one.expand(len(x), -1, -1)
    both = m.norm(torch.cat((one, tokens), 1))
    one = one + m.attention(both[:, :1], both, both)[0]
    return torch.cat((one + m.fc(one), tokens), 1)[:, 0]


#: What a reader of every position sees, and how many of the new operations it takes.
JOINS: dict[str, tuple[Join, tuple[int, int, int]]] = {
    "a class token": (_with_class, (1, 0, 0)),
    "a class token, sequence first": (_sequence_first, (1, 0, 0)),
    "a class token behind": (
        lambda m, x: torch.cat([_tokens(m, x), m.learned.one.repeat(len(x), 1, 1)], 1),
        (1, 0, 0),
    ),
    "tokens as columns": (
        lambda m, x: torch.cat([m.learned.one.mT, m.conv(x).flatten(2)], 2).mT,
        (1, 0, 0),
    ),
    "several constants are one": (
        lambda m, x: torch.cat([m.learned.one, m.learned.two, _tokens(m, x)], 1),
        (1, 0, 0),
    ),
    "tokens and constants in turn": (
        lambda m, x: torch.cat([m.learned.two, _tokens(m, x), m.learned.one, _few(m, x)], 1),
        (2, 1, 0),
    ),
    "as many tokens of another layer": (
        lambda m, x: torch.cat([_tokens(m, x), m.fc(_tokens(m, x))], 1),
        (0, 1, 0),
    ),
    "a class token that left and comes back": (
        lambda m, x: torch.cat([_with_class(m, x)[:, :1], m.fc(_with_class(m, x)[:, 1:])], 1),
        (2, 1, 2),
    ),
    "keys and values with a learned one": (_memory, (2, 0, 0)),
    "some tokens": (lambda m, x: _tokens(m, x)[:, 1:4], (0, 0, 1)),
    "every second token": (lambda m, x: _tokens(m, x)[:, ::2], (0, 0, 1)),
    "a class token is dropped": (lambda m, x: _with_class(m, x)[:, 1:], (1, 0, 1)),
    "class attention": (_class_attention, (1, 1, 2)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", JOINS)
def test_tokens(name: str) -> None:
    join, wanted = JOINS[name]
    graph = _captured(lambda m, x: m.fc(functional.gelu(join(m, x))))
    found = Counter(node.op.kind for node in graph)
    assert tuple(found[kind] for kind in NEW) == wanted, graph


MAPS: dict[str, tuple[Forward, tuple[int, int, int]]] = {
    "maps one above the other": (
        lambda m, x: torch.cat([m.conv(x), m.conv(x).relu()], 2),
        (0, 1, 0),
    ),
    "maps side by side": (lambda m, x: torch.cat([m.conv(x), m.conv(x).relu()], 3), (0, 1, 0)),
    "a cut map": (lambda m, x: m.conv(x)[:, :, :, 1:].relu(), (0, 0, 1)),
    "every second column": (lambda m, x: m.conv(x)[..., ::2].relu(), (0, 0, 1)),
    "tokens that become a map": (
        lambda m, x: _with_class(m, x)[:, 1:].mT.reshape(-1, DIM, 2, 3),
        (1, 0, 1),
    ),
}


@pytest.mark.parametrize("name", MAPS)
def test_maps(name: str) -> None:
    forward, wanted = MAPS[name]
    graph = _captured(lambda m, x: m.last(forward(m, x)))
    found = Counter(node.op.kind for node in graph)
    assert tuple(found[kind] for kind in NEW) == wanted, graph


def test_the_mean_of_the_tokens_without_the_class_token() -> None:
    graph = _captured(lambda m, x: m.fc(functional.gelu(_with_class(m, x))[:, 1:].mean(1)))
    assert graph["pool"].op.kind == "GlobalAveragePool"
    assert graph[graph["pool"].inputs[0]].op.kind == "SelectPositions"


def test_a_part_that_is_the_output_costs_nothing() -> None:
    graph = _captured(lambda m, x: m.fc(_tokens(m, x))[:, 0])
    assert "SelectPositions" not in {node.op.kind for node in graph}


def test_one_selection_for_two_readers() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        first = _with_class(m, x)[:, 0]
        result: torch.Tensor = m.fc(first) + m.norm(first)
        return result

    graph = _captured(forward)
    assert [node.op.kind for node in graph].count("SelectPositions") == 1


def test_factors_pass_tokens_that_are_constants() -> None:
    """A factor behind the tokens goes into them, and into the layer before them."""
    scale = torch.linspace(0.5, 2, DIM)
    graph = _captured(lambda m, x: functional.gelu(_with_class(m, x) * scale + 1))
    assert "ChannelAffine" not in {node.op.kind for node in graph}
    graph = _captured(lambda m, x: m.fc(m.norm(_with_class(m, x))[:, 0] * scale))
    assert "ChannelAffine" not in {node.op.kind for node in graph}


CHANNELS: dict[str, Forward] = {
    "coordinates": lambda m, x: m.mix(torch.cat([m.conv(x), m.coordinates.value], 1)),
    "coordinates first": lambda m, x: m.mix(torch.cat([m.coordinates.value, m.conv(x).relu()], 1)),
    "a constant in the middle": lambda m, x: m.mix(
        torch.cat([m.conv(x)[:, :2], torch.ones(1, 2, 2, 3), m.conv(x)[:, 2:].relu()], 1)
    ),
    "some channels of a function": lambda m, x: m.part(m.conv(x).relu()[:, 1:3]),
    "some channels of a function, twice": lambda m, x: m.part(m.conv(x).relu()[:, [3, 3]]),
    "some channels of a normalization": lambda m, x: m.pair(m.norm(_tokens(m, x))[..., 2:]),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_channels(name: str) -> None:
    coordinates = nn.Module()
    coordinates.value = nn.Parameter(torch.randn(1, 2, 2, 3))
    captured(
        CHANNELS[name],
        (3, 4, 6),
        **_layers(),
        coordinates=coordinates,
        mix=nn.Conv2d(DIM + 2, 3, 3, padding=1),
        part=nn.Conv2d(2, 3, 2),
        pair=nn.Linear(2, 3),
    )


@pytest.mark.slow
def test_a_vision_transformer() -> None:
    graph = captured(lambda m, x: m.vit(x), (3, 8, 12), vit=VisionTransformer())
    found = Counter(node.op.kind for node in graph)
    assert (found["ConcatConstant"], found["PositionConstant"], found["SelectPositions"]) == (
        1,
        1,
        1,
    )
    assert found["LayerNorm"] == 5
    assert found["Softmax"] == 2


OPERATIONS: list[tuple[FloatOp, list[tuple[int, ...]], str]] = [
    (ConcatConstant(np.zeros((1, 4)), True), [(1, 5, 3)], "(P, N, 4)"),
    (ConcatConstant(np.zeros((1, 4)), True), [(4,)], "(P, N, 4)"),
    (ConcatPositions(1), [(1, 5, 4), (2, 3, 4)], "differ in axis 1 only"),
    (ConcatPositions(0), [(2, 3, 4)], "two inputs"),
    (SelectPositions((0,), (5,)), [(1, 5, 4)], "more than 0 rows, 5 columns"),
]


@pytest.mark.parametrize(("op", "shapes", "message"), OPERATIONS)
def test_shapes_that_do_not_fit(op: FloatOp, shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ShapeError) as error:
        op.output_shape(*shapes)
    assert message in str(error.value)
