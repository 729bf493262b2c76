"""EfficientFormer V2 as integers: talking heads, few queries with many keys, upsampled maps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.reduced.efficientformerv2 import small
from hyq_hls import QuantConfig, QuantizedModel, convert
from hyq_hls.capture import capture
from hyq_hls.ops import AttentionValues
from hyq_hls.quant import presets
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from tests.capture.hybrids import settle
from tests.ops.harness import run_csim, run_rtl
from tests.quant.networks import cheap, multipliers, plan_of, shifting
from tests.stream.hls.bounded import check_bounded_queues

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(IMAGES).double() / 255
CONFIGS = {
    "default": QuantConfig(),
    "dyadic": QuantConfig(scale="dyadic"),
    "lean": presets.lean(),
    "per channel": replace(shifting(8, 8), activation_granularity="channel"),
    "symmetric": QuantConfig(activation_scheme="symmetric", scale="dyadic"),
    "FQ-ViT": presets.fq_vit(),
}


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    return settle(small())


def sqnr(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10((wanted**2).mean() / ((found - wanted) ** 2).mean()))


@pytest.mark.slow
def test_it_is_captured_as_it_is(model: torch.nn.Module) -> None:
    graph, report = capture(model, (3, 64, 64))
    assert report.relative_error is not None
    assert report.relative_error < 1e-10
    found = Counter(node.op.kind for node in graph)
    # Two blocks have talking heads; the attention between them makes its map smaller.
    assert found["Transpose"] == 2 * 2 * 2
    assert found["AttentionScores"] == found["PositionConstant"] == found["Softmax"] == 3
    assert found["Upsample"] == 1
    assert found["ChannelAffine"] == 0
    assert graph.shape("stages.3.downsample.attn.scores") == (1, 4, 2, 16)


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_emulation_equals_the_reference_and_follows_the_float_graph(
    config: QuantConfig, model: torch.nn.Module
) -> None:
    plan = plan_of(model, config, IMAGES)
    graph = plan.lowered()
    emulated = dict(QuantizedModel(graph).emulator.trace(IMAGES))
    exact = plan.graph.run(FLOATS, layout="nhwc")
    for name, codes in graph.reference(IMAGES.astype(np.int64)):
        assert np.array_equal(emulated[name], codes), name
        kind = name.rpartition(".")[2]
        if kind in ("keys", "values", "head_dist") or name == graph.output_name:
            real = graph.type(name).quantization.dequantize(codes)
            # FQ-ViT has coarse scores: probabilities that are powers of two, of a polynomial.
            assert sqnr(exact[name].numpy(), real) > 7, name


@pytest.fixture(scope="module")
def plan(model: torch.nn.Module) -> Plan:
    return plan_of(model, CONFIGS["default"], IMAGES)


@pytest.mark.slow
def test_mixed_probabilities_are_signed_numbers_of_one_power_of_two(plan: Plan) -> None:
    graph = plan.lowered()
    values = {
        name: node.operation
        for name, node in graph.nodes.items()
        if isinstance(node.operation, AttentionValues)
    }
    mixed = values["stages.2.blocks.0.token_mixer.values"]
    assert mixed.probability_zero_point > 0
    assert values["stages.3.downsample.attn.values"].probability_zero_point == 0
    assert all(multipliers(graph)[name] == {1} for name in values)


@pytest.mark.slow
def test_powers_of_two_weigh_values_but_are_not_mixed(model: torch.nn.Module) -> None:
    graph = plan_of(model, presets.lean(), IMAGES).lowered()
    found = {
        name.rpartition(".softmax")[0]: node.type.quantization.encoding
        for name, node in graph.nodes.items()
        if name.endswith(".softmax")
    }
    assert found == {
        "stages.2.blocks.0.token_mixer": "affine",
        "stages.3.downsample.attn": "log2",
        "stages.3.blocks.0.token_mixer": "affine",
    }


def test_the_simulation_gives_the_codes_of_an_upsample(plan: Plan) -> None:
    name = "stages.2.blocks.0.token_mixer.upsample.upsample"
    source, simulation = plan.graph[name].inputs[0], Simulation(plan)
    with torch.no_grad():
        found = simulation.values(to_float(IMAGES), keep=(source, name))
    read, written = simulation.tensors[source], simulation.tensors[name]
    # Between codes lie no values.
    assert torch.equal(written(found[name]), found[name])
    codes = read.index(found[source]).numpy() + plan.tensors[source].qmin
    wanted = plan.lowered().nodes[name].operation.reference(codes) - plan.tensors[name].qmin
    assert np.array_equal(written.index(found[name]).numpy(), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("config", [presets.best(), presets.qhyvit(), presets.mixed_precision()])
def test_methods_take_the_operations(config: QuantConfig, model: torch.nn.Module) -> None:
    plan = plan_of(model, config, IMAGES)
    for method in cheap(config, 2).methods:
        assert isinstance(method, Method)
        plan = method.apply(plan)
    plan.lowered()


@pytest.mark.slow
def test_cpp_and_systemverilog_equal_the_reference(plan: Plan, tmp_path: Path) -> None:
    """A network with every kind of operation, at one lane; FIFO depths are the safe ones."""
    graph = plan.lowered()
    codes = IMAGES[:2].astype(np.int64)
    wanted = dict(graph.reference(codes))[graph.output_name]
    assert np.array_equal(run_csim(graph, codes, tmp_path / "c"), wanted)
    check_bounded_queues(convert(QuantizedModel(graph), "xcu250", output_dir=tmp_path / "queues"))
    # One frame, because a frame of this size is most of the time.
    result = run_rtl(graph, codes[:1], tmp_path / "rtl", idle=0.3, backpressure=0.3)
    assert np.array_equal(result.outputs.reshape(wanted[:1].shape), wanted[:1])
