"""A vision transformer as integers: emulation, C++ and SystemVerilog are equal, and near it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hyq_hls import QuantConfig, QuantizedModel
from hyq_hls.ops import ConcatConstant, SelectPositions
from hyq_hls.quant import presets
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.flow.depths import safe_depths
from tests.capture.hybrids import settle
from tests.capture.vit import VisionTransformer
from tests.ops.harness import rtl_simulation, run_csim
from tests.quant.networks import CONFIGS, cheap, plan_of

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 12, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(IMAGES).double() / 255


def network(config: QuantConfig) -> Plan:
    torch.manual_seed(0)
    return plan_of(settle(VisionTransformer(), 3), config, IMAGES)


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
        if name == graph.output_name or (
            name in graph.nodes
            and isinstance(graph.nodes[name].operation, ConcatConstant | SelectPositions)
        ):
            real = graph.type(name).quantization.dequantize(codes)
            # Positions in a wrong order would give about 0 dB.
            assert sqnr(exact[name].numpy(), real) > 15, name


@pytest.mark.slow
def test_methods_take_the_operations() -> None:
    config = presets.best()
    plan = network(config)
    for method in cheap(config, 2).methods:
        assert isinstance(method, Method)
        plan = method.apply(plan)
    plan.lowered()


@pytest.mark.slow
def test_cpp_and_systemverilog_equal_the_reference(tmp_path: Path) -> None:
    """Two blocks at one lane; FIFO depths are the safe ones."""
    graph = network(CONFIGS["default"]).lowered()
    codes = IMAGES[:3].astype(np.int64)
    wanted = dict(graph.reference(codes))[graph.output_name]
    assert np.array_equal(run_csim(graph, codes, tmp_path / "c"), wanted)
    flow = build_dataflow(graph, {})
    simulation = rtl_simulation(flow.with_depths(safe_depths(flow)), tmp_path / "rtl")
    for stalls in (0.0, 0.3):
        flat = codes.reshape(len(codes), -1)
        result = simulation.run(flat, idle=stalls, backpressure=stalls)
        assert np.array_equal(result.outputs.reshape(wanted.shape), wanted)
