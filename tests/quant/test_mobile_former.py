"""Mobile-Former as integers: learned tokens, both bridges, dynamic ReLUs, at every level."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.reduced.mobile_former import small_config
from hyq_hls import QuantizedModel, convert
from hyq_hls.capture.constant import Constant
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.models import MobileFormer
from hyq_hls.ops import OPERATIONS
from hyq_hls.ops import Constant as IntegerConstant
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.pipeline import float_graph_of
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.presets import PRESETS, preset
from tests.capture.hybrids import settle
from tests.quant.networks import cheap
from tests.stream.hls.bounded import check_bounded_queues

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 12, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255
#: Presets with integers of their own kind; the others are tried among the slow tests.
QUICK = ("fast", "fq_vit", "lean")


@cache
def network(groups: int) -> MobileFormer:
    """A settled network, which no test changes."""
    return settle(MobileFormer(small_config(groups=groups)))


@cache
def captured(groups: int) -> FloatGraph:
    return float_graph_of(network(groups), IMAGES.shape[1:])[0]


def plan(name: str, groups: int = 1) -> Plan:
    config = cheap(preset(name), 2)
    found = Plan.of(captured(groups), config, IMAGES, progress=False)
    for method in config.methods:
        assert isinstance(method, Method)
        found = method.apply(found)
    return found


def check(found: Plan, groups: int = 1) -> None:
    """Emulation equals the reference in every node, and the logits follow the float network."""
    graph = found.lowered()
    emulated = dict(QuantizedModel(graph).emulator.trace(IMAGES))
    codes = IMAGES.astype(np.int64)
    for name, wanted in graph.reference(codes):
        assert np.array_equal(emulated[name], wanted), name
        codes = wanted
    with torch.no_grad():
        real = network(groups)(FLOATS).numpy()
    off = graph.output_type.quantization.dequantize(codes) - real
    assert 10 * np.log10((real**2).mean() / (off**2).mean()) > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_emulation_equals_the_reference(name: str) -> None:
    check(plan(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(PRESETS) - set(QUICK)))
def test_emulation_equals_the_reference_of_every_preset(name: str) -> None:
    check(plan(name))


@pytest.mark.slow
def test_groups_with_shuffled_channels() -> None:
    check(plan("fast", groups=2), groups=2)


@pytest.mark.slow
def test_learned_tokens_are_rounded_to_their_codes() -> None:
    found = plan("fast")
    graph = found.lowered()
    learned = [node for node in found.graph if isinstance(node.op, Constant)]
    assert len(learned) == 2
    for node in learned:
        assert isinstance(node.op, Constant)
        operation = graph.nodes[node.name].operation
        assert isinstance(operation, IntegerConstant)
        q = operation.quantization
        error = q.dequantize(operation.codes) - node.op.value
        assert np.abs(error).max() <= 0.51 * max(q.scale)


@pytest.mark.slow
def test_the_whole_road(tmp_path: Path) -> None:
    """A member with every kind of block in C++ and SystemVerilog, stalled."""
    qmodel = QuantizedModel(plan("fast").lowered())
    used = {node.operation.name for node in qmodel.graph.nodes.values()}
    assert {"constant", "maximum", "multiply", "grouped_conv2d", "select_positions"} <= used
    assert used <= set(OPERATIONS)
    accelerator = convert(qmodel, "xczu9eg", output_dir=tmp_path / "net").compile("-O0")
    check_bounded_queues(accelerator)
    report = accelerator.cosimulate(IMAGES[:2], idle=0.3, backpressure=0.3)
    assert report.ok, str(report)
