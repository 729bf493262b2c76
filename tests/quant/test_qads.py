"""QADS: factors per channel that never hurt, learned as released or straight through."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hyq_hls import quantize
from hyq_hls.capture.float_ops import Add
from hyq_hls.errors import QuantizationError
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.models.outliers import with_outliers
from hyq_hls.quant.judge.bottlenecks import bottlenecks
from hyq_hls.quant.judge.channel_factors import (
    LARGEST,
    SMALLEST,
    LayerSample,
    bottleneck_inputs,
    straight_through,
    with_factors,
)
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.methods.outlier_scaling import OutlierScaling
from hyq_hls.quant.methods.qads import Qads
from hyq_hls.quant.presets import hyq
from tests.capture.hybrids import Hybrid, settle
from tests.quant.networks import IMAGES, INTEGERS, lean, plan_of, tiny

DYADIC = lean(scale="dyadic", observer="minmax")


def by_hand(
    x: np.ndarray, weight: np.ndarray, factors: np.ndarray, weight_bits: int, bits: int
) -> float:
    """The loss of the released code, in plain numpy: min-max, asymmetric inputs, symmetric rows."""
    scaled = x / factors
    low, high = min(scaled.min(), 0.0), max(scaled.max(), 0.0)
    step = max((high - low) / (2**bits - 1), 1e-5)
    zero = np.clip(-np.rint(low / step), 0, 2**bits - 1)
    inputs = (np.clip(np.rint(scaled / step) + zero, 0, 2**bits - 1) - zero) * step
    limit = 2 ** (weight_bits - 1) - 1
    rows = weight * factors
    steps = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-5) / limit
    rows = np.clip(np.rint(rows / steps), -limit, limit) * steps
    return float(((inputs @ rows.T - x @ weight.T) ** 2).mean())


def sample_of(
    x: np.ndarray, weight: np.ndarray, weight_bits: int = 8, bits: int = 8
) -> LayerSample:
    return LayerSample(
        torch.tensor(x, dtype=torch.float64),
        torch.tensor(weight, dtype=torch.float64),
        lean(weight_bits, bits),
    )


@given(
    seed=st.integers(0, 1 << 30),
    channels=st.integers(1, 6),
    bits=st.integers(2, 10),
    weight_bits=st.integers(2, 10),
    sign=st.sampled_from([-1, 0, 1]),
)
@settings(max_examples=80, deadline=None)
def test_the_error_is_the_one_by_hand(
    seed: int, channels: int, bits: int, weight_bits: int, sign: int
) -> None:
    rng = np.random.default_rng(seed)
    x, weight = rng.normal(size=(20, channels)), rng.normal(size=(3, channels))
    x = np.abs(x) * sign if sign else x
    factors = 2.0 ** rng.uniform(-3, 3, channels)
    found = sample_of(x, weight, weight_bits, bits).error(torch.tensor(factors))
    assert float(found) == pytest.approx(by_hand(x, weight, factors, weight_bits, bits), rel=1e-9)


@given(seed=st.integers(0, 1 << 30), through=st.booleans(), bits=st.integers(2, 8))
@settings(max_examples=12, deadline=None)
def test_never_worse_than_without_factors(seed: int, through: bool, bits: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(32, 5)) * 2.0 ** rng.uniform(-6, 6, 5) + rng.normal(size=5)
    sample = sample_of(x, rng.normal(size=(4, 5)), 4, bits)
    sample = LayerSample(sample.x.float(), sample.weight.float(), sample.config)
    found, before, after = Qads(20, straight_through=through)._learn(sample)
    assert after <= before == float(sample.error(torch.ones(5)))
    assert float(sample.error(found)) == after
    assert (found >= SMALLEST).all()
    assert (found <= LARGEST).all()


@pytest.mark.parametrize("steps", [1, 2, 60])
def test_an_outlier_channel_is_scaled_down(steps: int) -> None:
    """A channel 64 times the others: the error falls, and its factor becomes the largest."""
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(256, 6)), rng.normal(size=(8, 6))
    x[:, 2] *= 64
    weight[:, 2] /= 64
    sample = sample_of(x, weight)
    sample = LayerSample(sample.x.float(), sample.weight.float(), sample.config)
    found, before, after = Qads(steps, learning_rate=0.5)._learn(sample)
    if steps == 1:
        assert (after, found.tolist()) == (before, [1] * 6)
    elif steps == 60:
        assert int(found.argmax()) == 2
        assert found[2] > 4 * found.median()
        assert after < before / 10


def test_released_gradients_reach_only_the_channels_of_the_extremes() -> None:
    """The largest and the smallest value of the input, and the largest weight of every row."""
    x = np.array([[1.0, 9.0, 0.5, 0.3, 2.0], [0.7, 3.1, -4.3, 0.2, 1.7], [0.3, 5.7, 0.1, 0.6, 0.2]])
    weight = np.array([[0.11, 0.23, 0.31, 0.97, 0.05], [0.21, 0.13, 0.37, -0.83, 0.02]])
    sample = sample_of(x, weight, 4, 4)
    for round_, reached in ((torch.round, {1, 2, 3}), (straight_through, {0, 1, 2, 3, 4})):
        factors = torch.ones(5, dtype=torch.float64, requires_grad=True)
        sample.error(factors, round_).backward()
        assert factors.grad is not None
        assert set(torch.nonzero(factors.grad).flatten().tolist()) == reached


def test_it_stops_when_nothing_gets_better() -> None:
    """The learning rate is so high that nothing beats the start: patience + 1 steps are tried."""
    rng = np.random.default_rng(0)
    calls = 0

    class Counted(LayerSample):
        def error(self, *args: Any) -> torch.Tensor:
            nonlocal calls
            calls += 1
            value = super().error(*args)
            return value if calls == 1 else value + 1e6

    sample = Counted(
        torch.tensor(rng.normal(size=(16, 3)), dtype=torch.float32),
        torch.tensor(rng.normal(size=(2, 3)), dtype=torch.float32),
        lean(),
    )
    found, before, after = Qads(100, patience=7)._learn(sample)
    assert calls == 8
    assert found.tolist() == [1, 1, 1]
    assert before == after


@pytest.mark.slow
@pytest.mark.parametrize("method", [Qads(300, patience=20), OutlierScaling(rows=128)])
def test_planted_outliers_get_large_factors(method: Method) -> None:
    """Of networks with two channels 64 times as large, at the streams that bottlenecks read."""
    model, calibration = with_outliers(mobilevit_digits(), 64), digits.calibration(16)
    config = DYADIC if isinstance(method, Qads) else lean()
    plan = plan_of(model, config, calibration)
    found = method.apply(plan)
    streams = [n for n in bottleneck_inputs(plan, 8) if n.endswith((".add", "conv3_1x1.conv"))]
    assert len(streams) == 2
    for name in streams:
        peaks = np.maximum(-plan.statistics[name].low, plan.statistics[name].high)
        outliers = np.flatnonzero(peaks > 8 * np.median(peaks))
        scales = np.asarray(found.tensors[name].scale)
        others = np.delete(scales, outliers)
        assert len(outliers) == 2, name
        assert scales[outliers].min() > 4 * np.median(others), name
        (note,) = found.notes.values()
        assert note[name]["after"] < note[name]["before"] / 20


@pytest.mark.parametrize("through", [False, True])
@pytest.mark.parametrize(
    "case", ["dead", "constant", "all dead", "all constant", "positive", "negative", "no weights"]
)
@pytest.mark.parametrize("rows", [1, 16])
def test_odd_channels(case: str, through: bool, rows: int) -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(rows, 4)), rng.normal(size=(3, 4))
    if case == "no weights":
        weight[:] = 0
    else:
        x = {
            "dead": x * [1, 0, 1, 1],
            "constant": np.where(np.arange(4) == 1, 3.0, x),
            "all dead": 0 * x,
            "all constant": np.full_like(x, -2),
            "positive": np.abs(x),
            "negative": -np.abs(x),
        }[case]
    sample = LayerSample(
        torch.tensor(x, dtype=torch.float32), torch.tensor(weight, dtype=torch.float32), DYADIC
    )
    factors, before, after = Qads(20, straight_through=through)._learn(sample)
    exponents, first, least = OutlierScaling()._descend(sample)
    assert np.isfinite([before, after, first, least]).all()
    assert after <= before
    assert least <= first
    assert torch.isfinite(factors).all()
    assert (factors > 0).all()
    assert (exponents >= 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["power_of_two", "shift"])
@pytest.mark.parametrize("method", [Qads(30, straight_through=True), OutlierScaling()])
def test_factors_on_a_lattice_are_powers_of_two(scale: Any, method: Method) -> None:
    plan = plan_of(config=lean(scale=scale))
    found = method.apply(plan)
    changed = 0
    for node in plan.graph:
        scales = np.asarray(found.tensors[node.name].scale)
        assert (np.frexp(scales / scales[0])[0] == 0.5).all(), node.name
        changed += len(scales) > 1 and len(plan.tensors[node.name].scale) == 1
    assert changed >= 3


def test_rounded_factors_are_noted_as_they_are() -> None:
    """On a lattice the noted error is that of powers of two; ones, where they would be better."""
    plan = plan_of()
    method = Qads(30, straight_through=True)
    found = method.apply(plan)
    for name, sample in bottleneck_inputs(plan, method.rows).items():
        note = found.notes["qads"][name]
        scale = np.asarray(found.tensors[name].scale)
        least = min(
            float(sample.error(torch.tensor(scale * 2.0**k, dtype=torch.float32)))
            for k in range(-4, 24)
        )
        assert least == pytest.approx(note["after"], rel=1e-3)
        assert note["after"] <= note["before"]


def test_streams_share_factors_and_concatenated_tensors_do_not() -> None:
    """The shortcut's operands and sum have channels in common; what stands beside them has not."""
    plan = plan_of(config=DYADIC)
    assert [b.expand for b in bottlenecks(plan.graph)] == ["expand.0"]
    factors = np.array([1.0, 2.0, 4.0, 0.25])
    found = with_factors(plan, {"stem.2": factors})
    for name in ("stem.2", "project.0", "add"):
        scales = np.asarray(found.tensors[name].scale)
        np.testing.assert_allclose(scales / scales[0], factors, rtol=1e-12)
        assert len(set(found.tensors[name].zero_point)) == 1
    for node in plan.graph:
        if node.name not in ("stem.2", "project.0", "add"):
            assert found.tensors[node.name] == plan.tensors[node.name], node.name
    shared = [n.name for n in plan.graph if isinstance(n.op, Add)]
    assert shared[0] == "add"


