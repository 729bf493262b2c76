"""Products of two values of the image: gates of every kind, in every layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls.capture import UnsupportedModelError, capture
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.capture.multiply import Multiply
from hyq_hls.errors import ShapeError
from tests.capture.hybrids import settle
from tests.capture.nets import Forward, Net, captured, kinds


def _conv(outputs: int = 4) -> nn.Conv2d:
    return nn.Conv2d(3, outputs, 1)


def squeeze_excitation(m: Any, x: torch.Tensor) -> Any:
    x = m.conv(x)
    return x * m.expand(m.reduce(x.mean((2, 3), keepdim=True)).relu()).sigmoid()


def by_linear_layers(m: Any, x: torch.Tensor) -> Any:
    x = m.conv(x)
    gate = m.gate(x.mean((2, 3))).sigmoid()
    return x.mul(gate[:, :, None, None].expand_as(x))


def over_tokens(m: Any, x: torch.Tensor) -> Any:
    x = m.conv(x).flatten(2).transpose(1, 2)
    return m.gate(x).sigmoid() * m.other(x)


def spatial(m: Any, x: torch.Tensor) -> Any:
    return m.one(x).sigmoid() * m.conv(x)


def first_is_small(m: Any, x: torch.Tensor) -> Any:
    x = m.conv(x)
    return torch.mul(x.mean((2, 3), keepdim=True), x)


def square(m: Any, x: torch.Tensor) -> Any:
    x = m.conv(x)
    return x * x


def two_parts(m: Any, x: torch.Tensor) -> Any:
    value, gate = m.conv(x).chunk(2, 1)
    return value * gate.relu()


#: How people write it: forward, layers, and the shapes of both operands.
WAYS: dict[str, tuple[Forward, dict[str, nn.Module], list[tuple[int, ...]]]] = {
    "squeeze-excitation": (
        squeeze_excitation,
        {"conv": _conv(), "reduce": nn.Conv2d(4, 2, 1), "expand": nn.Conv2d(2, 4, 1)},
        [(4, 6, 4), (4,)],
    ),
    "linear layers": (
        by_linear_layers,
        {"conv": _conv(), "gate": nn.Linear(4, 4)},
        [(4, 6, 4), (4,)],
    ),
    "tokens": (
        over_tokens,
        {"conv": _conv(), "gate": nn.Linear(4, 5), "other": nn.Linear(4, 5)},
        [(1, 24, 5), (1, 24, 5)],
    ),
    "one channel": (spatial, {"conv": _conv(), "one": _conv(1)}, [(4, 6, 4), (4, 6, 1)]),
    "the vector first": (first_is_small, {"conv": _conv()}, [(4, 6, 4), (4,)]),
    "a square": (square, {"conv": _conv()}, [(4, 6, 4), (4, 6, 4)]),
    "two parts of one layer": (two_parts, {"conv": _conv(8)}, [(4, 6, 4), (4, 6, 4)]),
    "two parts behind a function": (
        lambda m, x: torch.mul(*m.conv(x).sigmoid().chunk(2, 1)),
        {"conv": _conv(8)},
        [(4, 6, 4), (4, 6, 4)],
    ),
    "constant factors": (
        lambda m, x: (2 * m.conv(x)) * (0.25 * m.other(x)) + 1.0,
        {"conv": _conv(), "other": _conv()},
        [(4, 6, 4), (4, 6, 4)],
    ),
}


def shapes_of(graph: FloatGraph) -> list[tuple[int, ...]]:
    (node,) = (n for n in graph if isinstance(n.op, Multiply))
    return [graph.shape(name) for name in node.inputs]


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_writing_a_product(way: str) -> None:
    forward, layers, shapes = WAYS[way]
    assert shapes_of(captured(forward, (3, 4, 6), **layers)) == shapes


def test_silu_is_no_product() -> None:
    graph = captured(lambda m, x: m.conv(x).sigmoid() * m.conv(x), conv=_conv())
    assert "Multiply" in kinds(graph).values()

    def gated(m: Any, x: torch.Tensor) -> Any:
        x = m.conv(x)
        return x * x.sigmoid()

    assert list(kinds(captured(gated, conv=_conv())).values()) == ["Linear", "Silu"]


@pytest.mark.parametrize(
    ("forward", "left"),
    [
        (lambda m, x: m.bn(m.conv(x) * m.other(x)), 1),
        (lambda m, x: m.conv(x * 0.5 * m.pool(x)), 1),
    ],
)
def test_constants_around_a_product(forward: Callable[..., torch.Tensor], left: int) -> None:
    """The factor of a BatchNorm behind it does not pass with its summand; a plain factor does."""
    layers: dict[str, nn.Module] = {"conv": _conv(), "other": _conv(), "bn": nn.BatchNorm2d(4)}
    graph = captured(forward, (3, 4, 6), **layers, pool=nn.AdaptiveAvgPool2d(1))
    assert sum(kind == "ChannelAffine" for kind in kinds(graph).values()) <= left


def test_an_outer_product_is_refused() -> None:
    def outer(m: Any, x: torch.Tensor) -> Any:
        x = m.conv(x)
        return x.mean(2, keepdim=True) * x.mean(3, keepdim=True)

    def columns(m: Any, x: torch.Tensor) -> Any:
        return m.conv(x) * m.conv(x)[:, :, :1]

    refused = ((outer, "a product of"), (columns, r"a product of \(1, 4, 4, 6\) and"))
    for forward, message in refused:
        with pytest.raises(UnsupportedModelError, match=message):
            capture(settle(Net(forward, conv=_conv())), (3, 4, 6))


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 1, 4), (4,), (2, 3, 1), (1,)])
def test_multiply_computes_the_product(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    a, b = (torch.from_numpy(rng.normal(size=(2, *s))) for s in ((2, 3, 4), shape))
    spread = b.reshape(2, *(1,) * (3 - len(shape)), *shape).expand(2, 2, 3, 4)
    op = Multiply()
    assert torch.equal(op.forward(a, b), a * spread)
    assert op.output_shape((2, 3, 4), shape) == (2, 3, 4)


@pytest.mark.parametrize("shape", [(2, 3, 2), (4, 4), (3, 2, 4)])
def test_shapes_that_do_not_fit(shape: tuple[int, ...]) -> None:
    if shape == (3, 2, 4):
        assert Multiply().output_shape((2, 3, 4), shape) == (2, 3, 4)
        return
    with pytest.raises(ShapeError, match="Multiply"):
        Multiply().output_shape((2, 3, 4), shape)
