"""Every recipe: integers that agree from the reference to the RTL, whatever the network holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from hyq_hls import QuantConfig, QuantizedModel, convert, quantize
from hyq_hls.capture import capture
from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Graph
from hyq_hls.ops import Add
from hyq_hls.quant import presets
from hyq_hls.quant.presets import PRESETS, preset
from hyq_hls.verify import verify
from tests.quant.networks import IMAGES, INTEGERS, cheap, multipliers, tiny

#: Presets that are built. Together they have every kind of node that any preset makes. The others
#: give the same operations other integers, which the tests of operations cover in C++ and RTL.
BUILT = {"fast", "hyq", "minmax", "mixed_precision"}
every_preset = pytest.mark.parametrize("name", sorted(PRESETS))

SHIFTS_ONLY = {
    "default": QuantConfig(),
    "outlier_pot": presets.outlier_pot(),
    "best": cheap(presets.best()),
}


#: Models that no test changes, so that each is captured once: that is most of the time.
model_of = cache(tiny)
capture_once = cache(capture)


@pytest.fixture(autouse=True)
def shared_captures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hyq_hls.quant.pipeline.capture", capture_once)


def quantized(
    name: str, change: Callable[[Any], None] | None = None, images: np.ndarray = IMAGES
) -> QuantizedModel:
    return quantize(model_of(change), images, cheap(preset(name)), progress=False)


@pytest.mark.slow
@every_preset
def test_the_whole_road(name: str, tmp_path: Path) -> None:
    """Reference == emulation == C++ == RTL; metadata and file; the same seed, the same integers."""
    qmodel, built = quantized(name), name in BUILT
    accelerator = convert(qmodel, output_dir=tmp_path / "net").compile("-O0") if built else None
    report = verify(qmodel, IMAGES, accelerator, trace_images=2, rtl=built, progress=False)
    assert report.ok, str(report)
    assert {node.level for node in report.nodes} == {"RTL" if built else "emulation"}
    assert report.nodes[-1].integer_db is not None
    assert report.nodes[-1].integer_db > 12  # follows the float network, far from noise

    metadata = qmodel.graph.metadata
    plain = json.loads(json.dumps(metadata, allow_nan=False))
    assert plain["config"]["weight_bits"] == 8
    methods = [type(method).__name__ for method in preset(name).methods]
    assert [method["method"] for method in plain["config"]["methods"]] == methods

    loaded = QuantizedModel.load(qmodel.save(tmp_path / "net.hyq"))
    assert np.array_equal(loaded.codes(IMAGES), qmodel.codes(IMAGES))
    assert loaded.graph.metadata["config"]["methods"] == plain["config"]["methods"]

    again = quantized(name)
    wanted = dict(qmodel.graph.reference(INTEGERS))
    for node, codes in again.graph.reference(INTEGERS):
        assert np.array_equal(codes, wanted[node]), node
    assert again.save(tmp_path / "again.hyq").read_bytes() == (tmp_path / "net.hyq").read_bytes()


def kinds_of(graph: Graph) -> set[tuple[str, bool, str, str]]:
    """Operations, whether their requantizations are shifts alone, codes, output of softmax."""
    factors = multipliers(graph)
    return {
        (
            node.operation.name,
            factors.get(name, {1}) == {1},
            node.type.quantization.encoding,
            getattr(node.operation, "output", ""),
        )
        for name, node in graph.nodes.items()
    }


@pytest.mark.slow
def test_the_presets_that_are_built_have_every_kind_of_node() -> None:
    kinds = {name: kinds_of(quantized(name).graph) for name in PRESETS}
    assert set.union(*(kinds[name] for name in BUILT)) == set.union(*kinds.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SHIFTS_ONLY))
@pytest.mark.parametrize("bits", [(8, 8), (4, 6)])
def test_shifts_only(name: str, bits: tuple[int, int]) -> None:
    """Not one multiplier, though the mean is over 9 and scales may be real."""
    config = replace(SHIFTS_ONLY[name], weight_bits=bits[0], activation_bits=bits[1])
    graph = quantize(model_of(None), IMAGES, config, progress=False).graph
    found = multipliers(graph)
    kinds = {graph.nodes[node].operation.name for node in found}
    assert {"conv2d", "depthwise_conv2d", "dense", "add", "concat", "layer_norm"} <= kinds
    assert {"attention_scores", "attention_values", "global_average_pool"} <= kinds
    if name == "best":
        scales = np.array([s for n in graph.nodes.values() for s in n.type.quantization.scale])
        assert (np.frexp(scales)[0] != 0.5).mean() > 0.5
    assert {node: factors for node, factors in found.items() if factors != {1}} == {}
    for node in graph.nodes.values():
        if isinstance(node.operation, Add):
            for factor in node.operation.multipliers:
                assert not (factor & (factor - 1)).any()


def test_real_scales_cost_multipliers_where_they_are_free() -> None:
    """The search for multipliers finds them: the plain recipes have one at every node."""
    graph = quantized("minmax").graph
    found = multipliers(graph)
    gammas = {n for n, node in graph.nodes.items() if node.operation.name == "layer_norm"}
    assert {name for name, factors in found.items() if factors == {1}} == gammas


def odd_channels(model: Any) -> None:
    """Constant, dead and positive channels, a LayerNorm that passes nothing, zero queries."""
    norm = model.stem[1]
    norm.weight[:2] = 0
    norm.bias[0], norm.bias[1], norm.bias[2] = 3, 0, 40
    model.expand[0].weight[0] = model.depthwise[0].weight[1] = model.project[0].weight[2] = 0
    model.depthwise[1].weight[3] = model.depthwise[1].bias[3] = 0
    model.project[1].weight[1] = model.project[1].bias[1] = 0
    layer = model.block.transformer[0]
    layer.norm1.weight[0] = layer.norm2.bias[1] = 0
    layer.attn.qkv.weight[:4] = layer.attn.qkv.bias[:4] = 0
    model.head.weight[2] = 0


def all_zero(model: nn.Module) -> None:
    for parameter in model.parameters():
        parameter.zero_()


def peaked(model: Any) -> None:
    """Scores of hundreds of octaves."""
    model.block.transformer[0].attn.qkv.weight *= 30


#: All black but for one pixel: an image without any difference is refused.
BLACK = np.zeros_like(IMAGES[:1])
BLACK[0, 0, 0] = 1

HARD: dict[str, tuple[Callable[[Any], None] | None, np.ndarray]] = {
    "one black image": (None, BLACK),
    "odd channels": (odd_channels, IMAGES),
    "all zero": (all_zero, IMAGES),
    "peaked": (peaked, IMAGES),
}


@pytest.mark.slow
@every_preset
@pytest.mark.parametrize("case", sorted(HARD))
def test_no_nan_no_zero_scale_no_crash(name: str, case: str) -> None:
    change, calibration = HARD[case]
    qmodel = quantized(name, change, calibration)
    for node in qmodel.graph.nodes.values():
        scale = np.asarray(node.type.quantization.scale)
        assert np.isfinite(scale).all(), node.name
        assert (scale > 0).all(), node.name
    logits = qmodel(IMAGES)
    assert np.isfinite(logits).all()
    wanted = dict(qmodel.graph.reference(INTEGERS))[qmodel.graph.output_name]
    assert np.array_equal(qmodel.codes(IMAGES), wanted)
    if case == "all zero":
        assert not logits.any()
    json.dumps(qmodel.graph.metadata, allow_nan=False)


@pytest.mark.slow
@every_preset
def test_few_bits(name: str) -> None:
    config = cheap(preset(name, 4, 4))
    qmodel = quantize(model_of(None), IMAGES, config, progress=False)
    wanted = dict(qmodel.graph.reference(INTEGERS))[qmodel.graph.output_name]
    assert np.array_equal(qmodel.codes(IMAGES), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hyq", "fq_vit", "i_bert", "outlier_pot", "best"])
def test_two_bits(name: str) -> None:
    """Steps of scores stay where the exponential is defined."""
    qmodel = quantize(model_of(None), IMAGES, cheap(preset(name, 2, 2)), progress=False)
    wanted = dict(qmodel.graph.reference(INTEGERS))[qmodel.graph.output_name]
    assert np.array_equal(qmodel.codes(IMAGES), wanted)


def test_unknown_preset() -> None:
    with pytest.raises(QuantizationError, match=r"unknown preset 'bset'; choose one of .*best"):
        preset("bset")


def test_bits_reach_the_configuration() -> None:
    for name in PRESETS:
        config = preset(name, 6, 5)
        assert (config.weight_bits, config.activation_bits) == (6, 5), name
