"""Talking heads and maps of twice the size, in the ways in which people write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.reduced.efficientformerv2 import SIZES, named
from hyq_hls.capture import UnsupportedModelError, capture
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.models.timm_compat import import_timm
from tests.capture.hybrids import settle

Mix = Callable[[nn.Module, torch.Tensor], torch.Tensor]


def by_convolution(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    assert isinstance(layer, nn.Linear)
    return functional.conv2d(x, layer.weight[:, :, None, None], layer.bias)


def by_linear(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """As CaiT writes it."""
    result: torch.Tensor = layer(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    return result


class Talking(nn.Module):
    """Attention of three heads that become two before the softmax."""

    def __init__(self, mix: Mix, factor: float = 1.0) -> None:
        super().__init__()
        self.mix, self.factor = mix, factor
        self.qk, self.v = nn.Linear(3, 12), nn.Linear(3, 4)
        self.before, self.after = nn.Linear(3, 2), nn.Linear(2, 2)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(2).transpose(1, 2)
        q, k = self.qk(x).unflatten(-1, (2, 3, 2)).permute(2, 0, 3, 1, 4)
        v = self.v(x).unflatten(-1, (2, 2)).transpose(1, 2)
        scores = self.mix(self.before, q @ k.transpose(-1, -2) / 3) * self.factor
        y = self.mix(self.after, scores.softmax(dim=-1)) @ v
        result: torch.Tensor = self.head(y.transpose(1, 2).flatten(2).mean(dim=1))
        return result


def captured(model: nn.Module, size: int = 4) -> FloatGraph:
    graph, report = capture(settle(model), (3, size, size))
    assert report.relative_error is not None
    assert report.relative_error < 1e-10
    return graph


@pytest.mark.parametrize("mix", [by_convolution, by_linear])
@pytest.mark.parametrize("factor", [1.0, 0.3])
def test_heads_become_the_channels_of_a_layer(mix: Mix, factor: float) -> None:
    graph = captured(Talking(mix, factor))
    found = Counter(node.op.kind for node in graph)
    assert found["Transpose"] == 4
    assert found["ChannelAffine"] == 0
    assert [graph.shape(n.name) for n in graph if n.op.kind == "Softmax"] == [(1, 16, 2, 16)]


class Resized(nn.Module):
    def __init__(self, **options: object) -> None:
        super().__init__()
        self.options = options
        self.head = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.interpolate(x, **self.options)  # type: ignore[arg-type]
        result: torch.Tensor = self.head(x.relu().mean((2, 3)))
        return result


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "nearest-exact"])
@pytest.mark.parametrize("size", [{"scale_factor": 2}, {"size": (8, 8)}])
def test_maps_of_twice_the_size(mode: str, size: dict[str, object]) -> None:
    graph = captured(Resized(mode=mode, **size))
    (found,) = (node for node in graph if node.op.kind == "Upsample")
    assert graph.shape(found.name) == (8, 8, 3)


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "bilinear", "size": (8, 8), "align_corners": True},
        {"mode": "bilinear", "size": (8, 12)},
        {"mode": "bicubic", "size": (8, 8)},
    ],
)
def test_other_resizes_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UnsupportedModelError, match="twice the height and width without aligned"):
        capture(settle(Resized(**options)), (3, 4, 4))


@pytest.mark.slow
def test_the_architecture_is_that_of_timm() -> None:
    timm = import_timm()
    for name in SIZES:
        with torch.device("meta"):
            own = named(name).state_dict()
        theirs = timm.create_model(f"efficientformerv2_{name}").state_dict()
        assert {k: v.shape for k, v in own.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.slow
def test_a_network_of_timm_is_captured_as_it_is() -> None:
    timm = import_timm()
    own = settle(named("s0", 64, 10))
    model = timm.create_model("efficientformerv2_s0", img_size=64, num_classes=10)
    model.load_state_dict(own.state_dict())
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.eval()(x), own(x))
    _, report = capture(model, (3, 64, 64))
    assert report.relative_error is not None
    assert report.relative_error < 1e-10
