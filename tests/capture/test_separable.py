"""GroupNorm and separable attention are captured, however they are written."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.reduced.mobilevitv2 import LinearSelfAttention, MobileVitV2, small
from hyq_hls import quantize
from hyq_hls.capture import UnsupportedModelError, capture
from hyq_hls.capture.group_norm import GroupNorm
from hyq_hls.capture.separable import SeparableContext
from hyq_hls.errors import QuantizationError, ShapeError
from tests.capture.hybrids import settle
from tests.capture.nets import EXACT, Net, captured, kinds


@pytest.mark.slow
def test_a_network_of_the_family() -> None:
    graph, report = capture(settle(small()), (3, 16, 16))
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    found = Counter(node.op.kind for node in graph)
    assert (found["GroupNorm"], found["SeparableContext"], found["Multiply"]) == (3, 1, 1)
    assert "Softmax" not in found


@pytest.mark.slow
def test_sequences_of_one_token() -> None:
    """At 64 x 64 the last map of the family is as large as a patch: a softmax over one token."""
    model = settle(MobileVitV2((4, 4, 4, 4, 4, 4), (1, 1, 1), classes=3))
    graph, report = capture(model, (3, 64, 64))
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    shapes = [graph.shape(n.name) for n in graph if isinstance(n.op, SeparableContext)]
    assert shapes == [(4, 1, 2), (4, 1, 2), (4, 1, 2)]


def channels_last(m: Any, x: torch.Tensor) -> Any:
    """The same on tokens (B, N, C), with a factor on the way."""
    x = m.conv(x).flatten(2).transpose(1, 2)
    scores = (0.5 * m.query(x)).softmax(1)
    return functional.relu(m.value(x)) * (scores * m.key(x)).sum(1, keepdim=True)


def over_a_map(m: Any, x: torch.Tensor) -> Any:
    x = m.conv(x)
    scores = m.one(x).flatten(2).softmax(-1)
    return (x.flatten(2) * scores).sum(-1)


def test_other_ways_of_writing_it() -> None:
    layers: dict[str, nn.Module] = {"conv": nn.Conv2d(3, 4, 1), "one": nn.Conv2d(4, 1, 1)}
    layers |= {"query": nn.Linear(4, 1), "key": nn.Linear(4, 4), "value": nn.Linear(4, 4)}
    for forward in (channels_last, over_a_map):
        graph = captured(forward, (3, 4, 6), **layers)
        assert "SeparableContext" in kinds(graph).values()


def test_attention_over_patches() -> None:
    def attend(m: Any, x: torch.Tensor) -> Any:
        x = m.conv(x).reshape(1, 4, 2, 2, 3, 2).permute(0, 1, 3, 5, 2, 4).reshape(1, 4, 4, 6)
        return m.attention(x)

    graph = captured(attend, (3, 4, 6), conv=nn.Conv2d(3, 4, 1), attention=LinearSelfAttention(4))
    (context,) = (n for n in graph if isinstance(n.op, SeparableContext))
    assert [graph.shape(name) for name in context.inputs] == [(4, 6, 1), (4, 6, 4)]


def test_a_softmax_over_tokens_that_weighs_nothing_is_refused() -> None:
    net = settle(Net(lambda m, x: m.one(x).flatten(2).softmax(-1) * 2.0, one=nn.Conv2d(3, 1, 1)))
    with pytest.raises(QuantizationError, match="tokens whose weighted keys are summed"):
        quantize(net, np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), dtype=np.uint8))


@pytest.mark.parametrize("shape", [(5, 3, 4), (2, 6, 4), (4,)])
def test_group_norm_is_that_of_torch(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=4), rng.normal(size=4)
    x = torch.from_numpy(rng.normal(size=(2, *shape)))
    found = GroupNorm(weight, bias, 1e-5).forward(x)
    wanted = functional.group_norm(
        x.movedim(-1, 1), 1, torch.from_numpy(weight), torch.from_numpy(bias), 1e-5
    )
    torch.testing.assert_close(found, wanted.movedim(1, -1), rtol=1e-12, atol=1e-12)


def test_group_norm_undoes_a_factor_before_it_and_takes_one_behind() -> None:
    graph = captured(
        lambda m, x: 3.0 * m.norm(0.5 * m.act(x)) + 1.0, norm=nn.GroupNorm(1, 3), act=nn.SiLU()
    )
    assert list(kinds(graph).values()) == ["Silu", "GroupNorm"]


def test_several_groups_are_refused() -> None:
    net = settle(
        Net(lambda m, x: m.norm(m.conv(x)), conv=nn.Conv2d(3, 4, 1), norm=nn.GroupNorm(2, 4))
    )
    with pytest.raises(UnsupportedModelError, match="GroupNorm of 2 groups"):
        capture(net, (3, 4, 6))


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="weight and bias differ in shape"):
        GroupNorm(np.ones(3), np.ones(4), 1e-5)
    with pytest.raises(ShapeError, match=r"takes \(\.\.\., 3\), found \(2, 4\)"):
        GroupNorm(np.ones(3), np.ones(3), 1e-5).output_shape((2, 4))
    for shapes in ([(2, 3, 2), (2, 3, 4)], [(2, 2, 1), (2, 3, 4)], [(2, 3, 1)]):
        with pytest.raises(ShapeError, match=r"takes scores \(P, N, 1\) and keys"):
            SeparableContext().output_shape(*shapes)
