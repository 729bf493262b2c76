"""Bias correction: no mean is shifted, no code of a weight changes, the target stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hyq_hls import QuantizedModel, quantize
from hyq_hls.errors import QuantizationError
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.methods.bias_correction import BiasCorrection
from hyq_hls.quant.methods.reconstruction import Reconstruction
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.traits import has_weights
from hyq_hls.verify import sqnr_db
from tests.quant.networks import FLOATS, IMAGES, lean, plan_of, shifting, tiny

LOW = shifting(4, 5)


def mean_errors(plan: Plan, images: np.ndarray) -> dict[str, np.ndarray]:
    """Mean of each output channel of each layer, sums of the integers minus the float network's."""
    float_means: dict[str, torch.Tensor] = {}
    integer_means: dict[str, torch.Tensor] = {}

    def keep(into: dict[str, torch.Tensor]) -> Any:
        def observe(name: str, value: torch.Tensor) -> None:
            if has_weights(plan.graph[name]):
                into[name] = value.mean(dim=tuple(range(value.ndim - 1)))

        return observe

    with torch.no_grad():
        plan.graph.run(to_float(images), keep=(), observe=keep(float_means))
        Simulation(plan).values(to_float(images), keep=(), observe=keep(integer_means))
    return {n: (integer_means[n] - float_means[n]).numpy() for n in float_means}


@pytest.mark.slow
def test_means_of_every_channel_come_close_on_the_calibration_images() -> None:
    """Before rounding to the output's codes, no more than steps of biases are left."""
    plan = plan_of(config=LOW)
    corrected = BiasCorrection().apply(plan)
    before, after = mean_errors(plan, IMAGES), mean_errors(corrected, IMAGES)
    for name, error in after.items():
        unit = plan.weights_of(plan.graph[name]).scales
        # Half a step of a bias, and what such halves before made of it.
        assert np.abs(error).max() <= 4 * unit.max(), name
    total = [sum(float((e**2).sum()) for e in errors.values()) for errors in (before, after)]
    assert total[1] < total[0] / 50


@pytest.mark.slow
def test_the_integers_are_corrected_too() -> None:
    plan = plan_of(mobilevit_digits(), shifting(4, 6), digits.calibration(16))
    corrected = BiasCorrection().apply(plan)
    images = digits.test().images[:64]
    with torch.no_grad():
        real = plan.graph(to_float(images)).double().numpy()
    before, after = (sqnr_db(real, QuantizedModel(p.lowered())(images)) for p in (plan, corrected))
    assert after > before + 2


def test_weights_and_scales_stay() -> None:
    plan = plan_of(config=LOW)
    corrected = BiasCorrection().apply(plan)
    assert corrected.tensors == plan.tensors
    for node in plan.graph:
        if has_weights(node):
            old, new = plan.weights_of(node), corrected.weights_of(node)
            assert np.array_equal(old.codes, new.codes), node.name
            assert np.array_equal(old.scales, new.scales), node.name


def test_learning_begins_at_real_weights_behind_it() -> None:
    """Codes that nothing chose are not chosen: a weight near a half can still fall either way."""
    simulation = Simulation(BiasCorrection().apply(plan_of(config=LOW)))
    weight = simulation.layer("stem.0").weight.detach()
    assert (weight - weight.round()).abs().max() > 0.3


@pytest.mark.slow
def test_chosen_codes_stay_chosen() -> None:
    plan = plan_of(config=LOW)
    chosen = Reconstruction(25, batch=6, weight_rate=0.03).apply(plan)
    corrected = BiasCorrection().apply(chosen)
    assert corrected.weights == chosen.weights
    assert chosen.weights


@pytest.mark.slow
def test_what_the_integers_shall_follow_does_not_move() -> None:
    """The float network of the result is the trained one, not one with moved biases."""
    plan = plan_of(config=LOW)
    corrected = BiasCorrection().apply(plan)
    assert corrected.graph is plan.graph
    config = replace(LOW, methods=(BiasCorrection(), Reconstruction(1)))
    model = tiny()
    qmodel = quantize(model, IMAGES, config, progress=False)
    assert qmodel.float_graph is not None
    with torch.no_grad():
        torch.testing.assert_close(qmodel.float_graph(FLOATS), model(FLOATS), rtol=1e-4, atol=1e-4)
    moved = [np.abs(corrected.bias_of(n) - n.op.bias).max() for n in plan.graph if has_weights(n)]  # type: ignore[attr-defined]
    assert max(moved) > 0.01


@pytest.mark.slow
def test_twice_is_once() -> None:
    """The second time finds nothing to correct but roundings of biases."""
    once = BiasCorrection().apply(plan_of(config=LOW))
    twice = BiasCorrection().apply(once)
    for node in once.graph:
        if has_weights(node):
            unit = once.weights_of(node).scales
            off = np.abs(twice.bias_of(node) - once.bias_of(node))
            assert off.max() <= 2 * unit.max(), node.name


@pytest.mark.slow
def test_fewer_images_are_used_when_asked() -> None:
    plan = plan_of(config=LOW)
    head = plan.graph["head"]
    one, all_ = (BiasCorrection(n).apply(plan).bias_of(head) for n in (1, 64))
    first = BiasCorrection().apply(replace(plan, images=IMAGES[:1])).bias_of(head)
    assert np.array_equal(one, first)
    assert not np.array_equal(one, all_)


@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_bad_arguments(value: Any) -> None:
    with pytest.raises(QuantizationError, match=rf"BiasCorrection\.images={value}: an integer"):
        BiasCorrection(value)


def test_many_bits_need_no_correction() -> None:
    plan = plan_of(config=lean(14, 12, softmax="uniform", softmax_bits=8, swish="table"))
    corrected = BiasCorrection().apply(plan)
    for node in plan.graph:
        if has_weights(node):
            off = np.abs(corrected.bias_of(node) - node.op.bias)  # type: ignore[attr-defined]
            assert off.max() < 0.05, node.name
