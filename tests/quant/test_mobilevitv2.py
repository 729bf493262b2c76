"""MobileViTv2 as integers: emulation, C++ and SystemVerilog are equal, and close to the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.reduced.mobilevitv2 import small
from hyq_hls import QuantConfig, QuantizedModel, convert
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.ops import GroupNorm, SeparableContext
from hyq_hls.quant import presets
from hyq_hls.quant.lowering.group_norm import group_norm
from hyq_hls.quant.lowering.separable_context import separable_context
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.flow.depths import safe_depths
from tests.capture.hybrids import settle
from tests.ops.harness import rtl_simulation, run_csim
from tests.quant.networks import CONFIGS, cheap, plan_of
from tests.stream.hls.bounded import check_bounded_queues

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(IMAGES).double() / 255


def network(config: QuantConfig) -> Plan:
    return plan_of(settle(small(), 3), config, IMAGES)


def sqnr(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10((wanted**2).sum() / ((found - wanted) ** 2).sum()))


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_emulation_equals_the_reference_and_follows_the_float_graph(config: QuantConfig) -> None:
    plan = network(config)
    graph = plan.lowered()
    emulated = dict(QuantizedModel(graph).emulator.trace(IMAGES))
    exact = plan.graph.run(FLOATS, layout="nhwc")
    for name, codes in graph.reference(IMAGES.astype(np.int64)):
        assert np.array_equal(emulated[name], codes), name
        if name == graph.input_name or isinstance(
            graph.nodes[name].operation, GroupNorm | SeparableContext
        ):
            real = graph.type(name).quantization.dequantize(codes)
            assert sqnr(exact[name].numpy(), real) > 20, name


@pytest.mark.slow
@pytest.mark.parametrize("config", [presets.best(), presets.qhyvit(), presets.mixed_precision()])
def test_methods_take_the_operations(config: QuantConfig) -> None:
    plan = network(config)
    for method in cheap(config, 2).methods:
        assert isinstance(method, Method)
        plan = method.apply(plan)
    plan.lowered()


@pytest.mark.parametrize("channels", [4, 6])
def test_gammas_take_up_the_number_of_elements(channels: int) -> None:
    """One that is no power of two makes normalized values too large by up to two."""
    rng = np.random.default_rng(0)
    x = TensorType((5, 6, channels), Quantization(8, False, (1 / 16,), (100,)))
    y = Quantization(8, False, (1 / 32,), (128,))
    weight, bias = rng.normal(size=channels), rng.normal(size=channels)
    operation = group_norm(x, weight, bias, 1e-5, y, 8)
    codes = rng.integers(0, 256, (4, *x.shape))
    real = torch.from_numpy(x.quantization.dequantize(codes)).movedim(-1, 1)
    gamma, beta = torch.from_numpy(weight), torch.from_numpy(bias)
    normalized = torch.nn.functional.group_norm(real, 1, gamma, beta, 1e-5)
    wanted = normalized.movedim(1, -1).numpy()
    found = y.dequantize(operation.reference(codes))
    assert np.abs(found - np.clip(wanted, -4, 127 / 32)).max() < 1.5 / 32


def test_the_exponentials_are_true_and_the_mean_is_finer_than_its_output() -> None:
    scores = Quantization(8, True, (1 / 8,), (3,))
    keys, output = Quantization(8, False, (1 / 16,), (100,)), Quantization(8, True, (1 / 128,))
    operation = separable_context(scores, keys, output)
    assert operation.mean_bits == 3 + 3
    assert operation.first == -128
    table = operation.table.astype(float)
    assert table[-1] == 2**18 - 1
    assert table[0] == 1
    assert np.allclose(table[-40:] / table[-1], np.exp(np.arange(-39, 1) / 8), rtol=1e-3)


@pytest.mark.slow
def test_cpp_and_systemverilog_equal_the_reference(tmp_path: Path) -> None:
    """A network with every kind of operation, at one lane; FIFO depths are the safe ones."""
    graph = network(CONFIGS["default"]).lowered()
    codes = IMAGES[:3].astype(np.int64)
    wanted = dict(graph.reference(codes))[graph.output_name]
    assert np.array_equal(run_csim(graph, codes, tmp_path / "c"), wanted)
    check_bounded_queues(convert(QuantizedModel(graph), "xcu250", output_dir=tmp_path / "queues"))
    flow = build_dataflow(graph, {})
    simulation = rtl_simulation(flow.with_depths(safe_depths(flow)), tmp_path / "rtl")
    for stalls in (0.0, 0.3):
        result = simulation.run(codes.reshape(len(codes), -1), idle=stalls, backpressure=stalls)
        assert np.array_equal(result.outputs.reshape(wanted.shape), wanted)
