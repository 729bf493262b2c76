"""Outlier scaling by powers of two: coordinate descent that never hurts, and shifts alone."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyq_hls.errors import QuantizationError
from hyq_hls.quant.judge.channel_factors import LayerSample, bottleneck_inputs
from hyq_hls.quant.methods.outlier_scaling import OutlierScaling
from tests.quant.networks import lean, plan_of


def sample_of(x: np.ndarray, weight: np.ndarray, bits: int = 8) -> LayerSample:
    return LayerSample(
        torch.tensor(x, dtype=torch.float32),
        torch.tensor(weight, dtype=torch.float32),
        lean(4, bits),
    )


@given(seed=st.integers(0, 1 << 30), bits=st.integers(2, 8), largest=st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_a_local_minimum_never_worse_than_without(seed: int, bits: int, largest: int) -> None:
    """No single step of an exponent makes the result better."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(16, 4)) * 2.0 ** rng.uniform(-4, 4, 4) + rng.normal(size=4)
    sample = sample_of(x, rng.normal(size=(3, 4)), bits)
    exponents, before, after = OutlierScaling(largest, sweeps=50)._descend(sample)
    assert before == float(sample.error(torch.ones(4)))
    assert after <= before
    assert float(sample.error(torch.exp2(exponents))) == after
    assert set(exponents.tolist()) <= set(range(largest + 1))
    for channel, move in product(range(4), (-1, 1)):
        trial = exponents.clone()
        trial[channel] += move
        if 0 <= trial[channel] <= largest:
            assert float(sample.error(torch.exp2(trial))) >= after


def test_as_good_as_every_combination_on_a_clear_case() -> None:
    """Channels of 1, 8 and 64 times: the exhaustive best is found, and it is theirs."""
    rng = np.random.default_rng(3)
    x, weight = rng.uniform(-1, 1, (200, 3)), rng.normal(size=(6, 3))
    factors = np.array([1, 8, 64])
    sample = sample_of(x * factors, weight / factors)
    exponents, before, after = OutlierScaling()._descend(sample)
    least = min(
        float(sample.error(2.0 ** torch.tensor(k, dtype=torch.float32)))
        for k in product(range(8), repeat=3)
    )
    assert after <= 1.1 * least
    assert after < before / 20
    assert exponents.tolist() == [0, 3, 6]


def test_the_scales_are_the_noted_exponents() -> None:
    plan = plan_of()
    found = OutlierScaling().apply(plan)
    notes = found.notes["outlier_scaling"]
    assert set(notes) == set(bottleneck_inputs(plan, 8)) == {"stem.2", "depthwise.2"}
    for name, note in notes.items():
        scale = np.asarray(found.tensors[name].scale)
        exponents = np.asarray(note["exponents"])
        assert np.array_equal(np.log2(scale / scale.min()), exponents - exponents.min()), name
        assert note["after"] <= note["before"]
        assert len(found.tensors[name].zero_point) == 1


def test_weights_take_the_factors_back() -> None:
    """Real weights per code times the scales before: what is computed is the same layer."""
    plan = plan_of(config=lean(weight_bits=12))
    found = OutlierScaling().apply(plan)
    before = plan.weights_of(plan.graph["expand.0"])
    after = found.weights_of(plan.graph["expand.0"])
    x, y = (np.broadcast_to(p.tensors["stem.2"].scale, 4) for p in (plan, found))
    assert not np.array_equal(x, y)
    real = plan.graph["expand.0"].op.weight  # type: ignore[attr-defined]
    for weights, scale in ((before, x), (after, y)):
        found_real = weights.codes * weights.scales[:, None] / scale
        assert np.abs(found_real - real).max() < 2.0**-9 * np.abs(real).max()


@pytest.mark.parametrize("name", ["largest", "sweeps", "rows"])
@pytest.mark.parametrize("value", [0, -3, 2.5, "7"])
def test_bad_arguments(name: str, value: Any) -> None:
    with pytest.raises(QuantizationError, match=rf"OutlierScaling\.{name}={value!r}: an integer"):
        OutlierScaling(**{name: value})
