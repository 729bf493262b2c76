"""EfficientFormer V1 and its poolings as integers, at every level."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.reduced.efficientformer import small
from hyq_hls import QuantConfig, QuantizedModel, convert
from hyq_hls.capture import capture
from hyq_hls.capture.average_pool import AveragePool
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.float_ops import Input, Linear
from hyq_hls.ops import AveragePool as IntegerPool
from hyq_hls.quant import presets
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.plan import Plan
from tests.capture.hybrids import settle
from tests.quant.networks import multipliers, plan_of, shifting
from tests.stream.hls.bounded import check_bounded_queues

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(IMAGES).double() / 255
CONFIGS = {
    "default": QuantConfig(),
    "shift": shifting(8, 8),
    "dyadic": QuantConfig(scale="dyadic"),
    "per channel": replace(shifting(8, 8), activation_granularity="channel"),
    "symmetric": QuantConfig(activation_scheme="symmetric", scale="dyadic"),
    "FQ-ViT": presets.fq_vit(),
}
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def pools() -> FloatGraph:
    """Poolings of two kinds and strides behind a layer."""
    rng = np.random.default_rng(0)
    ops: dict[str, FloatOp] = {
        "linear": Linear(rng.normal(size=(5, 3)), rng.normal(size=5)),
        "pool": AveragePool((3, 3), (2, 2), (1, 1)),
        "wide": AveragePool((5, 2), (1, 1), (2, 1)),
        "mixer": AveragePool((3, 3), (1, 1), (1, 1), less_input=True),
    }
    nodes = [FloatNode("x", Input((12, 12, 3)))]
    for name, op in ops.items():
        nodes.append(FloatNode(name, op, (nodes[-1].name,)))
    return FloatGraph(nodes, nodes[-1].name)


def pools_plan(config: QuantConfig) -> Plan:
    return Plan.of(pools(), config, IMAGES, progress=False)


def sqnr(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10((wanted**2).mean() / ((found - wanted) ** 2).mean()))


@pytest.mark.slow
def test_it_is_captured_as_it_is() -> None:
    graph, report = capture(settle(small()), (3, 12, 12))
    assert report.relative_error is not None
    assert report.relative_error < 1e-10
    found = Counter(node.op.kind for node in graph)
    assert found["AveragePool"] == 2
    assert found["PositionConstant"] == found["Softmax"] == 1
    # The layer scales of token mixers stay; those behind a layer go into its weights.
    assert found["ChannelAffine"] == 2
    assert all(node.op.less_input for node in graph if isinstance(node.op, AveragePool))


@pytest.mark.slow
@every_config
def test_emulation_equals_the_reference(config: QuantConfig) -> None:
    plan = plan_of(settle(small()), config, IMAGES)
    graph = plan.lowered()
    emulated = dict(QuantizedModel(graph).emulator.trace(IMAGES))
    for name, codes in graph.reference(IMAGES.astype(np.int64)):
        assert np.array_equal(emulated[name], codes), name


@every_config
def test_poolings_follow_the_float_graph(config: QuantConfig) -> None:
    plan = pools_plan(config)
    graph = plan.lowered()
    emulated = dict(QuantizedModel(graph).emulator.trace(IMAGES))
    exact = plan.graph.run(FLOATS, layout="nhwc")
    for name, codes in graph.reference(IMAGES.astype(np.int64)):
        assert np.array_equal(emulated[name], codes), name
        if name != graph.input_name:
            real = graph.type(name).quantization.dequantize(codes)
            assert sqnr(exact[name].numpy(), real) > 22, name


@pytest.mark.parametrize("name", ["default", "shift", "per channel"])
def test_requantizations_are_shifts_where_scales_say_so(name: str) -> None:
    graph = pools_plan(CONFIGS[name]).lowered()
    assert all(multipliers(graph)[n] == {1} for n in ("pool", "wide", "mixer"))


def test_factors_of_means_are_close() -> None:
    """The least factor has 12 bits, so that no mean is off by more than 2**-12 of it."""
    graph = pools_plan(QuantConfig()).lowered()
    for name, most in (("pool", 9), ("wide", 10)):
        pool = graph.nodes[name].operation
        assert isinstance(pool, IntegerPool)
        assert pool.centre == 0
        unit = int(pool.factor[0])
        assert np.abs(pool.factor * np.arange(1, most + 1) / unit - 1).max() <= 2.0**-12
    mixer = graph.nodes["mixer"].operation
    assert isinstance(mixer, IntegerPool)
    assert mixer.centre == mixer.factor[0]


@every_config
def test_the_simulation_gives_the_codes_of_the_integers(config: QuantConfig) -> None:
    plan = pools_plan(config)
    trace = dict(plan.lowered().reference(IMAGES.astype(np.int64)))
    simulation = Simulation(plan)
    with torch.no_grad():
        for node in plan.graph.nodes[2:-1]:  # the codes of the last are finer than the factors
            source = torch.tensor(plan.tensors[node.inputs[0]].dequantize(trace[node.inputs[0]]))
            quantize = simulation.tensors[node.name]
            found = quantize.index(quantize(simulation._value(node, [source.float()]))).numpy()
            off = found + plan.tensors[node.name].qmin - trace[node.name]
            assert np.abs(off).max() <= 1, node.name
            assert (off != 0).mean() < 0.1, node.name


@pytest.mark.slow
def test_the_whole_road(tmp_path: Path) -> None:
    """Every kind of operation in C++ and SystemVerilog, stalled."""
    qmodel = QuantizedModel(plan_of(settle(small()), QuantConfig(), IMAGES).lowered())
    accelerator = convert(qmodel, output_dir=tmp_path / "net").compile("-O0")
    check_bounded_queues(accelerator)
    report = accelerator.cosimulate(IMAGES[:2], idle=0.3, backpressure=0.3)
    assert report.ok, str(report)
