"""Constants per channel go into the layers around them, exactly; the rest is a node of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import CaptureReport, FloatGraph, capture
from tests.capture.hybrids import settle
from tests.capture.nets import Forward, Net

EXACT = 1e-12
SHAPE = (3, 6, 6)
FACTORS = torch.linspace(0.5, 2, 3).view(3, 1, 1)
EMBEDDING = torch.sin(torch.arange(144.0)).view(1, 36, 4)
Layer = Callable[[torch.Tensor], torch.Tensor]


def _capture(forward: Forward, **layers: nn.Module) -> tuple[FloatGraph, CaptureReport]:
    graph, report = capture(settle(Net(forward, **layers)), SHAPE)
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    return graph, report


def _kinds(graph: FloatGraph) -> list[str]:
    return [node.op.kind for node in graph]


def _conv(inputs: int = 3, padding: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, 4, 3, padding=padding)


def _mean(x: torch.Tensor) -> torch.Tensor:
    return x.mean((2, 3))


def _sum(x: torch.Tensor, first: Layer, second: Layer) -> torch.Tensor:
    return first(x) + second(x)


#: Each of these leaves nothing of its constants but weights.
ABSORBED: dict[str, tuple[Forward, dict[str, nn.Module], list[str]]] = {
    "batch norm behind pooling": (
        lambda m, x: m.fc(m.bn(_mean(m.conv(x).relu()))),
        {"conv": _conv(), "bn": nn.BatchNorm1d(4), "fc": nn.Linear(4, 2)},
        ["Conv2d", "Relu", "GlobalAveragePool", "Linear"],
    ),
    "batch norm before pooling": (
        lambda m, x: m.fc(_mean(m.bn(m.conv(x).relu()))),
        {"conv": _conv(), "bn": nn.BatchNorm2d(4), "fc": nn.Linear(4, 2)},
        ["Conv2d", "Relu", "GlobalAveragePool", "Linear"],
    ),
    "batch norm before a convolution without padding": (
        lambda m, x: m.conv(m.bn(x)),
        {"conv": _conv(padding=0), "bn": nn.BatchNorm2d(3)},
        ["Conv2d"],
    ),
    "batch norm before a depthwise convolution without padding": (
        lambda m, x: m.conv(m.bn(x)),
        {"conv": nn.Conv2d(3, 3, 3, groups=3), "bn": nn.BatchNorm2d(3)},
        ["Conv2d"],
    ),
    "factors before padding": (
        lambda m, x: m.conv(x / torch.tensor([0.2, 0.3, 0.4]).view(1, 3, 1, 1)),
        {"conv": _conv()},
        ["Conv2d"],
    ),
    "normalization before pixels become tokens": (
        lambda m, x: m.fc(m.bn(x).flatten(2).mT),
        {"bn": nn.BatchNorm2d(3), "fc": nn.Linear(3, 4)},
        ["Unfold", "Linear"],
    ),
    "channels one by one, as torchvision's transform_input": (
        lambda m, x: m.conv(
            torch.cat([x[:, c].unsqueeze(1) * (0.2 + c) + (c - 0.4) for c in range(3)], 1)
        ),
        {"conv": _conv(padding=0)},
        ["Conv2d"],
    ),
    "channels one by one, stacked in another order": (
        lambda m, x: m.conv(torch.stack([(x[:, c] - 0.1 * c) / (2 + c) for c in (2, 1, 0)], 1)),
        {"conv": _conv(padding=0)},
        ["Conv2d"],
    ),
    "half of a branch": (
        lambda m, x: x + 0.5 * m.conv(x),
        {"conv": nn.Conv2d(3, 3, 3, padding=1)},
        ["Conv2d", "Add"],
    ),
    "alpha": (
        lambda m, x: torch.add(x, m.conv(x), alpha=-2),
        {"conv": nn.Conv2d(3, 3, 3, padding=1)},
        ["Conv2d", "Add"],
    ),
    "difference": (
        lambda m, x: x - m.conv(x),
        {"conv": nn.Conv2d(3, 3, 3, padding=1)},
        ["Conv2d", "Add"],
    ),
    "difference from a number": (
        lambda m, x: 1 - m.conv(x),
        {"conv": _conv()},
        ["Conv2d"],
    ),
    "negation": (lambda m, x: -m.conv(x), {"conv": _conv()}, ["Conv2d"]),
    "temperature": (
        lambda m, x: m.fc(_mean(x)) / 0.07,
        {"fc": nn.Linear(3, 4)},
        ["GlobalAveragePool", "Linear"],
    ),
    "mean of two heads": (
        lambda m, x: (m.a(_mean(x)) + m.b(_mean(x))) / 2,
        {"a": nn.Linear(3, 4), "b": nn.Linear(3, 4)},
        ["GlobalAveragePool", "Linear", "GlobalAveragePool", "Linear", "Add"],
    ),
    "mean of stacked heads": (
        lambda m, x: torch.stack((m.a(_mean(x)), m.b(_mean(x)))).mean(0),
        {"a": nn.Linear(3, 4), "b": nn.Linear(3, 4)},
        ["GlobalAveragePool", "Linear", "GlobalAveragePool", "Linear", "Concat", "Linear"],
    ),
    "mean and sum over channels": (
        lambda m, x: torch.cat((m.conv(x).mean(1), m.conv(x).sum(1)), 1),
        {"conv": _conv()},
        ["Conv2d", "Linear", "Conv2d", "Linear", "Concat"],
    ),
    "factor behind ReLU": (
        lambda m, x: 0.5 * m.conv(x).relu(),
        {"conv": _conv()},
        ["Conv2d", "Relu"],
    ),
    "constants behind a concatenation": (
        lambda m, x: m.bn(torch.cat((m.a(x), m.b(x)), 1)),
        {"a": _conv(), "b": _conv(), "bn": nn.BatchNorm2d(8)},
        ["Conv2d", "Conv2d", "Concat"],
    ),
    "factor before LayerNorm": (
        lambda m, x: m.norm((x - 0.5).flatten(2).mT * -0.01),
        {"norm": nn.LayerNorm(3)},
        ["Unfold", "LayerNorm"],
    ),
    "constants behind LayerNorm": (
        lambda m, x: 3 * m.norm(x.flatten(2).mT) + 1,
        {"norm": nn.LayerNorm(3)},
        ["Unfold", "LayerNorm"],
    ),
    "several in a row": (
        lambda m, x: m.conv(((255 * x - 120) / 60).add(1).mul(FACTORS)),
        {"conv": _conv(padding=0)},
        ["Conv2d"],
    ),
    "nothing": (lambda m, x: m.conv(1.0 * x + 0), {"conv": _conv()}, ["Conv2d"]),
}


@pytest.mark.parametrize("name", ABSORBED)
def test_absorbed(name: str) -> None:
    forward, layers, kinds = ABSORBED[name]
    graph, _ = _capture(forward, **layers)
    assert _kinds(graph) == ["Input", *kinds]


#: Here a node of its own is the only exact way.
KEPT: dict[str, tuple[Forward, dict[str, nn.Module], list[str]]] = {
    "summand before padding": (
        lambda m, x: m.conv(2 * x - 1),
        {"conv": _conv()},
        ["ChannelAffine", "Conv2d"],
    ),
    "batch norm between ReLU and padding": (
        lambda m, x: m.b(m.bn(m.a(x).relu())),
        {"a": _conv(), "bn": nn.BatchNorm2d(4), "b": _conv(4)},
        ["Conv2d", "Relu", "ChannelAffine", "Conv2d"],
    ),
    "negative factor behind ReLU": (
        lambda m, x: -m.conv(x).relu(),
        {"conv": _conv()},
        ["Conv2d", "Relu", "ChannelAffine"],
    ),
    "a value that others read before": (
        lambda m, x: _sum(m.conv(x), torch.relu, m.bn),
        {"conv": _conv(), "bn": nn.BatchNorm2d(4)},
        ["Conv2d", "Relu", "ChannelAffine", "Add"],
    ),
    "a value that others read afterwards": (
        lambda m, x: _sum(m.conv(x), m.bn, nn.Identity()),
        {"conv": _conv(), "bn": nn.BatchNorm2d(4)},
        ["Conv2d", "ChannelAffine", "Add"],
    ),
    "the image itself": (lambda m, x: 2 * x, {}, ["ChannelAffine"]),
    "position embedding of tokens": (
        lambda m, x: m.fc(m.conv(x).flatten(2).mT + EMBEDDING),
        {"conv": _conv(), "fc": nn.Linear(4, 2)},
        ["Conv2d", "PositionConstant", "Unfold", "Linear"],
    ),
    "position embedding of a map, scaled": (
        lambda m, x: (m.conv(x) + EMBEDDING[0, :, 0].view(6, 6)) * 3,
        {"conv": _conv()},
        ["Conv2d", "PositionConstant"],
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_kept(name: str) -> None:
    forward, layers, kinds = KEPT[name]
    graph, _ = _capture(forward, **layers)
    assert _kinds(graph) == ["Input", *kinds]


@pytest.mark.parametrize("scale", ["scalar", "vector"])
def test_layer_scale_of_a_branch(scale: str) -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 3)
            self.alpha = nn.Parameter(torch.zeros(()) if scale == "scalar" else torch.rand(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tokens = x.flatten(2).mT
            result: torch.Tensor = tokens + self.alpha * self.fc(tokens)
            return result

    model = settle(Block())
    graph, report = capture(model, SHAPE)
    assert _kinds(graph) == ["Input", "Unfold", "Linear", "Add"]
    assert report["mul"].names == ("fc",)


def test_one_factor_for_two_readers_is_computed_once() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = 0.5 * functional.silu(x)
        return functional.gelu(y) + functional.mish(y)

    graph, _ = _capture(forward)
    assert _kinds(graph) == ["Input", "Silu", "ChannelAffine", "Gelu", "Mish", "Add"]


def test_the_report_says_what_took_a_constant() -> None:
    _, report = _capture(
        lambda m, x: m.fc(m.bn(_mean(x)) * 3),
        bn=nn.BatchNorm1d(3),
        fc=nn.Linear(3, 4),
    )
    assert report["batch_norm"].status == "absorbed"
    assert report["batch_norm"].outcome == "absorbed by fc"
    assert report["mul"].outcome == "constant factor, part of fc"


def test_a_batch_norm_of_its_own_has_its_module_as_name() -> None:
    graph, report = _capture(
        lambda m, x: m.bn(m.conv(x).relu()), conv=_conv(), bn=nn.BatchNorm2d(4)
    )
    assert graph.output == "bn"
    assert report["batch_norm"].outcome == "became bn (ChannelAffine)"


@pytest.mark.parametrize(
    "clamp",
    [
        lambda x: x.clamp(-1, 0.5),
        lambda x: x.clamp(min=-0.25),
        lambda x: torch.clamp_max(x, 0.25),
        nn.Hardtanh(-1, 0.5),
    ],
)
def test_clamps(clamp: Layer) -> None:
    graph, _ = _capture(lambda m, x: clamp(x))
    assert _kinds(graph) == ["Input", "Clamp"]


@pytest.mark.parametrize(
    "clamp", [lambda x: x.clamp(0, 6), lambda x: x.clamp(min=0).clamp(max=6), nn.Hardtanh(0, 6)]
)
def test_clamps_that_are_relu6(clamp: Layer) -> None:
    graph, _ = _capture(lambda m, x: clamp(x))
    assert _kinds(graph) == ["Input", "Relu6"]
