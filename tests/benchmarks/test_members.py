"""benchmarks/members.py: families are whole, have outlier variants, and bridges are found."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import nn

from benchmarks import _member_streams, members
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.models.outliers import with_outliers
from hyq_hls.quant.judge.bridges import bridge_blocks
from hyq_hls.quant.pipeline import float_graph_of
from tests.capture.hybrids import settle

FAMILIES = ("efficientformer", "efficientformerv2", "mobile_former", "mobilevitv2")
every_family = pytest.mark.parametrize("family", FAMILIES)


@cache
def member(family: str) -> nn.Module:
    build: Callable[[], nn.Module] = getattr(members, family)
    torch.manual_seed(0)
    return settle(build(), 3)


@cache
def graph_of(family: str) -> FloatGraph:
    return float_graph_of(member(family), (32, 32, 3))[0]


@pytest.mark.slow
@every_family
def test_a_member_is_small(family: str) -> None:
    parameters = sum(parameter.numel() for parameter in member(family).parameters())
    assert 20_000 < parameters < 300_000


@every_family
def test_outliers_do_not_change_the_function(family: str) -> None:
    model, streams = member(family), getattr(_member_streams, family)
    dtype = next(model.parameters()).dtype
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)).to(dtype)
    changed = with_outliers(model, 64, streams=streams)
    with torch.no_grad():
        assert torch.equal(changed(images), model(images))
    pairs = zip(model.parameters(), changed.parameters(), strict=True)
    assert sum(not torch.equal(a, b) for a, b in pairs) >= len(streams(model))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "wanted"),
    [
        (
            "mobilevitv2",
            [
                tuple(
                    f"stages.{n}.1.{layer}"
                    for layer in ("conv_kxk.conv", "conv_kxk.bn.act", "conv_1x1")
                )
                for n in (1, 2)
            ],
        ),
        ("efficientformer", [tuple(f"stages.2.blocks.1.mlp.{n}" for n in ("fc1", "act", "fc2"))]),
    ],
)
def test_bridge_blocks_are_the_layers_before_tokens(
    family: str, wanted: list[tuple[str, ...]]
) -> None:
    assert bridge_blocks(graph_of(family)) == wanted


@pytest.mark.slow
def test_bridge_blocks_of_efficientformerv2_are_queries_and_keys() -> None:
    found = [name for (name,) in bridge_blocks(graph_of("efficientformerv2"))]
    assert len(found) == 6
    assert all(".q." in name or ".k." in name for name in found)


@pytest.mark.slow
def test_bridge_blocks_of_mobile_former_lead_both_ways() -> None:
    """The queries of the first bridge are constants, because its tokens are."""
    found = [name for (name,) in bridge_blocks(graph_of("mobile_former"))]
    inward = [f"features.{n}.local_global.q" for n in (2, 3, 4)]
    outward = [f"features.{n}.global_local.{part}" for n in (1, 2, 3, 4) for part in ("k", "proj")]
    assert sorted(found) == sorted([*inward, "local_global.q", *outward])
