"""Learned rounding: never worse on the images that judge, much better where bits are few."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from hyq_hls import QuantizedModel, quantize
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.errors import QuantizationError
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.methods import reconstruction
from hyq_hls.quant.methods.bias_correction import BiasCorrection
from hyq_hls.quant.methods.reconstruction import Reconstruction
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.traits import has_weights
from hyq_hls.verify import sqnr_db
from tests.quant.networks import (
    FLOATS,
    IMAGES,
    INTEGERS,
    lean,
    plan_of,
    shifting,
    tiny,
)

LOW = shifting(3, 5)


def codes_of(plan: Plan) -> dict[str, np.ndarray]:
    return {n.name: plan.weights_of(n).codes for n in plan.graph if has_weights(n)}


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.03, 50.0])
@pytest.mark.parametrize("held_back", [0, 1 / 3])
def test_the_loss_that_judges_never_rises(rate: float, held_back: float) -> None:
    """Also where the learning rate ruins everything: then the first state comes back."""
    plan = plan_of(config=LOW)
    method = Reconstruction(30, batch=4, weight_rate=rate, bias_rate=rate / 5, held_back=held_back)
    found = method.apply(plan)
    note = found.notes["reconstruction"]
    assert 0 < note["after"] <= note["before"]
    old, new = codes_of(plan), codes_of(found)
    if rate == 50:
        assert note["after"] == note["before"]
        assert all(np.array_equal(old[name], new[name]) for name in old)
    elif held_back == 0:
        assert note["after"] < 0.8 * note["before"]
        assert any(not np.array_equal(old[name], new[name]) for name in old)


@pytest.mark.slow
def test_logits_of_the_default_network_at_4_and_6_bits() -> None:
    """On images it never saw: 3 dB by itself, and with bias correction before it."""
    config = shifting(4, 6)
    plan = plan_of(mobilevit_digits(), config, digits.calibration(64))
    images = digits.test().images[:100]
    with torch.no_grad():
        real = plan.graph(to_float(images)).double().numpy()

    def db(found: Plan) -> float:
        return sqnr_db(real, QuantizedModel(found.lowered())(images))

    learn = Reconstruction(30, batch=16)
    corrected = BiasCorrection().apply(plan)
    plain, learned, both = db(plan), db(learn.apply(plan)), db(learn.apply(corrected))
    assert learned > plain + 4
    assert both > db(corrected) + 2
    assert both > plain + 4


@pytest.mark.slow
@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("steps", [1, 3])
def test_one_image_and_one_step(images: int, steps: int) -> None:
    plan = plan_of(config=LOW, images=IMAGES[:images])
    found = Reconstruction(steps).apply(plan)
    note = found.notes["reconstruction"]
    assert note["after"] <= note["before"]
    qmodel = QuantizedModel(found.lowered())
    wanted = dict(qmodel.graph.reference(INTEGERS))[qmodel.graph.output_name]
    assert np.array_equal(qmodel.codes(IMAGES), wanted)


@pytest.mark.slow
def test_little_memory_gives_the_same_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = FloatGraph.run

    def counted(self: FloatGraph, images: torch.Tensor, **more: Any) -> dict[str, torch.Tensor]:
        sizes.append(len(images))
        return real(self, images, **more)

    plan, method = plan_of(config=LOW), Reconstruction(3, batch=3, held_back=0)
    monkeypatch.setattr(FloatGraph, "run", counted)
    whole = method.apply(plan).notes["reconstruction"]
    assert 1 not in sizes
    monkeypatch.setattr(reconstruction, "_MEMORY", 1)
    parts = method.apply(plan).notes["reconstruction"]
    assert sizes.count(1) == 3 * 3 * 2  # steps, images, float and quantized
    assert whole["after"] < whole["before"]
    assert parts["after"] == pytest.approx(whole["after"], rel=1e-3)  # sums in another order


@pytest.mark.slow
def test_nothing_lives() -> None:
    """A network of zeros has nothing to learn, and no loss to divide by."""

    def zero(model: torch.nn.Module) -> None:
        for parameter in model.parameters():
            parameter.zero_()

    plan = plan_of(tiny(zero), LOW)
    found = Reconstruction(5).apply(plan)
    assert found.notes["reconstruction"] == {"before": 0.0, "after": 0.0}
    assert not QuantizedModel(found.lowered())(IMAGES).any()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_codes_and_another_seed_others() -> None:
    plan = plan_of(config=LOW)
    first, second, other = (
        Reconstruction(25, batch=2, weight_rate=0.03, seed=seed, held_back=0).apply(plan)
        for seed in (3, 3, 4)
    )
    one, two, three = codes_of(first), codes_of(second), codes_of(other)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert first.notes == second.notes
    assert any(not np.array_equal(one[name], three[name]) for name in one)
    for name in one:
        one_bias, other_bias = (found.bias_of(found.graph[name]) for found in (first, second))
        assert np.array_equal(one_bias, other_bias)


@pytest.mark.slow
def test_nothing_that_was_given_changes() -> None:
    """Not the module, not the plan, not the global random numbers; scales stay."""
    model = tiny()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    plan = plan_of(model, LOW)
    ops = {n.name: n.op for n in plan.graph}
    weights = {n: op.weight.copy() for n, op in ops.items() if hasattr(op, "weight")}
    biases = {n: op.bias.copy() for n, op in ops.items() if hasattr(op, "bias")}
    logits = plan.graph(FLOATS)
    torch.manual_seed(1)
    wanted = torch.rand(3)
    torch.manual_seed(1)
    found = Reconstruction(25, batch=4, weight_rate=0.03, held_back=0).apply(plan)
    assert torch.equal(torch.rand(3), wanted)
    assert all(torch.equal(v, state[name]) for name, v in model.state_dict().items())
    assert all(n.op is ops[n.name] for n in plan.graph)
    assert all(np.array_equal(ops[n].weight, w) for n, w in weights.items())  # type: ignore[attr-defined]
    assert all(np.array_equal(ops[n].bias, b) for n, b in biases.items())  # type: ignore[attr-defined]
    assert torch.equal(plan.graph(FLOATS), logits)
    assert found.graph is plan.graph  # what the integers shall compute
    assert not np.array_equal(found.bias_of(plan.graph["head"]), biases["head"])
    assert not plan.biases
    assert found.tensors == plan.tensors
    assert not plan.weights
    assert not plan.notes


@pytest.mark.slow
def test_codes_stay_in_their_width() -> None:
    plan = plan_of(config=LOW)
    found = Reconstruction(25, batch=4, weight_rate=1.0, held_back=0).apply(plan)
    for name, codes in codes_of(found).items():
        assert codes.min() >= -4, name
        assert codes.max() <= 3, name
    found.lowered()


def test_every_image_is_learned_from() -> None:
    """Within ``ceil(n / batch)`` steps no image comes twice."""
    images = torch.arange(12.0).reshape(12, 1)
    batches = list(Reconstruction(6, batch=4)._batches(images))
    assert [len(b) for b in batches] == [4] * 6
    for start in (0, 3):
        epoch = torch.cat(batches[start : start + 3]).flatten().tolist()
        assert sorted(epoch) == list(range(12))
    assert not torch.equal(torch.cat(batches[:3]), torch.cat(batches[3:]))
    (whole, _) = Reconstruction(2, batch=99)._batches(images)
    assert sorted(whole.flatten().tolist()) == list(range(12))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, r"Reconstruction\.steps=0: an integer from 1"),
        ({"steps": 1.5}, r"Reconstruction\.steps=1\.5: an integer from 1"),
        ({"batch": 0}, r"Reconstruction\.batch=0: an integer from 1"),
        ({"patience": 0}, r"Reconstruction\.patience=0: an integer from 1"),
        ({"held_back": -0.1}, r"Reconstruction\.held_back=-0\.1: 0 to 0\.5"),
        ({"held_back": 0.6}, r"Reconstruction\.held_back=0\.6: 0 to 0\.5"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(QuantizationError, match=message):
        Reconstruction(**arguments)


@pytest.mark.slow
def test_told_in_the_metadata() -> None:
    config = lean(methods=(Reconstruction(1, batch=2, seed=9),))
    metadata = quantize(tiny(), IMAGES, config, progress=False).graph.metadata
    (told,) = json.loads(json.dumps(metadata))["config"]["methods"]
    assert told["method"] == "Reconstruction"
    assert (told["steps"], told["batch"], told["seed"]) == (1, 2, 9)