def test_factors_outside_the_range_are_clipped() -> None:
    found = with_factors(plan_of(config=DYADIC), {"stem.2": np.array([1e-9, 1.0, 1.0, 1e9])})
    scales = np.asarray(found.tensors["stem.2"].scale)
    assert scales.max() / scales.min() == LARGEST / SMALLEST


def test_a_table_of_relu_takes_factors_as_silu_does() -> None:
    """A requantization per channel follows the table."""
    assert set(bottleneck_inputs(plan_of(), 8)) == {"stem.2", "depthwise.2"}
    model = settle(Hybrid(channels=4, dim=4, heads=2, depth=1, patch=(3, 1), act=nn.ReLU), 5)
    assert set(bottleneck_inputs(plan_of(model), 8)) == {"stem.2", "depthwise.2"}


@pytest.mark.slow
def test_deterministic_and_told_in_the_metadata() -> None:
    config = lean(methods=(Qads(10),))
    first, second = (quantize(tiny(), IMAGES, config, progress=False) for _ in range(2))
    wanted = dict(first.graph.reference(INTEGERS))
    for name, codes in second.graph.reference(INTEGERS):
        assert np.array_equal(codes, wanted[name]), name
    told = json.loads(json.dumps(first.graph.metadata))["config"]["methods"]
    assert told == [
        {
            "method": "Qads",
            "steps": 10,
            "learning_rate": 0.1,
            "straight_through": False,
            "rows": 2048,
            "patience": 150,
        }
    ]


def test_the_paper_s_recipe_uses_it() -> None:
    assert Qads(1000) in hyq().methods
    assert Qads(7, straight_through=True) in hyq(straight_through=True, steps=7).methods


@pytest.mark.parametrize("name", ["steps", "rows", "patience"])
@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_bad_arguments(name: str, value: Any) -> None:
    with pytest.raises(QuantizationError, match=rf"Qads\.{name}={value}: an integer from 1"):
        Qads(**{name: value})
