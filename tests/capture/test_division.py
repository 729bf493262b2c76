"""Quotients, norms and RMSNorm, in the ways in which people write them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import UnsupportedModelError
from hyq_hls.capture.elementwise import InversePower
from hyq_hls.capture.float_ops import Linear
from tests.capture.nets import Forward, captured, kinds

STEM = nn.Conv2d(3, 4, 1)


def _last(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1)


def _square(x: torch.Tensor) -> torch.Tensor:
    return x * x


def _tokens(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(2).mT


@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: functional.normalize(m.stem(x), dim=1),
        lambda m, x: functional.normalize(_tokens(m.stem(x)), dim=-1),
        lambda m, x: functional.normalize(_tokens(m.stem(x)), dim=1),
        lambda m, x: functional.normalize(m.stem(x).flatten(2), dim=-1).mT,
        lambda m, x: functional.normalize(m.stem(x), dim=1, eps=0.5),
        lambda m, x: m.stem(x) / (m.stem(x).norm(dim=1, keepdim=True) + 1e-3),
    ],
)
def test_the_norm_of_a_vector_is_a_root_of_its_squares(forward: Forward) -> None:
    found = list(kinds(captured(forward, stem=STEM)).values())
    assert found.count("Power") == 2
    assert found.count("InversePower") == found.count("Multiply") == 1
    assert "Clamp" not in found  # the bound of a divisor is the floor of its reciprocal
    assert "Relu" not in found


def test_the_floor_is_the_bound_of_the_divisor() -> None:
    graph = captured(lambda m, x: functional.normalize(m.stem(x), dim=1, eps=0.5), stem=STEM)
    assert [node.op.floor for node in graph if isinstance(node.op, InversePower)] == [0.5]


@pytest.mark.parametrize(
    ("layer", "forward"),
    [
        (nn.RMSNorm(4, eps=1e-3), lambda m, x: m.norm(_last(m.stem(x)))),
        (nn.RMSNorm(4), lambda m, x: m.norm(_last(m.stem(x)))),
        (nn.RMSNorm(4, elementwise_affine=False), lambda m, x: m.norm(_tokens(m.stem(x)))),
        (
            nn.Identity(),
            lambda m, x: m.stem(x) * (m.stem(x).square().mean(1, True) + 1e-6).rsqrt(),
        ),
        (
            nn.Identity(),
            lambda m, x: m.stem(x) / (_square(m.stem(x)).mean(1, True) + 1e-6).sqrt(),
        ),
    ],
)
def test_rms_norm(layer: nn.Module, forward: Forward) -> None:
    """A layer behind it takes up its weights."""

    def whole(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = forward(m, x)
        result: torch.Tensor = m.last(_last(y) if isinstance(m.norm, nn.Identity) else y)
        return result

    graph = captured(whole, stem=STEM, norm=layer, last=nn.Linear(4, 2))
    found = list(kinds(graph).values())
    assert found.count("Linear") >= 3  # two layers, and the mean
    assert found.count("InversePower") == 1
    assert "ChannelAffine" not in found


@pytest.mark.parametrize("small", [1.0, 1e-3])
@pytest.mark.parametrize(
    "forward",
    [
        lambda m, x: m.norm(_last(m.stem(x))),
        lambda m, x: functional.rms_norm(_last(m.stem(x)), (4,)),
    ],
)
def test_the_default_of_rms_norm_is_that_of_the_model(forward: Forward, small: float) -> None:
    graph = captured(lambda m, x: forward(m, x * small), stem=STEM, norm=nn.RMSNorm(4))
    (mean,) = (node.op for node in graph if node.name.endswith("mean"))
    assert isinstance(mean, Linear)
    assert mean.bias == torch.finfo(torch.float32).eps


@pytest.mark.parametrize(
    ("forward", "found"),
    [
        (lambda m, x: x / m.stem(x)[:, :3], "a division by 'stem'"),
        (lambda m, x: m.stem(x).rsqrt(), "a division by 'stem', or a negative power of it"),
        (lambda m, x: m.stem(x).norm(p=1, dim=1), "a vector norm of order 1"),
        (lambda m, x: functional.rms_norm(m.stem(x), (4, 4, 6)), r"RMSNorm over the axes \(4, 4"),
    ],
)
def test_refused(forward: Forward, found: str) -> None:
    with pytest.raises(UnsupportedModelError, match=found):
        captured(forward, stem=STEM)
