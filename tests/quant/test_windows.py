"""Attention in windows as integers: emulation, C++ and SystemVerilog are equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hyq_hls import QuantConfig, QuantizedModel
from hyq_hls.graph import Graph
from hyq_hls.ops import ChannelAffine
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.flow.depths import safe_depths
from tests.capture.hybrids import settle
from tests.capture.swin import Swin
from tests.ops.harness import rtl_simulation, run_csim
from tests.quant.networks import CONFIGS, plan_of

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)


def lowered(config: QuantConfig) -> Graph:
    return plan_of(settle(Swin(), 3), config, IMAGES).lowered()


@pytest.mark.slow
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_emulation_equals_the_reference(config: QuantConfig) -> None:
    graph = lowered(config)
    emulated = dict(QuantizedModel(graph).emulator.trace(IMAGES))
    for name, codes in graph.reference(IMAGES.astype(np.int64)):
        assert np.array_equal(emulated[name], codes), name


@pytest.mark.slow
def test_a_bias_that_is_the_same_in_all_windows_is_stored_once() -> None:
    graph = lowered(QuantConfig())
    stored = {
        node.name: len(node.operation.bias)
        for node in graph.nodes.values()
        if isinstance(node.operation, ChannelAffine) and node.type.shape[1] > 1
    }
    # Four windows of 16 queries and two heads; masks differ from window to window.
    assert [(n, stored[n]) for n in sorted(stored)] == [
        ("blocks.0.attn.bias", 16 * 2),
        ("blocks.1.attn.bias", 4 * 16 * 2),
        ("blocks.3.attn.bias", 4 * 2),
    ]


@pytest.mark.slow
def test_cpp_and_systemverilog_equal_the_reference(tmp_path: Path) -> None:
    """One lane; FIFO depths are the safe ones; stalled and not."""
    graph = lowered(CONFIGS["default"])
    codes = IMAGES[:3].astype(np.int64)
    wanted = dict(graph.reference(codes))[graph.output_name]
    assert np.array_equal(run_csim(graph, codes, tmp_path / "c"), wanted)
    flow = build_dataflow(graph, {})
    simulation = rtl_simulation(flow.with_depths(safe_depths(flow)), tmp_path / "rtl")
    for stalls in (0.0, 0.3):
        flat = codes.reshape(len(codes), -1)
        result = simulation.run(flat, idle=stalls, backpressure=stalls)
        assert np.array_equal(result.outputs.reshape(wanted.shape), wanted)
