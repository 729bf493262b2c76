"""Q-HyViT: bridge blocks are found, the search lowers its cost, and what it finds has integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.reduced import efficientformerv2, mobilevitv2
from hyq_hls import QuantConfig, quantize
from hyq_hls.capture.elementwise import Silu
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.capture.float_ops import Conv2d, Linear
from hyq_hls.errors import QuantizationError
from hyq_hls.graph.requantize import Requantize
from hyq_hls.models import digits, mobile_former_26m, mobilevit_digits, mobilevit_xxs
from hyq_hls.models.outliers import with_outliers
from hyq_hls.quant.judge.bridges import bridge_blocks
from hyq_hls.quant.judge.second_order import Choice, rounded, sample_chains, units_of
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.methods.q_hyvit import QHyViT, candidates
from hyq_hls.quant.pipeline import float_graph_of
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales import real_readers
from hyq_hls.quant.traits import has_weights
from hyq_hls.verify import sqnr_db
from tests.capture.hybrids import ExplicitAttention, Hybrid, Layer, conv_bn, settle
from tests.quant.networks import lean

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
QUICK = QHyViT(rounds=1, candidates=12, images=6)


def graph_of(model: nn.Module, side: int = 8) -> FloatGraph:
    return float_graph_of(model, (side, side, 3))[0]


def small(seed: int = 5) -> Hybrid:
    return settle(Hybrid(channels=4, dim=8, heads=2, depth=1), seed)


def plan_of(config: QuantConfig, model: nn.Module | None = None) -> Plan:
    return Plan.of(graph_of(model or small()), config, IMAGES, progress=False)


@pytest.mark.slow
def test_default_network_has_two_bridge_blocks(default_model: nn.Module) -> None:
    blocks = bridge_blocks(graph_of(default_model, 32))
    stages = ("stages.1.1", "stages.2.1")
    layers = ("conv_kxk.conv", "conv_kxk.act", "conv_1x1")
    assert blocks == [tuple(f"{stage}.{layer}" for layer in layers) for stage in stages]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "side"),
    [(efficientformerv2.small, 64), (mobilevitv2.small, 32), (mobile_former_26m, 64)],
)
def test_inputs_of_a_judge_have_the_units_of_its_result(
    model: Callable[[], nn.Module], side: int
) -> None:
    """A sample takes the same units of all tensors of an operation that has no weights."""
    graph = graph_of(model().eval(), side)
    judges = {r.name for node in graph for r in real_readers(graph, node.name)}
    for node in (graph[name] for name in judges if not has_weights(graph[name])):
        tensors = [torch.zeros(1, *graph.shape(name)) for name in (*node.inputs, node.name)]
        assert len({len(units_of(node, tensor)) for tensor in tensors}) == 1, node


@pytest.mark.slow
def test_mobilevit_xxs_has_three_bridge_blocks_of_three_operations() -> None:
    graph = graph_of(mobilevit_xxs().eval(), 64)
    blocks = bridge_blocks(graph)
    assert len(blocks) == 3
    for first, _, last in blocks:
        assert isinstance(graph[first].op, Conv2d)
        assert isinstance(graph[last].op, Linear)


def test_hybrid_written_by_hand_has_one_bridge_block() -> None:
    blocks = bridge_blocks(graph_of(small()))
    assert blocks == [("block.conv_kxk.0", "block.conv_kxk.2", "block.conv_1x1")]


class LinearBridge(nn.Module):
    """A sum of maps, a 1x1 convolution, and flattening: as stages of tokens follow maps."""

    def __init__(self, *, shared: bool = False) -> None:
        super().__init__()
        self.shared = shared
        self.stem = conv_bn(3, 4, 3, act=nn.ReLU(), stride=2)
        self.local = conv_bn(4, 4, 3, act=nn.ReLU(), groups=4)
        self.align = nn.Conv2d(4, 8, 1)
        self.layer = Layer(8, ExplicitAttention(8, 2), nn.ReLU)
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.stem(x)
        y = functional.relu(self.align(y + self.local(y)))
        tokens = self.layer(y.flatten(2).transpose(1, 2))
        found = self.head(tokens.mean(1))
        result: torch.Tensor = found + self.head(y.mean((2, 3))) if self.shared else found
        return result


def test_bridge_of_a_linear_layer_starts_behind_the_addition() -> None:
    (block,) = bridge_blocks(graph_of(settle(LinearBridge())))
    assert block[0] == "align"
    assert len(block) == 2


def test_a_map_that_others_read_too_belongs_to_no_bridge_block() -> None:
    assert bridge_blocks(graph_of(settle(LinearBridge(shared=True)))) == []


def test_no_tokens_no_bridge_block() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert bridge_blocks(graph_of(model.eval())) == []


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["power_of_two", "shift", "dyadic"])
@pytest.mark.parametrize("bits", [8, 4])
def test_cost_on_the_sample_never_grows(scale: Any, bits: int) -> None:
    config = lean(scale=scale, weight_bits=bits, activation_bits=bits, observer="minmax")
    notes = [replace(QUICK, rounds=n).apply(plan_of(config)).notes["q_hyvit"] for n in (1, 2)]
    assert notes[0]["cost_before"] > notes[0]["cost_after"] >= notes[1]["cost_after"]
    assert notes[0]["bridge_blocks"] == [["block.conv_kxk.0", "block.conv_kxk.2", "block.conv_1x1"]]


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["power_of_two", "shift", "dyadic"])
@pytest.mark.parametrize("granularity", ["tensor", "channel"])
def test_integers_are_the_same_by_reference_and_emulation(scale: Any, granularity: Any) -> None:
    config = lean(
        scale=scale,
        weight_granularity=granularity,
        activation_granularity=granularity,
        weight_bits=6,
        methods=(QUICK,),
    )
    first, second = (quantize(small(), IMAGES, config, progress=False) for _ in range(2))
    expected = dict(first.graph.reference(IMAGES.astype(np.int64)))[first.graph.output_name]
    assert np.array_equal(first.codes(IMAGES), expected)
    assert np.array_equal(second.codes(IMAGES), expected)  # nothing is random
    if scale != "dyadic":
        nodes = first.graph.nodes.values()
        requantizations = [getattr(node.operation, "requantize", None) for node in nodes]
        assert all(r.is_shift for r in requantizations if isinstance(r, Requantize))


@pytest.mark.slow
def test_schemes_and_granularities_are_mixed() -> None:
    config = lean(scale="dyadic", observer="minmax", weight_bits=4, activation_bits=4)
    plan = replace(QUICK, candidates=30).apply(plan_of(config))
    found = [plan.tensors[n.name] for n in plan.graph if n.name != plan.graph.input]
    assert {q.signed for q in found} == {False, True}
    assert {q.per_channel for q in found} == {False, True}
    plan.lowered()


@pytest.mark.slow
def test_a_part_judges_what_the_whole_tensor_would() -> None:
    """The cost of a linear layer by hand, from all positions."""
    plan = plan_of(lean(scale="dyadic"))
    node = plan.graph["expand.0"]
    chain = sample_chains(plan, {"only": [node]}, IMAGES)["only"]
    choice = Choice.of(plan)
    (x,), op = chain.inputs, node.op
    assert isinstance(op, Linear)
    assert len(x) == 6 * 4 * 4  # every position of every image
    weights, q = plan.weights_of(node), plan.tensors[node.inputs[0]]
    codes = q.quantize(x.double().numpy()) - np.asarray(q.zero_point)
    sums = codes @ weights.codes.T * weights.scales
    wanted = x.double().numpy() @ op.weight.T
    cost = (((sums - wanted) * chain.gradient.numpy()) ** 2).sum(axis=0)
    assert chain.gradient.abs().max() == 1
    np.testing.assert_allclose(chain.errors(choice), cost, rtol=1e-3)


@pytest.mark.slow
def test_patches_give_the_sums_of_the_convolution() -> None:
    """Strides, padding and depthwise filters, from sampled patches alone."""
    plan = plan_of(lean())
    nodes = [n for n in plan.graph if has_weights(n)]
    chains = sample_chains(plan, {n.name: [n] for n in nodes}, IMAGES)
    assert any(isinstance(n.op, Conv2d) and n.op.groups > 1 for n in nodes)
    for chain in chains.values():
        torch.testing.assert_close(chain.sums(None), chain.output, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_gradients_are_those_of_the_divergence() -> None:
    """At the logits the gradient is the difference of the probabilities."""
    plan = plan_of(lean(activation_bits=4))
    head = plan.graph[plan.graph.output]
    chain = sample_chains(plan, {"head": [head]}, IMAGES)["head"]
    images = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        found = torch.softmax(Simulation(plan)(images).double(), -1)
    difference = found - torch.softmax(plan.graph(images).double(), -1)
    wanted = difference / difference.abs().max()
    torch.testing.assert_close(chain.gradient.double(), wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("base", [None, 1.0])
def test_positive_channel_far_from_zero_keeps_its_zero_point_inside(base: float | None) -> None:
    """Values of 10 to 11 alone would need the zero point -2550 at 8 bits."""
    low, high = np.array([10.0, -1.0, 0.0]), np.array([11.0, 1.0, 0.0])
    values = np.random.default_rng(0).uniform(low, high, (500, 3))
    shares = np.array([1.0])
    for q in candidates(low, high, 8, False, base, shares):
        assert 0 <= q.zero_point[0] <= 255 - 11 / q.scale[0] + 1
        error = np.abs(q.dequantize(q.quantize(values)) - values)
        assert (error <= 0.5001 * np.asarray(q.scale)).all()
        assert q.scale[0] >= 11 / 255
        assert (error[:, 2] == 0).all()


def test_candidates_cover_both_schemes() -> None:
    low, high = np.array([-1.0]), np.array([3.0])
    shares = np.array([0.5, 1.0])
    asymmetric = list(candidates(low, high, 4, False, None, shares))
    assert [q.scale[0] for q in asymmetric] == pytest.approx([2 / 15, 4 / 15])
    assert {q.zero_point for q in asymmetric} == {(4,)}
    symmetric = list(candidates(low, high, 4, True, None, shares))
    assert [q.scale[0] for q in symmetric] == pytest.approx([1.5 / 7, 3 / 7])
    lattice = list(candidates(low, high, 4, False, 0.75, shares))
    # Steps of 0.375 reach 5.6: the codes left over go above, below, or to both sides.
    assert {q.scale[0] for q in lattice} == {0.375, 0.1875}
    assert {q.zero_point[0] for q in lattice if q.scale[0] == 0.375} == {3, 5, 7}


def test_rounding_of_a_sample_is_that_of_the_codes() -> None:
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(50, 3))).float()
    for low in ([-2.0], [-1.0, -0.1, 0.0]):
        for q in candidates(np.array(low), np.full(len(low), 1.5), 5, False, None, np.array([0.8])):
            exact = q.dequantize(q.quantize(x.double().numpy()))
            np.testing.assert_allclose(rounded(x, q).numpy(), exact, rtol=1e-5, atol=1e-6)


class Degenerate(nn.Module):
    """A channel that is always zero, one that is constant, and a row of zero weights."""

    def __init__(self) -> None:
        super().__init__()
        self.model = small()
        convolution, norm = self.model.expand[0], self.model.stem[1]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        with torch.no_grad():
            norm.weight[0] = 0
            norm.bias[0] = 0  # dead behind SiLU
            norm.weight[1] = 0
            norm.bias[1] = 9  # constant, positive
            convolution.weight[2] = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.model(x)
        return result


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["power_of_two", "dyadic"])
@pytest.mark.parametrize("images", [IMAGES[:1], np.eye(2, 192, dtype=np.uint8).reshape(2, 8, 8, 3)])
def test_degenerate_channels_and_one_image(scale: Any, images: np.ndarray) -> None:
    config = lean(scale=scale, activation_granularity="channel", methods=(QUICK,))
    qmodel = quantize(Degenerate().eval(), images, config, progress=False)
    codes = dict(qmodel.graph.reference(IMAGES.astype(np.int64)))[qmodel.graph.output_name]
    assert np.array_equal(qmodel.codes(IMAGES), codes)
    assert np.isfinite(qmodel(IMAGES)).all()


@pytest.mark.slow
def test_network_whose_answer_never_changes_keeps_its_plan() -> None:
    """One class has probability 1 always: every gradient is zero, every choice as good."""
    model = small()
    model.head = settle(nn.Linear(4, 1))
    plan = plan_of(lean(scale="dyadic"), model)
    found = QUICK.apply(plan)
    assert found.tensors == plan.tensors
    assert found.notes["q_hyvit"]["cost_after"] == 0


class SwishBesideAProduct(nn.Module):
    """What Shift-Swish reads is multiplied too, and is so large that steps would be above 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.side = nn.Conv2d(3, 4, 3), nn.SiLU(), nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        result: torch.Tensor = self.head((self.side(y) + self.act(y)).mean((2, 3)))
        return result


