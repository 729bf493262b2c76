"""Ranges per channel before depthwise convolutions: always, or where they are worth their price."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls.quant import presets
from hyq_hls.quant.methods.depthwise import DepthwiseRanges
from hyq_hls.quant.plan import Plan
from tests.quant.networks import IMAGES, plan_of

#: The ranges of ``fast``, wherever they gain anything.
RESERVING = DepthwiseRanges(least_gain=0.0)


def network(factor: float) -> nn.Module:
    """A depthwise convolution behind SiLU; one of its four channels is small and amplified."""
    torch.manual_seed(0)
    first, depthwise = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3, groups=4, bias=False)
    assert first.bias is not None
    with torch.no_grad():
        first.weight[0] /= factor
        first.bias[0] /= factor
        depthwise.weight[0] *= factor
    pool, head = nn.AdaptiveAvgPool2d(1), nn.Linear(4, 5)
    return nn.Sequential(first, nn.SiLU(), depthwise, pool, nn.Flatten(), head).eval()


def plan(factor: float) -> Plan:
    return plan_of(network(factor), presets.fast(6, 6), IMAGES)


@pytest.mark.parametrize("factor", [1.0, 64.0])
def test_ranges_are_taken_where_a_small_channel_is_amplified(factor: float) -> None:
    before = plan(factor)
    (method,) = presets.fast().methods
    assert isinstance(method, DepthwiseRanges)
    assert method.least_gain is not None
    after = method.apply(before)
    changed = [name for name, found in after.tensors.items() if found != before.tensors[name]]
    assert changed == ([] if factor == 1 else ["1"])
    always = DepthwiseRanges().apply(before).tensors["1"]
    assert always.per_channel
    if changed:
        assert after.tensors["1"] == always


def test_the_convolution_is_far_more_exact() -> None:
    before = plan(64.0)
    after = DepthwiseRanges(least_gain=8.0).apply(before)
    name = "2"
    exact = before.graph.run(torch.from_numpy(IMAGES).double() / 255, layout="nhwc")[name].numpy()
    errors = []
    for found in (before, after):
        graph = found.lowered()
        codes = dict(graph.reference(IMAGES.astype(np.int64)))[name]
        real = graph.type(name).quantization.dequantize(codes)
        errors.append(((real - exact)[..., 0] ** 2).mean())
    assert errors[1] < errors[0] / 4  # The rounding of the result itself stays.


def test_a_channel_that_was_small_by_chance_keeps_a_reserve() -> None:
    """Its codes ended at the largest value of a few images, and later images were cut."""
    before = plan(64.0)
    rows = before.statistics["0"].rows
    rows[:, 0] = np.where(np.arange(len(rows)) % 2, -8.0, 0.01)  # It may reach 8 next time.
    always, found = (m.apply(before).tensors["1"] for m in (DepthwiseRanges(), RESERVING))
    ends = [(q.qmax - q.zero_point[0]) * q.scale[0] for q in (always, found)]
    assert ends[0] < 1
    assert ends[1] > 7
