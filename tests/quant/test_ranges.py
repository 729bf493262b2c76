"""Scales and zero points: by brute force, at the edges, and never NaN."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Quantization
from hyq_hls.quant.config import Granularity, NodeBits, Observer, Scale, Scheme
from hyq_hls.quant.factors import dyadic
from hyq_hls.quant.scales import statistics
from hyq_hls.quant.scales.ranges import (
    channel_factors,
    channel_quantization,
    observed_range,
    quantization,
)
from hyq_hls.quant.scales.statistics import TensorStatistics
from hyq_hls.quant.scales.weights import weight_scales
from tests.quant.networks import lean


def statistics_of(values: np.ndarray, batches: int = 1) -> TensorStatistics:
    data = TensorStatistics("x", 0.1, batches)
    for part in np.array_split(values, batches):
        data.update(torch.from_numpy(part))
    return data


def error(values: np.ndarray, q: Quantization) -> float:
    return float(((q.dequantize(q.quantize(values)) - values) ** 2).mean())


@pytest.mark.parametrize("scheme", ["asymmetric", "symmetric"])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_power_of_two_is_the_best_of_all(scheme: Scheme, bits: int) -> None:
    """No power of two near the range, with any of its sensible zero points, is better by much."""
    values = np.random.default_rng(bits).normal(0.7, 1.3, (500, 8))
    config = lean(activation_bits=bits, activation_scheme=scheme)
    found = quantization(statistics_of(values), config, base=1.0)
    assert np.log2(found.scale[0]) == int(np.log2(found.scale[0]))
    zeros = [0] if scheme == "symmetric" else range(1 << bits)
    every = [
        Quantization(bits, scheme == "symmetric", (2.0**e,), (z,))
        for e, z in product(range(-9, 4), zeros)
    ]
    best = min(error(values, q) for q in every)
    assert error(values, found) <= 1.1 * best


@pytest.mark.parametrize("observer", ["minmax", "mse"])
@pytest.mark.parametrize("octaves", [20, 50, 90])
def test_no_range_is_clipped_for_its_size(observer: Observer, octaves: int) -> None:
    """Numbers that explode on their way through a network have steps as all others have."""
    values = np.random.default_rng(0).normal(0.7, 1.3, (500, 8))
    config = lean(observer=observer)
    small, large = (
        quantization(statistics_of(v), config, base=1.0) for v in (values, values * 2.0**octaves)
    )
    assert large.scale[0] == small.scale[0] * 2.0**octaves
    assert large.zero_point == small.zero_point


def test_minmax_covers_the_range() -> None:
    values = np.random.default_rng(0).normal(0, 3, (300, 4))
    for scale in (True, False):
        q = quantization(
            statistics_of(values), lean(observer="minmax"), base=1.0 if scale else None
        )
        low, high = q.dequantize(np.array([q.qmin, q.qmax]))
        assert low - q.scale[0] <= values.min()
        assert high + q.scale[0] >= values.max()
        assert np.abs(q.dequantize(q.quantize(values)) - values).max() <= q.scale[0]


def test_observers_see_what_they_should() -> None:
    values = np.zeros((1000, 1))
    values[:500] = np.linspace(-1, 1, 500)[:, None]
    values[0], values[-1] = -100, 100
    data = statistics_of(values, batches=10)
    assert observed_range(data, lean(observer="minmax")) == (-100, 100)
    low, high = observed_range(data, lean(observer="percentile", percentile=99))
    assert -1 <= low < 0 < high <= 1
    low, high = observed_range(data, lean(observer="moving_average"))
    # 0.9**9 of the first batch's minimum is left; the last batch's maximum counts a tenth.
    assert -100 * 0.9**9 - 1 < low < -100 * 0.9**9 + 1
    assert 9 < high < 12


def test_channel_factors_are_the_best_exponents() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, (400, 6)) * 2.0 ** np.arange(-3, 3)
    base = quantization(statistics_of(values), lean(), base=1.0)
    found = channel_factors(statistics_of(values), base, 3)
    exponents = np.log2(np.array(found.scale) / (base.scale[0] / 8))
    assert set(exponents) <= {0, 1, 2, 3}
    for c, k in enumerate(exponents):
        mine = error(values[:, c], Quantization(8, False, (found.scale[c],), base.zero_point))
        for other in set(range(4)) - {int(k)}:
            scale = base.scale[0] / 8 * 2.0**other
            assert mine <= error(values[:, c], Quantization(8, False, (scale,), base.zero_point))


def test_channels_have_their_own_ranges() -> None:
    values = np.random.default_rng(1).normal(0, 1, (400, 3)) * [0.01, 1, 100]
    base = Quantization(8, False)
    found = channel_quantization(statistics_of(values), lean(), base, base=1.0)
    assert found.scale[0] < found.scale[1] < found.scale[2]


def test_no_channel_is_finer_than_a_float_of_the_coarsest() -> None:
    """Neither one that is always zero, nor one that is almost so."""
    values = np.random.default_rng(1).normal(0, 1e6, (200, 4)) * [1, 0, 1e-5, 1e-12]
    data = statistics_of(values)
    whole = quantization(data, lean(), base=1.0)
    found = channel_quantization(data, lean(), whole, base=1.0)
    assert found.scale[1] == 2.0**-12 * found.scale[0]
    assert found.scale[3] == 2.0**-24 * found.scale[0]
    assert found.scale[2] == quantization(data.channel(2), lean(), base=1.0).scale[0]
    codes = found.quantize(values)
    assert (found.dequantize(codes)[:, [1, 3]] == 0).all()
    nothing = channel_quantization(statistics_of(0 * values), lean(), whole, base=1.0)
    assert nothing.scale == (2.0**-12 * whole.scale[0],) * 4


@pytest.mark.parametrize("scale", ["power_of_two", "dyadic"])
@pytest.mark.parametrize("granularity", ["channel", "tensor"])
def test_weight_scales_minimize_the_weighted_error(scale: Scale, granularity: Granularity) -> None:
    rng = np.random.default_rng(5)
    weight, importance = rng.normal(0, 1, (7, 40)), rng.uniform(0, 4, 40)
    config = lean(weight_bits=4, scale=scale, weight_granularity=granularity)
    found = weight_scales(weight, importance, config, np.ones(len(weight)))

    def loss(s: NDArray[np.float64]) -> NDArray[np.float64]:
        codes = np.clip(np.rint(weight / s[:, None]), -8, 7)
        squares: NDArray[np.float64] = (codes * s[:, None] - weight) ** 2 * importance
        return np.asarray(squares.sum(axis=1))

    largest = np.abs(weight).max(axis=1)
    if granularity == "tensor":
        assert len(set(found)) == 1
        assert loss(found).sum() <= loss(np.full(7, found[0] * 2)).sum()
        assert loss(found).sum() <= loss(np.full(7, found[0] / 2)).sum()
    elif scale == "power_of_two":
        assert (np.log2(found) == np.rint(np.log2(found))).all()
        assert (loss(found) <= loss(found * 2)).all()
        assert (loss(found) <= loss(found / 2)).all()
    else:
        assert (loss(found) <= loss(largest / 7)).all()


@given(
    st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=5),
)
@settings(max_examples=200, deadline=None)
def test_dyadic_is_close(factors: list[float]) -> None:
    multiplier, shift = dyadic(factors)
    found = multiplier / np.exp2(shift.astype(float))
    assert (np.abs(found / factors - 1) <= 2.0**-15).all()
    assert (multiplier >= 1).all()
    assert (multiplier < 1 << 16).all()


@pytest.mark.slow
@given(st.lists(st.integers(-40, 40), min_size=1, max_size=5))
def test_powers_of_two_need_no_multiplier(exponents: list[int]) -> None:
    multiplier, shift = dyadic(np.exp2(np.array(exponents, dtype=float)))
    assert (multiplier == 1).all()
    assert np.array_equal(shift, -np.array(exponents))


@pytest.mark.parametrize("observer", ["mse", "minmax", "moving_average", "percentile"])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, 1e-30])
def test_constant_tensors_get_a_scale(observer: Observer, scale: bool, value: float) -> None:
    data = statistics_of(np.full((10, 3), value))
    config = lean(observer=observer)
    q = quantization(data, config, base=1.0 if scale else None)
    assert np.isfinite(q.scale[0])
    (found,) = q.dequantize(q.quantize([value]))
    assert abs(found - value) <= abs(value) / 100 + 1e-6


def test_zero_weights_get_a_scale() -> None:
    for scale in ("power_of_two", "dyadic"):
        found = weight_scales(np.zeros((2, 4)), np.zeros(4), lean(scale=scale), np.ones(2))
        assert (found > 0).all()


def test_nan_is_refused() -> None:
    data = TensorStatistics("block.conv", 0.1, 1)
    with pytest.raises(QuantizationError, match=r"block.conv: calibration produced NaN"):
        data.update(torch.tensor([[1.0, float("nan")]]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weight_bits": 1}, "weight_bits=1: an integer from 2 to 16"),
        ({"activation_bits": 17}, "activation_bits=17"),
        ({"weight_bits": 8.0}, "weight_bits=8.0"),
        ({"softmax_bits": 8}, r"softmax_bits \(log2\)=8: an integer from 2 to 4"),
        ({"observer": "entropy"}, "observer='entropy' is unknown; choose one of mse, minmax"),
        ({"scale": "float"}, "scale='float' is unknown"),
        ({"percentile": 30.0}, "percentile=30.0"),
        ({"momentum": 0.0}, "momentum=0.0"),
        ({"overrides": {"a": NodeBits(weight_bits=99)}}, "weight_bits of a=99"),
    ],
)
def test_bad_configurations(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(QuantizationError, match=message):
        lean(**arguments)


def test_overrides() -> None:
    config = lean(overrides={"head.*": NodeBits(4), "head.fc": NodeBits(None, 6)})
    assert config.for_node("stem").weight_bits == 8
    assert config.for_node("head.fc").weight_bits == 4
    assert config.for_node("head.fc").activation_bits == 6
    with pytest.raises(QuantizationError, match=r"override 'head\.\*' matches no node; nodes are"):
        config.check_names(["stem"])


def test_statistics_of_blocks_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Squares of float32 are summed in float64, a block at a time."""
    values = torch.from_numpy(np.random.default_rng(0).normal(3, 50, (1000, 7))).float()
    exact = (values.double().numpy() ** 2).mean(axis=0)
    for block in (1, 70, 1 << 20):
        monkeypatch.setattr(statistics, "_BLOCK", block)
        data = TensorStatistics("x", 0.1, 1)
        data.update(values)
        assert np.allclose(data.power, exact, rtol=1e-12)
        assert np.array_equal(data.low, values.double().numpy().min(axis=0))
        assert data.rows.dtype == data.low.dtype == np.float64
