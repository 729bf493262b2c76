"""Products of two tensors as integers: their scales, their accuracy, gates of networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hyq_hls import QuantConfig, QuantizedModel
from hyq_hls.capture.elementwise import Sigmoid
from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.capture.float_op import FloatOp
from hyq_hls.capture.float_ops import Conv2d, GlobalAveragePool, Input, Linear
from hyq_hls.capture.multiply import Multiply
from hyq_hls.quant import presets
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from tests.quant.networks import cheap, multipliers, shifting

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 6, 3), dtype=np.uint8)
FLOATS = torch.from_numpy(IMAGES).double() / 255
CONFIGS = {
    "default": QuantConfig(),
    "shift": shifting(8, 8),
    "dyadic": QuantConfig(scale="dyadic"),
    "lean": presets.lean(),
    "symmetric": QuantConfig(8, 8, activation_scheme="symmetric", scale="dyadic"),
}


def gated() -> FloatGraph:
    """A squeeze-excitation, a gate of one channel, and a product of two maps."""
    rng = np.random.default_rng(1)

    def linear(inputs: int, outputs: int) -> Linear:
        return Linear(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs))

    ops: dict[str, tuple[FloatOp, tuple[str, ...]]] = {
        "conv": (Conv2d(rng.normal(size=(5, 3, 3, 3)) / 3, rng.normal(size=5)), ("x",)),
        "pool": (GlobalAveragePool(), ("conv",)),
        "fc": (linear(5, 5), ("pool",)),
        "gate": (Sigmoid(), ("fc",)),
        "excited": (Multiply(), ("conv", "gate")),
        "a": (linear(5, 6), ("excited",)),
        "one": (linear(5, 1), ("excited",)),
        "spatial": (Sigmoid(), ("one",)),
        "gated": (Multiply(), ("a", "spatial")),
        "b": (linear(5, 6), ("excited",)),
        "product": (Multiply(), ("gated", "b")),
        "last": (linear(6, 4), ("product",)),
    }
    nodes = [FloatNode("x", Input((4, 6, 3)))]
    nodes += [FloatNode(name, op, inputs) for name, (op, inputs) in ops.items()]
    return FloatGraph(nodes, "last")


def plan_of(config: QuantConfig) -> Plan:
    return Plan.of(gated(), config, IMAGES, progress=False)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_emulation_equals_the_reference_and_follows_the_float_graph(config: QuantConfig) -> None:
    plan = plan_of(config)
    graph = plan.lowered()
    emulated = dict(QuantizedModel(graph).emulator.trace(IMAGES))
    exact = plan.graph.run(FLOATS, layout="nhwc")
    for name, codes in graph.reference(IMAGES.astype(np.int64)):
        assert np.array_equal(emulated[name], codes), name
        if name in ("excited", "gated", "product", "last"):
            wanted = exact[name].numpy()
            off = graph.type(name).quantization.dequantize(codes) - wanted
            assert 10 * np.log10((wanted**2).sum() / (off**2).sum()) > 20, name


@pytest.mark.parametrize("name", ["default", "shift"])
def test_products_are_requantized_by_shifts(name: str) -> None:
    """The scale of a product follows from its operands, so that no multiplier is built."""
    found = multipliers(plan_of(CONFIGS[name]).lowered())
    assert all(found[n] == {1} for n in ("excited", "gated", "product"))


@pytest.mark.parametrize("config", [presets.best(), presets.qhyvit(), presets.mixed_precision()])
def test_methods_take_products(config: QuantConfig) -> None:
    plan = plan_of(config)
    for method in cheap(config, 2).methods:
        assert isinstance(method, Method)
        plan = method.apply(plan)
    plan.lowered()
