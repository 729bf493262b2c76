"""Every function of single elements gets from the quantizer all that SiLU gets.

Another function, declared in this file as CONTRIBUTING says, gets it too.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hyq_hls import QuantConfig
from hyq_hls.capture.elementwise import FUNCTIONS, Elementwise, InversePower, LeakyRelu, Silu
from hyq_hls.capture.float_graph import FloatGraph
from hyq_hls.graph import Quantization
from hyq_hls.ops import RequantizeTensor, Table
from hyq_hls.quant.judge.bottlenecks import bottlenecks
from hyq_hls.quant.judge.bridges import bridge_blocks
from hyq_hls.quant.judge.channel_factors import bottleneck_inputs
from hyq_hls.quant.lowering.table import minimum
from hyq_hls.quant.methods import q_hyvit
from hyq_hls.quant.methods.depthwise import DepthwiseRanges
from hyq_hls.quant.methods.outlier_scaling import OutlierScaling
from hyq_hls.quant.methods.q_hyvit import QHyViT
from hyq_hls.quant.pipeline import float_graph_of
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.ranges import best_quantization
from hyq_hls.quant.traits import TRAITS
from tests.capture.hybrids import Hybrid, settle
from tests.quant.networks import lean, shifting

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, eq=False, repr=False)
class Softsign(Elementwise):
    """``x / (1 + abs(x))``: what CONTRIBUTING asks for, and nothing more."""

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x / (1 + x.abs())


#: A reciprocal stands behind a sum of squares only, see ``test_division.py``.
KINDS: Sequence[type[Elementwise]] = (
    *(kind for kind in FUNCTIONS if kind is not InversePower),
    Softsign,
)


def _name(kind: type[Elementwise]) -> str:
    return kind.__name__


every_kind = pytest.mark.parametrize("kind", KINDS, ids=_name)


def is_homogeneous(kind: type[Elementwise]) -> bool:
    """Whether factors of channels pass through it: see ``test_homogeneous.py``."""
    return kind in TRAITS and TRAITS[kind].homogeneous


IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)


@cache
def captured() -> FloatGraph:
    """A small hybrid as it is captured, with SiLU in every place of a function."""
    return float_graph_of(settle(Hybrid(channels=4, dim=8, depth=1), 5), IMAGES.shape[1:])[0]


@cache
def places() -> list[str]:
    return [node.name for node in captured() if type(node.op) is Silu]


def graph_of(kind: type[Elementwise]) -> FloatGraph:
    """The hybrid with one function in all places."""
    return captured().replace({name: kind() for name in places()})


@cache
def calibrated(kind: type[Elementwise]) -> Plan:
    return Plan.of(graph_of(kind), lean(), IMAGES, progress=False)


def plan_of(kind: type[Elementwise], config: QuantConfig) -> Plan:
    return calibrated(kind).with_config(config)


def exact(kind: type[Elementwise], x: Quantization, y: Quantization) -> np.ndarray:
    """Codes of the function as PyTorch computes it, for every code of its input."""
    real = torch.from_numpy(x.dequantize(x.codes())[:, None])
    return y.quantize(kind().forward(real).numpy())


def per_channel(plan: Plan) -> list[str]:
    return [name for name, q in plan.tensors.items() if q.per_channel]


@pytest.mark.slow
def test_the_hybrid_has_functions_in_all_places() -> None:
    assert len(FUNCTIONS) == 19
    assert Softsign not in FUNCTIONS
    readers = {
        type(captured()[r].op).__name__ for name in places() for r in captured().consumers(name)
    }
    assert readers == {"Conv2d", "Linear", "Add", "Concat", "GlobalAveragePool"}


@pytest.mark.slow
@every_kind
def test_inputs_are_wide_and_tables_hold_what_pytorch_computes(kind: type[Elementwise]) -> None:
    plan = plan_of(kind, replace(shifting(8, 8), preactivation_bits=10))
    graph = plan.lowered()
    for name in places():
        x, y = plan.tensors[plan.graph[name].inputs[0]], plan.tensors[name]
        operation = graph.nodes[name].operation
        assert isinstance(operation, Table)
        assert x.bits == 10
        assert len(operation.values) == 1024
        # Where factors of channels pass through a function, the table is that of the first one.
        first = [replace(q, scale=q.scale[:1]) for q in (x, y)]
        assert np.array_equal(operation.values, exact(kind, *first)[:, 0])


@every_kind
def test_ranges_of_inputs_are_judged_by_what_the_function_makes_of_them(
    kind: type[Elementwise],
) -> None:
    def function(rows: np.ndarray) -> np.ndarray:
        values: np.ndarray = kind().forward(torch.from_numpy(rows)).numpy()
        return values

    plan, different = calibrated(kind), 0
    # Values are made larger, so that no function is nearly linear on all of them.
    larger = {n: data.divided(np.full(data.low.size, 0.25)) for n, data in plan.statistics.items()}
    for bits in (2, 4):
        config = lean(bits, bits, preactivation_bits=bits, swish="table")
        plan = replace(plan, statistics=larger).with_config(config)
        for name in places():
            source = plan.graph[name].inputs[0]
            data = plan.statistics[source]
            judged, _ = best_quantization(data, config, base=1.0, through=function)
            alone, _ = best_quantization(data, config, base=1.0)
            assert plan.tensors[source] == judged
            different += judged != alone
    assert different, "the test cannot tell who judged"


@every_kind
def test_bottlenecks_and_bridge_blocks_are_found(kind: type[Elementwise]) -> None:
    graph = graph_of(kind)
    assert bottlenecks(graph) == bottlenecks(captured()) != []
    assert bridge_blocks(graph) == bridge_blocks(captured()) != []


@pytest.mark.slow
@pytest.mark.parametrize("kind", [k for k in KINDS if not is_homogeneous(k)], ids=_name)
@pytest.mark.parametrize("scale", ["power_of_two", "dyadic"])
def test_channels_differ_behind_a_table(kind: type[Elementwise], scale: str) -> None:
    config = lean(
        activation_granularity="channel",
        swish="table",
        scale=scale,
        observer="minmax",
    )
    plan = plan_of(kind, config)
    assert per_channel(plan) == per_channel(plan_of(Silu, config))
    found = [name for name in places() if plan.tensors[name].per_channel]
    assert found
    graph = plan.lowered()
    for name in found:
        x, y = plan.tensors[plan.graph[name].inputs[0]], plan.tensors[name]
        table, last = (graph.nodes[n].operation for n in (f"{name}.table", name))
        assert isinstance(table, Table)
        assert isinstance(last, RequantizeTensor)
        channels = graph.nodes[name].type.shape[-1]
        between = table.reference(np.repeat(x.codes()[:, None], channels, axis=1))
        # Half a step of the table, and half a step of the channel, as in the exact codes.
        off = np.abs(last.reference(between) - exact(kind, x, y)) * np.asarray(y.scale)
        assert (off <= np.asarray(y.scale) + 0.5001 * table.quantization.scale[0]).all()
        # It is finer than the finest channel, unless 16 bits do not reach from there to the top.
        assert table.quantization.scale[0] < min(y.scale) or table.quantization.bits == 16


@every_kind
def test_methods_scale_channels(kind: type[Elementwise]) -> None:
    config = lean(swish="table", layer_norm_factors=0, observer="minmax", scale="dyadic")
    plan, silu = plan_of(kind, config), plan_of(Silu, config)
    assert list(bottleneck_inputs(plan, 16)) == list(bottleneck_inputs(silu, 16))
    assert any(name in bottleneck_inputs(plan, 16) for name in places())
    scaled = OutlierScaling(rows=16)
    assert per_channel(scaled.apply(plan)) == per_channel(scaled.apply(silu)) != []
    ranges = DepthwiseRanges().apply(plan)
    assert per_channel(ranges) == per_channel(DepthwiseRanges().apply(silu)) != []
    (name,) = per_channel(ranges)
    least, q = minimum(kind()), ranges.tensors[name]
    if math.isfinite(least):
        assert (q.dequantize(q.qmin) <= least + 0.5001 * np.asarray(q.scale)).all()


@pytest.mark.slow
@every_kind
def test_q_hyvit_tries_scales_per_channel_at_their_price(
    kind: type[Elementwise], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    candidates = q_hyvit.candidates

    def counted(low: np.ndarray, *args: Any) -> Iterator[Quantization]:
        tried.append(len(low))
        return candidates(low, *args)

    monkeypatch.setattr(q_hyvit, "candidates", counted)
    counts, chosen = {}, {}
    for price in (None, 0.0, 1.0):
        tried.clear()
        method = QHyViT(rounds=1, images=2, function_price=price)
        found = method.apply(plan_of(kind, lean(4, 4, swish="table")))
        counts[price] = sum(channels > 1 for channels in tried)
        chosen[price] = [name for name in places() if found.tensors[name].per_channel]
    # Signed and unsigned codes are tried for every function, as all of them feed sums.
    assert counts[0.0] == counts[1.0] == counts[None] + 2 * len(places())
    # At no price channels get scales of their own; nothing is worth all of the network's cost.
    assert chosen[0.0]
    assert chosen[None] == chosen[1.0] == []


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("Silu", -0.27846454),
        ("Gelu", -0.16997121),
        ("QuickGelu", -0.27846454 / 1.702),
        ("Relu", 0),
        ("Relu6", 0),
        ("SquaredRelu", 0),
        ("Sigmoid", 0),
        ("Tanh", -1),
        ("Hardsigmoid", 0),
        ("Hardswish", -0.375),
        ("LeakyRelu", -math.inf),
        ("Elu", -1),
        ("Selu", -1.75809934),
        ("Celu", -1),
        ("Softplus", 0),
        ("Mish", -0.30884340),
        ("Softsign", -1),
    ],
)
def test_minimum(kind: str, least: float) -> None:
    (found,) = (k for k in KINDS if k.__name__ == kind)
    assert minimum(found()) == pytest.approx(least, abs=2e-6)


def test_minimum_of_silu_to_the_last_digit_of_its_tables() -> None:
    assert minimum(Silu()) == -0.27846454
    assert minimum(LeakyRelu(-0.5)) == 0  # it rises on both sides


#: What the one file of another function gets.
CLASS = '''
@dataclass(frozen=True, eq=False, repr=False)
class Softsign(Elementwise):
    """``x / (1 + abs(x))``."""

    def function(self, x: torch.Tensor) -> torch.Tensor:
        return x / (1 + x.abs())


'''
SCRIPT = """
import numpy as np
from torch import nn

