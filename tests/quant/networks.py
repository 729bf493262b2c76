"""What the tests of methods share: a tiny hybrid, its plan, and cheaper recipes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn

from hyq_hls import QuantConfig
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.graph import Graph
from hyq_hls.graph.requantize import Requantize
from hyq_hls.quant import presets
from hyq_hls.quant.pipeline import float_graph_of
from hyq_hls.quant.plan import Plan
from tests.capture.hybrids import Hybrid, settle

#: The stem makes 3 x 3 of it: a mean over 9, three patches of three pixels.
IMAGES = np.random.default_rng(0).integers(0, 256, (6, 6, 6, 3), dtype=np.uint8)
INTEGERS = IMAGES.astype(np.int64)
FLOATS = torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255


def tiny(change: Callable[[Any], None] | None = None) -> nn.Module:
    """Inverted residual with a shortcut, attention, concatenation, mean; ``change`` edits it."""
    model = settle(Hybrid(channels=4, dim=4, heads=2, depth=1, patch=(3, 1)), 5)
    if change is not None:
        model = copy.deepcopy(model)
        with torch.no_grad():
            change(model)
    return model


@cache
def captured() -> FloatGraph:
    """The hybrid of :func:`tiny`; graphs do not change, so the tests share it."""
    return float_graph_of(tiny(), IMAGES.shape[1:])[0]


def plan_of(
    model: nn.Module | None = None,
    config: QuantConfig | None = None,
    images: np.ndarray = IMAGES,
) -> Plan:
    shared = model is None and images.shape[1:] == IMAGES.shape[1:]
    graph = captured() if shared else float_graph_of(model or tiny(), images.shape[1:])[0]
    return Plan.of(graph, config or lean(), images, progress=False)


def lean(weight_bits: int = 8, activation_bits: int = 8, **changes: Any) -> QuantConfig:
    """The recipe of few gates with other choices: it needs no search, and shows many operations."""
    return replace(presets.lean(weight_bits, activation_bits), **_consistent(changes))


def _consistent(changes: dict[str, Any]) -> dict[str, Any]:
    """Let the softmax decide its bits where it is changed alone."""
    return {"softmax_bits": None, **changes} if "softmax" in changes else changes


def shifting(weight_bits: int, activation_bits: int) -> QuantConfig:
    """Real scales whose requantization is a shift, channels absorbed, true functions in tables."""
    return QuantConfig(weight_bits, activation_bits, preactivation_bits=8, softmax_bits=8)


#: Configurations that differ in every kind of scale and function, for networks of a family.
CONFIGS = {
    "default": QuantConfig(),
    "dyadic": QuantConfig(scale="dyadic"),
    "lean": presets.lean(),
    "per channel": shifting(8, 8),
}


def cheap(config: QuantConfig, steps: int = 20) -> QuantConfig:
    """The same methods with fewer steps of learning and search."""
    fewer = {"steps": steps, "rounds": 1, "candidates": 8}
    methods = []
    for method in config.methods:
        own = {f.name for f in fields(method)}  # type: ignore[arg-type]
        methods.append(replace(method, **{k: v for k, v in fewer.items() if k in own}))  # type: ignore[type-var]
    return replace(config, methods=tuple(methods))


def requantizations(graph: Graph) -> Iterator[tuple[str, Requantize]]:
    """Every requantization of every operation, wherever it keeps them."""
    for name, node in graph.nodes.items():
        for part in fields(node.operation):  # type: ignore[arg-type]
            value = getattr(node.operation, part.name)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Requantize):
                    yield name, item


def multipliers(graph: Graph) -> dict[str, set[int]]:
    """Multipliers of requantizations, by node."""
    found: dict[str, set[int]] = {}
    for name, requantize in requantizations(graph):
        found.setdefault(name, set()).update(requantize.multiplier.tolist())
    return found


class Tiny(nn.Module):
    """Five widths to choose: two layers, and the tensors behind convolution, ReLU and mean."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.fc = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.fc(self.act(self.conv(x)).mean((2, 3)))
        return result


class DeadBranch(nn.Module):
    """A branch that ends in zeros: what lies in it does not matter."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.dead, self.act = nn.Conv2d(3, 4, 3), nn.Linear(4, 6), nn.SiLU()
        self.zero, self.fc = nn.Linear(6, 4), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x).permute(0, 2, 3, 1)
        x = x + self.zero(self.act(self.dead(x)))
        result: torch.Tensor = self.fc(x.mean((1, 2)))
        return result
