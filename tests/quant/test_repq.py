"""RepQ: LayerNorm outputs with one range for all channels, and the same function."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import NodeBits, QuantConfig, quantize
from hyq_hls.capture.float_ops import LayerNorm
from hyq_hls.quant.methods.repq import RepQ, channel_quantizers
from hyq_hls.quant.pipeline import float_graph_of
from hyq_hls.quant.plan import Plan
from hyq_hls.verify import sqnr_db
from tests.capture.hybrids import Hybrid, Layer, settle
from tests.quant.networks import lean

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
MINMAX = lean(scale="dyadic", observer="minmax")


def small(spread: float = 1.0) -> Hybrid:
    """A hybrid whose LayerNorms write channels of very different range."""
    model = settle(Hybrid(channels=4, dim=8, heads=2, depth=1), 5)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.LayerNorm):
                module.weight[:] = torch.logspace(0, np.log10(spread), 8)
                module.bias.add_(torch.linspace(-3, 3, 8))
    return model


def plan_of(model: nn.Module, config: QuantConfig = MINMAX) -> Plan:
    graph, _ = float_graph_of(model, (8, 8, 3))
    return Plan.of(graph, config, IMAGES, progress=False)


@pytest.mark.parametrize("scheme", ["asymmetric", "symmetric"])
def test_the_function_stays(scheme: Any) -> None:
    plan = plan_of(small(30), replace(MINMAX, activation_scheme=scheme))
    found = RepQ().apply(plan)
    images = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).double() / 255
    torch.testing.assert_close(found.graph(images), plan.graph(images), rtol=1e-9, atol=1e-9)
    changed = [n.name for n in plan.graph if found.graph[n.name].op is not n.op]
    assert set(found.notes["repq"]["rewritten"]) < set(changed)


def test_all_channels_fill_the_same_range() -> None:
    """Behind the rewriting the quantizer of the tensor is the mean of those of the channels."""
    plan = plan_of(small(30))
    found = RepQ().apply(plan)
    assert found.notes["repq"]["left"] == []
    for name in found.notes["repq"]["rewritten"]:
        before, after = plan.statistics[name], found.statistics[name]
        steps = (before.high - before.low) / 255
        zero = np.clip(np.rint(np.rint(-before.low / steps).mean()), 0, 255)
        q = found.tensors[name]
        assert q.scale[0] == pytest.approx(steps.mean(), rel=0.01)
        assert abs(q.zero_point[0] - zero) <= 1
        assert np.ptp(after.high - after.low) < 0.01 * np.ptp(before.high - before.low)
        # The same codes as with a quantizer per channel, but for values near a half.
        ratio, offset = channel_quantizers(before, plan.config)
        codes = np.clip(np.rint(before.rows / steps) + np.rint(-before.low / steps), 0, 255)
        new = np.clip(np.rint((before.rows / ratio + offset) / steps.mean()) + zero, 0, 255)
        assert (codes != new).mean() < 0.01


@pytest.mark.slow
def test_codes_are_better_used() -> None:
    model = small(30)
    config = replace(MINMAX, overrides={"*norm*": NodeBits(activation_bits=4)})
    with torch.no_grad():
        wanted = model(torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255).double().numpy()
    before, after = (
        sqnr_db(wanted, quantize(model, IMAGES, c, progress=False)(IMAGES))
        for c in (config, replace(config, methods=(RepQ(),)))
    )
    assert after > before


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["power_of_two", "shift", "dyadic"])
def test_integers_are_the_same_by_reference_and_emulation(scale: Any) -> None:
    config = lean(scale=scale, methods=(RepQ(),))
    qmodel, again = (quantize(small(8), IMAGES, config, progress=False) for _ in range(2))
    codes = dict(qmodel.graph.reference(IMAGES.astype(np.int64)))[qmodel.graph.output_name]
    assert np.array_equal(qmodel.codes(IMAGES), codes)
    assert np.array_equal(again.codes(IMAGES), codes)
    assert qmodel.graph.metadata["config"]["methods"] == [{"method": "RepQ"}]


class NormBeforeConvolution(nn.Module):
    """A LayerNorm over channels that a padded convolution reads."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 4, 2, 2), nn.LayerNorm(4)
        self.conv, self.head = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.stem(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        result: torch.Tensor = self.head(self.conv(y).mean((2, 3)))
        return result


def test_a_convolution_behind_the_norm_leaves_it_alone() -> None:
    plan = plan_of(settle(NormBeforeConvolution()))
    found = RepQ().apply(plan)
    assert found.notes["repq"] == {"rewritten": [], "left": ["norm"]}
    assert all(found.graph[n.name].op is n.op for n in plan.graph)


@pytest.mark.slow
def test_constant_channels() -> None:
    """Gammas of zero have no range: neither NaN nor weights out of every proportion."""
    model = small()
    with torch.no_grad():
        layer = model.block.transformer[0]
        assert isinstance(layer, Layer)
        layer.norm1.weight[:3] = 0
        layer.norm2.weight[:] = 0
    plan = plan_of(model)
    found = RepQ().apply(plan)
    assert found.notes["repq"]["left"] == ["block.transformer.0.norm2"]
    images = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).double() / 255
    torch.testing.assert_close(found.graph(images), plan.graph(images), rtol=1e-9, atol=1e-9)
    norms = [n.op for n in found.graph if isinstance(n.op, LayerNorm)]
    assert all(np.isfinite(op.weight).all() and np.isfinite(op.bias).all() for op in norms)
    lowered = found.lowered()
    assert lowered.output_name == found.graph.output


@pytest.mark.slow
def test_one_calibration_image() -> None:
    qmodel = quantize(small(), IMAGES[:1], replace(MINMAX, methods=(RepQ(),)), progress=False)
    assert np.isfinite(qmodel(IMAGES)).all()
