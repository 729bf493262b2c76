"""Masks and biases of positions as integers: zeros, ranges, widths, every level."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls import QuantConfig, QuantizedModel, convert
from hyq_hls.capture.channel_affine import HIDDEN, PositionConstant
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.capture.float_ops import AttentionScores
from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Graph, Quantization
from hyq_hls.ops import ChannelAffine as IntegerAffine
from hyq_hls.ops import LinearSoftmax, TableSoftmax
from hyq_hls.quant import presets
from hyq_hls.quant.hidden import stored, visible
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.lowering.nonlinear import softmax_operation
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.octave_softmax import OctaveSoftmax
from hyq_hls.quant.pipeline import float_graph_of
from hyq_hls.quant.plan import Plan
from hyq_hls.verify.quantized_float import quantized_float
from tests.capture.hybrids import settle
from tests.quant.networks import cheap
from tests.stream.hls.bounded import check_bounded_queues

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255
COUNT, HEADS = 12, 2
CONFIGS = {
    "default": QuantConfig(),
    "log2": QuantConfig(softmax="log2"),
    "table": QuantConfig(exponential="table"),
    "4 bits": QuantConfig(8, 4, exponential="table"),
    "symmetric": QuantConfig(activation_scheme="symmetric", scale="dyadic"),
    "powers of two": QuantConfig(scale="power_of_two"),
    "I-BERT": presets.i_bert(),
    "I-ViT": presets.i_vit(),
    "FQ-ViT": presets.fq_vit(),
    "HyQ released": QuantConfig(exponential="linear_released", softmax="log2_rounded"),
}
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


class Biased(nn.Module):
    """Attention of two heads with a bias of positions, and a causal mask where it is asked for."""

    bias: torch.Tensor

    def __init__(self, masked: bool = True, gain: float = 1.0) -> None:
        super().__init__()
        self.qkv = nn.Linear(3, 3 * 8)
        self.out = nn.Linear(8, 4)
        self.gain = gain
        mask = torch.zeros(COUNT, COUNT)
        if masked:
            mask = mask.masked_fill(torch.ones(COUNT, COUNT).triu(1) > 0, -torch.inf)
        bias = torch.sin(torch.arange(1.0 * HEADS * COUNT * COUNT)).view(HEADS, COUNT, COUNT)
        self.register_buffer("bias", bias + mask)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x.flatten(2).mT).unflatten(-1, (3, HEADS, 4)).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(self.gain * q, k, v, attn_mask=self.bias)
        result: torch.Tensor = self.out(y.transpose(1, 2).flatten(2)).mean(1)
        return result


def network(masked: bool = True, gain: float = 1.0) -> Biased:
    """A settled network, whose buffers stay as they are."""
    return settle(Biased(masked, gain))


@cache
def captured(masked: bool, gain: float) -> FloatGraph:
    return float_graph_of(network(masked, gain), IMAGES.shape[1:])[0]


def plan_with(config: QuantConfig, masked: bool = True, gain: float = 1.0) -> Plan:
    return Plan.of(captured(masked, gain), config, IMAGES, progress=False)


def bias_and_softmax(plan: Plan) -> tuple[str, str]:
    bias = next(node.name for node in plan.graph if isinstance(node.op, PositionConstant))
    softmax = next(node.name for node in plan.graph if isinstance(node.op, OctaveSoftmax))
    return bias, softmax


def hidden_of(plan: Plan, name: str) -> np.ndarray:
    op = plan.graph[name].op
    assert isinstance(op, PositionConstant)
    return op.hidden


def probabilities(graph: Graph, name: str) -> np.ndarray:
    codes = dict(graph.reference(IMAGES.astype(np.int64)))[name]
    return graph.type(name).quantization.dequantize(codes)


@pytest.mark.slow
@every_config
@pytest.mark.parametrize("gain", [0.02, 1.0, 30.0])
def test_masked_probabilities_are_exactly_zero(gain: float, config: QuantConfig) -> None:
    """Also where all scores are almost alike, and the exponential of each is near one."""
    plan = plan_with(config, gain=gain)
    bias, softmax = bias_and_softmax(plan)
    graph = plan.lowered()
    found, hidden = probabilities(graph, softmax), hidden_of(plan, bias)
    assert not found[:, hidden].any()
    assert (found[:, :, 0, :, 0] == found[:, :, 0, :, 0].max()).all()  # the first query sees itself
    operation = graph.nodes[softmax].operation
    assert isinstance(operation, LinearSoftmax | TableSoftmax)
    # Nothing of them enters the sum of a row either.
    codes = dict(graph.reference(IMAGES.astype(np.int64)))[bias]
    distance = codes.max(axis=-1, keepdims=True) - codes
    assert not operation.exponential(distance)[:, hidden].any()


@every_config
def test_a_mask_leaves_the_steps_of_the_other_scores(config: QuantConfig) -> None:
    """The step covers the scores that are seen, and takes one bit more where a table is read."""
    plan = plan_with(config)
    bias, _ = bias_and_softmax(plan)
    seen, data = plan.tensors[bias], plan.statistics[bias]
    low, high = min(float(data.low.min()), 0), max(float(data.high.max()), 0)
    assert high - low < 10
    assert (1 << seen.bits) * seen.scale[0] < 4.1 * (high - low)
    memory = plan.lowered().type(bias).quantization
    assert memory.scale == seen.scale
    assert memory.qmax - memory.zero_point[0] == seen.qmax - seen.zero_point[0]
    if config.exponential != "linear":
        assert memory.bits == seen.bits + 1


@every_config
def test_emulation_and_accuracy(config: QuantConfig) -> None:
    plan = plan_with(config)
    graph = plan.lowered()
    emulated = dict(QuantizedModel(graph).emulator.trace(IMAGES))
    for name, codes in graph.reference(IMAGES.astype(np.int64)):
        assert np.array_equal(emulated[name], codes), name
    bias, _ = bias_and_softmax(plan)
    if config.activation_bits == 8:
        real = plan.graph.run(FLOATS)[bias]
        meant = torch.from_numpy(graph.type(bias).quantization.dequantize(emulated[bias]))
        op = plan.graph[bias].op
        noise = visible(op, real) - visible(op, meant)
        assert float(noise.square().mean() / visible(op, real).square().mean()) < 1e-3


def test_a_mask_alone_moves_codes_and_rounds_nothing() -> None:
    plan = plan_with(QuantConfig(exponential="table"))
    bias, _ = bias_and_softmax(plan)
    op = plan.graph[bias].op
    assert isinstance(op, PositionConstant)
    mask = PositionConstant(np.where(op.hidden, HIDDEN, 0.0))
    plan = Plan.of(plan.graph.replace({bias: mask}), plan.config, IMAGES, progress=False)
    scores = plan.graph[bias].inputs[0]
    plan = plan.with_tensors({bias: plan.tensors[scores]})
    trace = dict(plan.lowered().reference(IMAGES.astype(np.int64)))
    assert np.array_equal(trace[bias][:, ~op.hidden], trace[scores][:, ~op.hidden] + 256)
    assert not trace[bias][:, op.hidden].any()


def test_constants_of_scores_need_no_multiplier_by_default() -> None:
    plan = plan_with(QuantConfig())
    operation = plan.lowered().nodes[bias_and_softmax(plan)[0]].operation
    assert isinstance(operation, IntegerAffine)
    assert (operation.weight.tolist(), operation.requantize.is_shift) == ([4], True)
    assert operation.bias.shape == (COUNT * HEADS, COUNT)


def test_scores_reach_the_softmax_in_octaves() -> None:
    """The factor log2(e) goes into the bias, and with the scale into the queries."""
    plan, plain = plan_with(QuantConfig()), network()
    bias, _ = bias_and_softmax(plan)
    op = plan.graph[bias].op
    assert isinstance(op, PositionConstant)
    wanted = plain.bias.permute(1, 0, 2)[None].numpy() / np.log(2)
    np.testing.assert_allclose(op.constant[~op.hidden], wanted[~op.hidden], rtol=1e-6)
    scores = next(node.op for node in plan.graph if isinstance(node.op, AttentionScores))
    assert scores.scale == 1.0
    with torch.no_grad():
        np.testing.assert_allclose(plan.graph.run(FLOATS)[plan.graph.output], plain(FLOATS), 1e-4)


def test_statistics_show_what_is_seen() -> None:
    op = PositionConstant(np.array([[0.0, HIDDEN, 1.0], [HIDDEN, 0.5, HIDDEN], [0, 0, 0]]))
    value = op.forward(torch.arange(9.0).reshape(1, 3, 3))
    wanted = [[0.0, 3.0, 0.0], [4.5, 4.5, 4.5], [6, 7, 8]]
    assert visible(op, value)[0].tolist() == wanted
    plain = PositionConstant(np.zeros((3, 3)))
    assert visible(plain, value) is value


@pytest.mark.parametrize("exponential", ["linear", "table"])
@pytest.mark.parametrize("seen", [Quantization(8, True), Quantization(5, False, zero_point=(30,))])
def test_codes_on_top_are_those_that_are_seen(seen: Quantization, exponential: str) -> None:
    config = QuantConfig(exponential=exponential)  # type: ignore[arg-type]
    op = PositionConstant(np.array([[0.0, HIDDEN]]))
    for step in (1.0, 0.25, 2.0**-10):
        own = replace(seen, scale=(step,))
        found = stored(op, own, config)
        softmax = softmax_operation(config.exponential, own, 8, "uniform")
        below = found.qmax - found.qmin - (own.qmax - own.qmin)
        if isinstance(softmax, LinearSoftmax):
            assert softmax.exponential(np.array(below)) == 0
        else:
            assert below == 1 << own.bits
        assert found.qmax - found.zero_point[0] == own.qmax - own.zero_point[0]
        assert stored(PositionConstant(np.zeros((1, 2))), own, config) is own


def test_too_many_codes_are_refused() -> None:
    op = PositionConstant(np.array([[0.0, HIDDEN]]))
    with pytest.raises(QuantizationError, match=r"need 17 bits, 16 are wanted.*'table'"):
        stored(op, Quantization(8, True, (2.0**-11,)), QuantConfig())
    plan = plan_with(QuantConfig(activation_bits=10, exponential="table"))
    with pytest.raises(QuantizationError, match=r"a table of 2048 exponentials.*fewer bits"):
        plan.lowered()


@pytest.mark.slow
def test_simulation_and_verification_hide_too() -> None:
    for config in (QuantConfig(), CONFIGS["table"], CONFIGS["FQ-ViT"]):
        plan = plan_with(config, gain=0.1)
        bias, softmax = bias_and_softmax(plan)
        hidden = hidden_of(plan, bias)
        with torch.no_grad():
            simulated = Simulation(plan).values(FLOATS, keep=(bias, softmax))
        assert not simulated[softmax][:, hidden].any()
        values = quantized_float(plan.graph, plan.lowered(), FLOATS)
        assert not values[softmax][:, hidden].any()


@pytest.mark.slow
def test_methods_take_masks() -> None:
    for config in (presets.best(), presets.qhyvit(), presets.mixed_precision()):
        plan = plan_with(replace(cheap(config, 2), methods=()))
        for method in cheap(config, 2).methods:
            assert isinstance(method, Method)
            plan = method.apply(plan)
        bias, softmax = bias_and_softmax(plan)
        assert not probabilities(plan.lowered(), softmax)[:, hidden_of(plan, bias)].any()


@pytest.mark.slow
def test_the_whole_road(tmp_path: Path) -> None:
    """A bias and a mask in C++ and SystemVerilog, stalled and not."""
    qmodel = QuantizedModel(plan_with(CONFIGS["default"]).lowered())
    accelerator = convert(qmodel, output_dir=tmp_path / "net").compile("-O0")
    check_bounded_queues(accelerator)
    for stalls in (0.0, 0.4):
        report = accelerator.cosimulate(IMAGES[:2], idle=stalls, backpressure=stalls)
        assert report.ok, str(report)