@pytest.mark.parametrize("scale", ["power_of_two", "shift", "dyadic"])
def test_fraction_bits_are_respected(scale: Any) -> None:
    model = settle(SwishBesideAProduct())
    with torch.no_grad():
        model.conv.weight *= 300
    plan = QUICK.apply(plan_of(lean(scale=scale, activation_bits=6), model))
    (step,) = plan.tensors["conv"].scale
    assert step <= 1
    assert np.log2(step) % 1 == 0
    plan.lowered()


@pytest.mark.slow
def test_outliers_are_survived() -> None:
    """Of 6 bits, one scale for channels that differ by 64 leaves nothing to most of them."""
    images = digits.calibration(16)
    model = with_outliers(mobilevit_digits(pretrained=True), 64)
    config = lean(scale="dyadic", observer="minmax", weight_bits=6, activation_bits=6)
    method = QHyViT(rounds=1, candidates=10, images=8)
    with torch.no_grad():
        wanted = model(digits.as_input(images)).double().numpy()
    before, after = (
        sqnr_db(wanted, quantize(model, images, c, progress=False)(images))
        for c in (config, replace(config, methods=(method,)))
    )
    assert after > before + 5


def far_reaching() -> nn.Module:
    """One channel behind a SiLU reaches 60 times as far as the others, and counts as much."""
    torch.manual_seed(3)
    before, behind, head = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 3), nn.Linear(6, 4)
    with torch.no_grad():
        before.weight[2] *= 60
        behind.weight[:, 2] /= 60
    return nn.Sequential(
        before, nn.SiLU(), behind, nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head
    ).eval()


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["shift", "dyadic"])
def test_scales_per_channel_behind_a_silu_have_a_price(scale: Any) -> None:
    config = lean(scale=scale, swish="table", activation_granularity="absorbed")
    plan = plan_of(config, far_reaching())

    def searched(price: float | None) -> tuple[list[str], float]:
        found = replace(QUICK, function_price=price).apply(plan)
        silus = [n.name for n in plan.graph if isinstance(n.op, Silu)]
        spread = [name for name in silus if found.tensors[name].per_channel]
        steps = [name for name in found.lowered().nodes if name.endswith(".table")]
        assert steps == [f"{name}.table" for name in spread]
        return spread, found.notes["q_hyvit"]["cost_after"]

    first = next(n.name for n in plan.graph if isinstance(n.op, Silu))
    (none, most), (dear, same), (cheap, least) = (searched(p) for p in (None, 1.0, 0.05))
    assert none == dear == []
    assert same == most
    assert cheap == [first]
    assert least < most / 2


@pytest.mark.parametrize("price", [-0.1, 1.1, float("nan")])
def test_a_price_is_a_share(price: float) -> None:
    with pytest.raises(QuantizationError, match=f"function_price={price}: a share from 0 to 1"):
        QHyViT(function_price=price)


@pytest.mark.parametrize("name", ["rounds", "candidates", "images"])
@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_numbers_below_one_are_refused(name: str, value: Any) -> None:
    with pytest.raises(QuantizationError, match=rf"QHyViT\.{name}={value}: an integer from 1"):
        QHyViT(**{name: value})


@pytest.mark.slow
def test_metadata_names_the_method() -> None:
    config = lean(methods=(QUICK,))
    graph = quantize(small(), IMAGES, config, progress=False).graph
    saved = graph.metadata["config"]["methods"]
    counts = {"rounds": 1, "candidates": 12, "images": 6}
    assert saved == [{"method": "QHyViT", **counts, "function_price": None}]
