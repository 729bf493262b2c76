"""The differentiable simulation: the same codes as the integers, and gradients that mean it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hyq_hls import QuantizedModel
from hyq_hls.capture.float_ops import LayerNorm, Softmax
from hyq_hls.models import digits, mobilevit_digits
from hyq_hls.quant import presets
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.judge.simulate import FakeQuantize, Simulation, probabilities
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.traits import has_weights
from tests.quant.networks import FLOATS, IMAGES, lean, plan_of, shifting

#: Nothing is approximated but LayerNorm and softmax, whose results are judged apart.
CONFIGS = {
    "default": lean(),
    "best": replace(presets.best(), methods=()),
    "shift": shifting(8, 8),
    "few bits": shifting(4, 5),
    "hyq": replace(presets.hyq(), methods=()),
    "minmax": presets.minmax(),
    "symmetric": lean(activation_scheme="symmetric", activation_granularity="channel"),
    "i_vit": presets.i_vit(),
    "i_bert per channel": replace(presets.i_bert(), activation_granularity="channel"),
    "released": lean(
        scale="dyadic", swish="shift_released", exponential="polynomial", softmax="log2_rounded"
    ),
}


def simulated(
    plan: Plan, images: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Codes of every tensor by the simulation and by the integers, each from its own inputs."""
    simulation = Simulation(plan)
    names = [node.name for node in plan.graph if node.name in simulation.tensors]
    with torch.no_grad():
        values = simulation.values(to_float(images), keep=names)
    found = {n: simulation.tensors[n].index(values[n]).numpy() for n in names}
    trace = dict(QuantizedModel(plan.lowered()).emulator.trace(images))
    wanted = {n: np.asarray(trace[n]) - plan.tensors[n].qmin for n in names}
    return found, wanted


def one_by_one(plan: Plan, images: np.ndarray) -> dict[str, np.ndarray]:
    """Distance in codes at every node, when it reads what the integers hold; softmax in steps."""
    simulation = Simulation(plan)
    trace = dict(QuantizedModel(plan.lowered()).emulator.trace(images))
    trace[plan.graph.input] = images
    real = {
        name: torch.tensor(plan.tensors[name].dequantize(np.asarray(codes)), dtype=torch.float32)
        for name, codes in trace.items()
        if name in plan.tensors  # a step in between has no name in the float graph
    }
    found = {}
    with torch.no_grad():
        for node in plan.graph.nodes[1:]:
            value = simulation._value(node, [real[name] for name in node.inputs])
            if isinstance(node.op, Softmax):
                found[node.name] = (value - real[node.name]).numpy()
                continue
            quantize = simulation.tensors[node.name]
            assert isinstance(quantize, FakeQuantize)
            codes = quantize.index(quantize(value)).numpy() + plan.tensors[node.name].qmin
            found[node.name] = codes - np.asarray(trace[node.name])
    return found


@pytest.fixture(scope="module", params=["hybrid", "digits"])
def calibrated(request: pytest.FixtureRequest) -> tuple[Plan, np.ndarray]:
    """A plan of the default configuration, and images to look at."""
    if request.param == "digits":
        plan = plan_of(mobilevit_digits(), lean(), digits.calibration(16))
        return plan, digits.test().images[:4]
    return plan_of(), IMAGES


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_every_node_gives_the_codes_of_the_integers(
    name: str, calibrated: tuple[Plan, np.ndarray]
) -> None:
    plan, images = calibrated
    plan = plan.with_config(CONFIGS[name])
    for node, distance in one_by_one(plan, images).items():
        op, bits = plan.graph[node].op, plan.tensors[node].bits
        share = float((distance != 0).mean())
        if isinstance(op, LayerNorm):  # gammas are rounded in the integers
            # All channels share the fraction of the gammas: a small one beside a fine step loses.
            many = plan.tensors[node].per_channel
            assert np.abs(distance).max() <= (8 if many else 3), node
            assert share <= (0.75 if many else 0.5), node
        elif isinstance(op, Softmax):
            assert share < 0.01, node
        elif plan.config.scale == "power_of_two":
            assert not distance.any(), node
        else:
            # Multipliers have 15 bits, and a tie within 2**-12 of a step may go either way: the
            # constant parts of an image meet one together.
            assert np.abs(distance).max() <= 1, node
            assert share < (0.05 if bits <= 8 else 0.4), (node, share)


def test_with_powers_of_two_equal_up_to_the_first_layer_norm(
    calibrated: tuple[Plan, np.ndarray],
) -> None:
    """Bit by bit with its own inputs; behind LayerNorm most codes stay close."""
    plan, images = calibrated
    found, wanted = simulated(plan, images)
    names = list(found)
    first = next(i for i, n in enumerate(names) if isinstance(plan.graph[n].op, LayerNorm))
    assert first > 8
    for node in names[:first]:
        assert np.array_equal(found[node], wanted[node]), node
    for node in names[first:]:
        off = found[node] - wanted[node]
        level = wanted[node] + plan.tensors[node].qmin - np.asarray(plan.tensors[node].zero_point)
        assert (off**2).mean() < 0.03 * (level.astype(float) ** 2).mean(), node


