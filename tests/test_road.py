"""Random small hybrids go the whole road: float -> integers == emulation == C++ == RTL."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from hyq_hls import QuantConfig, QuantizedModel, convert, quantize
from hyq_hls.models import mobilevit_xxs
from hyq_hls.verify import verify
from tests.capture.hybrids import ATTENTIONS, Hybrid, settle
from tests.quant.networks import lean
from tests.stream.hls.bounded import check_bounded_queues

pytestmark = pytest.mark.slow


def random_config(rng: np.random.Generator) -> QuantConfig:
    softmax: Any = rng.choice(["log2", "uniform"])
    return lean(
        weight_bits=int(rng.integers(2, 12)),
        activation_bits=int(rng.integers(3, 12)),
        output_bits=int(rng.integers(8, 17)),
        weight_granularity=rng.choice(["channel", "tensor"]),
        activation_granularity=rng.choice(["tensor", "depthwise", "channel"]),
        activation_scheme=rng.choice(["asymmetric", "symmetric"]),
        scale=rng.choice(["power_of_two", "dyadic"]),
        observer=rng.choice(["mse", "minmax", "moving_average", "percentile"]),
        softmax=softmax,
        softmax_bits=int(rng.integers(2, 5 if softmax == "log2" else 9)),
        swish=rng.choice(["shift", "table"]),
        layer_norm_factors=int(rng.integers(0, 5)),
    )


def random_hybrid(rng: np.random.Generator) -> tuple[nn.Module, tuple[int, int]]:
    heads = int(rng.integers(1, 4))
    patch = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
    grid = rng.integers(1, 4, 2)
    model = Hybrid(
        channels=int(rng.integers(2, 6)),
        dim=heads * int(rng.integers(1, 5)),
        heads=heads,
        depth=int(rng.integers(1, 3)),
        patch=patch,
        attention=str(rng.choice(sorted(ATTENTIONS))),
        act=(nn.SiLU, nn.SiLU, nn.GELU, nn.ReLU)[rng.integers(4)],
    )
    return settle(model, int(rng.integers(1 << 20))), (
        2 * patch[0] * int(grid[0]),
        2 * patch[1] * int(grid[1]),
    )


def random_network(seed: int) -> tuple[QuantizedModel, np.ndarray]:
    rng = np.random.default_rng(seed)
    model, (height, width) = random_hybrid(rng)
    images = rng.integers(0, 256, (6, height, width, 3), dtype=np.uint8)
    images[-2], images[-1] = 0, 255
    return quantize(model, images, random_config(rng), progress=False), images


@given(seed=st.integers(0, 1 << 30))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_reference_equals_emulation(seed: int) -> None:
    qmodel, images = random_network(seed)
    report = verify(qmodel, images, trace_images=len(images), progress=False)
    assert report.ok, str(report)
    assert {n.level for n in report.nodes} == {"emulation"}


@pytest.mark.parametrize("seed", range(3))
def test_cpp_equals_emulation(seed: int, tmp_path: Path) -> None:
    qmodel, images = random_network(1000 + seed)
    flags = ("-O1", "-DHYQ_BIT_ACCURATE") if seed % 2 else ("-O1",)
    accelerator = convert(qmodel, output_dir=tmp_path / "hls").compile(*flags)
    check_bounded_queues(accelerator)
    report = verify(qmodel, images, accelerator, trace_images=len(images), progress=False)
    assert report.ok, str(report)
    assert {n.level for n in report.nodes} == {"C++"}


@pytest.mark.parametrize("seed", range(2))
def test_rtl_equals_emulation(seed: int, tmp_path: Path) -> None:
    qmodel, images = random_network(2000 + seed)
    accelerator = convert(qmodel, output_dir=tmp_path / "net").compile("-O1")
    report = verify(qmodel, images, accelerator, trace_images=3, rtl=True, progress=False)
    assert report.ok, str(report)
    assert {n.level for n in report.nodes} == {"RTL"}
    for probability in (0.0, 0.4):
        found = accelerator.cosimulate(images, idle=probability, backpressure=probability)
        assert found.ok, str(found)


def test_more_bits_come_closer() -> None:
    """With many bits everywhere, integers follow the float network closely."""
    torch.manual_seed(0)
    rng = np.random.default_rng(7)
    model = settle(Hybrid(channels=4, dim=8, heads=2, depth=1, act=nn.SiLU), 3)
    images = rng.integers(0, 256, (16, 8, 8, 3), dtype=np.uint8)
    ratio = []
    for bits in (4, 6, 8, 12):
        config = lean(
            weight_bits=bits, activation_bits=bits, softmax="uniform", softmax_bits=8, swish="table"
        )
        report = verify(quantize(model, images, config, progress=False), images, progress=False)
        assert report.nodes[-1].integer_db is not None
        ratio.append(report.nodes[-1].integer_db)
    assert all(b > a + 3 for a, b in pairwise(ratio)), ratio
    assert ratio[-1] > 50


def test_mobilevit_xxs(tmp_path: Path) -> None:
    """The published network at 64 x 64, weights drawn at random: 21 M MAC."""
    model = settle(mobilevit_xxs(num_classes=10), 1)
    images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    qmodel = quantize(model, images, progress=False)
    accelerator = convert(qmodel, output_dir=tmp_path / "hls", must_fit=False).compile("-O1")
    report = verify(qmodel, images, accelerator, trace_images=2, progress=False)
    assert report.ok, str(report)
    assert len(report.nodes) == len(qmodel.graph.nodes) > 200
    assert {n.level for n in report.nodes} == {"C++"}