from hyq_hls import QuantConfig, quantize
from hyq_hls.capture.elementwise import Softsign
from hyq_hls.ops import Table
from hyq_hls.quant.methods.outlier_scaling import OutlierScaling
from tests.quant.networks import IMAGES, INTEGERS, Hybrid, lean, settle

model = settle(Hybrid(channels=4, dim=4, depth=1, patch=(3, 1), act=nn.Softsign))
config = lean(swish="table", preactivation_bits=9, methods=(OutlierScaling(rows=16),))
qmodel = quantize(model, IMAGES, config, progress=False)
places = [node.name for node in qmodel.float_graph if type(node.op) is Softsign]
assert len(places) == 4, places
nodes = qmodel.graph.nodes
assert f"{places[2]}.table" in nodes, "the function that the projection reads scales channels"
for place in places:
    table = nodes[f"{place}.table" if f"{place}.table" in nodes else place].operation
    assert type(table) is Table and len(table.values) == 512, place
wanted = dict(qmodel.graph.reference(INTEGERS))[qmodel.graph.output_name]
assert np.array_equal(qmodel.codes(IMAGES), wanted)
"""


@pytest.mark.slow
def test_one_class_is_enough_from_the_module_to_integers(tmp_path: Path) -> None:
    """A copy of the package with one more class captures and quantizes what PyTorch writes out."""
    (tmp_path / "hyq_hls" / "capture").mkdir(parents=True)
    for folder in (ROOT, ROOT / "hyq_hls", ROOT / "hyq_hls" / "capture"):
        for path in folder.iterdir():
            copy = tmp_path / path.relative_to(ROOT)
            if not copy.exists() and path.name != "elementwise.py":
                copy.symlink_to(path)
    source = (ROOT / "hyq_hls" / "capture" / "elementwise.py").read_text(encoding="utf-8")
    head, mark, tail = source.partition("#: All functions")
    assert mark
    copy = tmp_path / "hyq_hls" / "capture" / "elementwise.py"
    copy.write_text(head + CLASS + mark + tail, encoding="utf-8")
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, cwd=tmp_path, timeout=300)