def test_gradients_reach_every_weight_and_bias() -> None:
    plan = plan_of(config=CONFIGS["best"])
    simulation = Simulation(plan)
    (simulation(FLOATS) ** 2).sum().backward()
    for node in plan.graph:
        if has_weights(node):
            layer = simulation.layer(node.name)
            for parameter in (layer.weight, layer.bias):
                assert parameter.grad is not None
                assert torch.isfinite(parameter.grad).all(), node.name
                # Softmax does not change when all its scores do: keys have no use for a bias.
                shifted = node.name.endswith("qkv.k") and parameter is layer.bias
                assert parameter.grad.abs().max() > 0 or shifted, node.name


def test_the_gradient_of_a_bias_is_the_slope_of_the_float_network() -> None:
    """Straight through: with fine steps, both agree."""
    config = lean(14, 12, scale="dyadic", softmax="uniform", softmax_bits=8, swish="table")
    plan = plan_of(config=replace(config, exponential="linear"))
    simulation = Simulation(plan)
    simulation(FLOATS)[:, 0].sum().backward()
    layer = simulation.layer("head")
    assert layer.bias.grad is not None
    steps = torch.tensor(layer.output_steps, dtype=torch.float32)
    wanted = torch.zeros(5)
    wanted[0] = len(FLOATS)
    torch.testing.assert_close(layer.bias.grad / steps, wanted, rtol=1e-4, atol=1e-4)
    stem, delta = plan.graph["stem.0"], 1e-3
    bias = simulation.layer("stem.0").bias.grad
    assert bias is not None
    slopes = []
    for channel in range(4):
        both = []
        for sign in (1, -1):
            moved = stem.op.bias.copy()  # type: ignore[attr-defined]
            moved[channel] += sign * delta
            graph = plan.graph.replace({"stem.0": replace(stem.op, bias=moved)})  # type: ignore[type-var]
            both.append(float(graph(FLOATS.double())[:, 0].sum()))
        slopes.append((both[0] - both[1]) / (2 * delta))
    found = (bias / torch.tensor(simulation.layer("stem.0").output_steps)).double().numpy()
    assert np.corrcoef(found, slopes)[0, 1] > 0.95


def test_what_saturates_has_no_gradient() -> None:
    plan = plan_of()
    quantize = FakeQuantize(plan.tensors["stem.0"])
    low, high, step = float(quantize.low), float(quantize.high), float(quantize.scale)
    x = torch.tensor([low - step, low, (low + high) / 2, high, high + step], requires_grad=True)
    y = quantize(x)
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 1, 0]
    assert y.detach()[0] == low
    assert y.detach()[-1] == high
    assert quantize.index(y.detach()).tolist()[::4] == [0, 255]


def test_a_clipped_weight_has_no_gradient_and_a_pushed_out_bias_neither() -> None:
    plan = plan_of()
    simulation = Simulation(plan)
    layer = simulation.layer("head")
    with torch.no_grad():
        layer.weight[0, 0] = 1000
        layer.weight[1, 0] = -1000
        layer.bias[2] += 1e6
    (simulation(FLOATS)).sum().backward()
    assert layer.weight.grad is not None
    assert layer.bias.grad is not None
    assert layer.weight.grad[0, 0] == layer.weight.grad[1, 0] == 0
    assert layer.weight.grad[0, 1] != 0
    assert layer.bias.grad[2] == 0
    assert layer.bias.grad[3] != 0
    codes = layer.weights().codes
    assert codes[0, 0] == 127
    assert codes[1, 0] == -128


@pytest.mark.slow
def test_the_codes_are_those_of_the_plan_and_the_biases_too() -> None:
    plan = plan_of(config=CONFIGS["few bits"])
    simulation = Simulation(plan)
    for node in plan.graph:
        if has_weights(node):
            layer = simulation.layer(node.name)
            assert np.array_equal(layer.weights().codes, plan.weights_of(node).codes), node.name
            wanted = vars(node.op)["bias"]
            np.testing.assert_allclose(layer.real_bias(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("output", "bits"), [("uniform", 8), ("log2", 4), ("log2_rounded", 4)])
def test_probabilities_by_hand(output: str, bits: int) -> None:
    rows = torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 2.0**-20], [3.0, 1.0]])
    found = probabilities(rows, output, bits)
    top = 255 / 256 if output == "uniform" else 1.0
    tiny = 0.0
    quarter = 0.25
    most = {"uniform": 0.75, "log2": 1.0, "log2_rounded": 1.0}[output]
    wanted = [[0.5, 0.5], [top, 0.0], [top, tiny], [most, quarter]]
    assert found.tolist() == wanted
