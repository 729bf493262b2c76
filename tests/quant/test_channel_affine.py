"""Constants per channel and per position as integers: their scales, their accuracy, their cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hyq_hls import QuantConfig, QuantizedModel, convert
from hyq_hls.capture.channel_affine import ChannelAffine, PositionConstant
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.float_ops import GlobalAveragePool, Input, Linear, Unfold
from hyq_hls.ops import ChannelAffine as IntegerAffine
from hyq_hls.quant import presets
from hyq_hls.quant.judge.bottlenecks import bottlenecks
from hyq_hls.quant.judge.bridges import bridge_blocks
from hyq_hls.quant.judge.channel_factors import with_factors
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.methods.bias_correction import BiasCorrection
from hyq_hls.quant.methods.reconstruction import Reconstruction
from hyq_hls.quant.plan import Plan
from hyq_hls.verify.quantized_float import quantized_float
from tests.quant.networks import cheap, multipliers, shifting

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 6, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(IMAGES).double() / 255
#: One kind of scales each: powers of two, shifts of real scales, multipliers.
CONFIGS = {
    "default": QuantConfig(),
    "shift": shifting(8, 8),
    "dyadic": QuantConfig(scale="dyadic"),
    "per channel": replace(shifting(8, 8), activation_granularity="channel"),
    "symmetric": QuantConfig(8, 8, activation_scheme="symmetric", scale="dyadic"),
    "one weight scale": QuantConfig(weight_granularity="tensor"),
}
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def affine(rng: np.random.Generator, channels: int) -> ChannelAffine:
    """Multipliers of both signs over three octaves, of which one is zero."""
    multiplier = 2.0 ** rng.uniform(-2, 1, channels) * rng.choice([-1, 1], channels)
    multiplier[-1] = 0.0
    return ChannelAffine(multiplier, rng.normal(size=channels))


def graph_of(seed: int = 0, channels: int = 5) -> FloatGraph:
    """Every place: on the image, a map, tokens and a vector, and constants between them."""
    rng = np.random.default_rng(seed)
    layer = Linear(rng.normal(size=(channels, 3)), rng.normal(size=channels))
    ops: dict[str, FloatOp] = {
        "image": ChannelAffine(np.array([4.4, 4.5, -4.3]), np.array([-2.1, -2.0, 1.8])),
        "linear": layer,
        "map": affine(rng, channels),
        "map_constant": PositionConstant(rng.normal(size=(4, 6, channels))),
        "unfold": Unfold((2, 2)),
        "tokens": affine(rng, channels),
        "token_constant": PositionConstant(0.5 * rng.normal(size=(4, 6, channels))),
        "mean": GlobalAveragePool(),
        "vector": affine(rng, channels),
        "vector_constant": PositionConstant(rng.normal(size=channels)),
    }
    nodes = [FloatNode("x", Input((4, 6, 3)))]
    for name, op in ops.items():
        nodes.append(FloatNode(name, op, (nodes[-1].name,)))
    return FloatGraph(nodes, nodes[-1].name)


def plan_of(config: QuantConfig, seed: int = 0) -> Plan:
    return Plan.of(graph_of(seed), config, IMAGES, progress=False)


def sqnr(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10((wanted**2).mean() / ((found - wanted) ** 2).mean()))


@every_config
@pytest.mark.parametrize("seed", range(3))
def test_emulation_equals_the_reference_and_follows_the_float_graph(
    seed: int, config: QuantConfig
) -> None:
    plan = plan_of(config, seed)
    graph = plan.lowered()
    emulated = dict(QuantizedModel(graph).emulator.trace(IMAGES))
    exact = plan.graph.run(FLOATS, layout="nhwc")
    for name, codes in graph.reference(IMAGES.astype(np.int64)):
        assert np.array_equal(emulated[name], codes), name
        if name != graph.input_name:
            real = graph.type(name).quantization.dequantize(codes)
            assert sqnr(exact[name].numpy(), real) > 25, name


@pytest.mark.parametrize("name", ["default", "shift", "per channel"])
def test_requantizations_are_shifts_where_scales_say_so(name: str) -> None:
    graph = plan_of(CONFIGS[name]).lowered()
    kinds = {n for n, node in graph.nodes.items() if isinstance(node.operation, IntegerAffine)}
    assert len(kinds) == 7
    assert all(multipliers(graph)[n] == {1} for n in kinds)


def test_constants_per_position_need_no_multiplier_and_keep_their_resolution() -> None:
    plan = plan_of(shifting(8, 8))
    graph = plan.lowered()
    for name in ("map_constant", "token_constant"):
        operation = graph.nodes[name].operation
        assert isinstance(operation, IntegerAffine)
        assert operation.weight.tolist() == [4]
        assert operation.bias.shape == (24, 5)
        x, y = (plan.tensors[n] for n in (plan.graph[name].inputs[0], name))
        # The scales are tied, so that a shift is left.
        assert np.log2(y.scale[0] / x.scale[0]) % 1 == 0
        op = plan.graph[name].op
        assert isinstance(op, PositionConstant)
        step = np.asarray(x.scale) / 4
        rounded = (operation.bias + 4 * np.asarray(x.zero_point)) * step
        assert np.abs(rounded - op.constant.reshape(24, 5)).max() <= step.max() / 2


def test_weights_of_channels_have_their_own_scales() -> None:
    """A channel that is 1000 times weaker keeps the bits of its multiplier."""
    graph = graph_of().replace({"map": ChannelAffine(np.array([1, 1e-3, -1, 1, 1]), np.zeros(5))})
    config = replace(shifting(8, 8), activation_granularity="channel")
    plan = Plan.of(graph, config, IMAGES, progress=False)
    operation = plan.lowered().nodes["map"].operation
    assert isinstance(operation, IntegerAffine)
    assert (np.abs(operation.weight) >= 64).all()
    assert operation.weight_bits == 8


@every_config
@pytest.mark.parametrize("factor", [1e-5, 1e-20, 1e-38, -1e-300])
def test_dead_channels_of_a_batch_norm_keep_their_offset(
    factor: float, config: QuantConfig
) -> None:
    """A factor far below a step is no reason to refuse, in a layer that absorbed it or alone."""
    op = ChannelAffine(np.array([1.0, factor, -1.0]), np.array([0.3, 0.4, 0.9]))
    absorbed = Linear(np.diag(op.multiplier), op.offset)
    for last in (op, absorbed):
        nodes = [FloatNode("x", Input((4, 6, 3))), FloatNode("last", last, ("x",))]
        graph = FloatGraph(nodes, "last")
        lowered = Plan.of(graph, config, IMAGES, progress=False).lowered()
        codes = dict(lowered.reference(IMAGES.astype(np.int64)))["last"]
        real = lowered.output_type.quantization.dequantize(codes)
        assert np.abs(real - graph(FLOATS, layout="nhwc").numpy()).max() < 0.02


def test_verification_reads_the_weights_back() -> None:
    plan = plan_of(CONFIGS["dyadic"])
    values = quantized_float(plan.graph, plan.lowered(), torch.from_numpy(IMAGES) / 255)
    exact = plan.graph.run(FLOATS, layout="nhwc")
    for name in ("image", "map", "tokens", "vector"):
        assert sqnr(exact[name].numpy(), values[name]) > 25, name


@every_config
def test_the_simulation_gives_the_codes_of_the_integers(config: QuantConfig) -> None:
    plan = plan_of(config)
    trace = dict(plan.lowered().reference(IMAGES.astype(np.int64)))
    simulation = Simulation(plan)
    with torch.no_grad():
        for node in plan.graph.nodes[1:-1]:  # the constants of the last are coarser than its codes
            source = torch.tensor(plan.tensors[node.inputs[0]].dequantize(trace[node.inputs[0]]))
            quantize = simulation.tensors[node.name]
            found = quantize.index(quantize(simulation._value(node, [source.float()]))).numpy()
            off = found + plan.tensors[node.name].qmin - trace[node.name]
            assert np.abs(off).max() <= 1, node.name
            # A constant per position is rounded to a quarter of a step.
            assert (off != 0).mean() < (0.2 if "constant" in node.name else 0.05), node.name


@pytest.mark.slow
def test_methods_take_the_operations() -> None:
    for config in (presets.best(), presets.qhyvit(), presets.mixed_precision()):
        plan = plan_of(replace(cheap(config, 2), methods=()))
        for method in cheap(config, 2).methods:
            assert isinstance(method, Method)
            plan = method.apply(plan)
        plan.lowered()
    plan = BiasCorrection().apply(plan_of(QuantConfig(4, 8)))
    assert {"image", "map", "tokens", "vector"} <= set(plan.biases)
    learned = Reconstruction(steps=2, batch=2).apply(plan_of(QuantConfig(4, 8)))
    assert learned.weights["map"].codes.shape == (5, 1)


def test_factors_of_channels_pass_a_constant_per_position() -> None:
    plan = plan_of(shifting(8, 8))
    changed = with_factors(plan, {"map": np.array([1.0, 2.0, 4.0, 1.0, 1.0])})
    for name in ("map", "map_constant"):
        scale = np.asarray(changed.tensors[name].scale)
        assert (scale / scale[0]).tolist() == [1, 2, 4, 1, 1], name
    emulated = dict(QuantizedModel(changed.lowered()).emulator.trace(IMAGES))
    for name, codes in changed.lowered().reference(IMAGES.astype(np.int64)):
        assert np.array_equal(emulated[name], codes), name


def test_channels_that_stay_apart_make_no_bottleneck_and_end_no_bridge() -> None:
    graph = graph_of()
    assert bottlenecks(graph) == []
    before_unfold = [n for n in graph if n.name not in ("map_constant",)]
    nodes = [
        FloatNode(n.name, n.op, tuple("map" if i == "map_constant" else i for i in n.inputs))
        for n in before_unfold
    ]
    assert bridge_blocks(FloatGraph(nodes, graph.output)) == [("image", "linear", "map")]


@pytest.mark.slow
def test_the_whole_road(tmp_path: Path) -> None:
    """From the float graph to C++ and SystemVerilog, in every place, stalled and not."""
    qmodel = QuantizedModel(plan_of(CONFIGS["shift"]).lowered())
    accelerator = convert(qmodel, output_dir=tmp_path / "net").compile("-O0")
    for stalls in (0.0, 0.4):
        report = accelerator.cosimulate(IMAGES, idle=stalls, backpressure=stalls)
        assert report.ok, str(report)
