"""Blocks of convolutional networks at every level: max pooling, groups, squeeze-excitation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import ops, quantize
from hyq_hls.graph import Graph
from tests.capture.hybrids import settle
from tests.ops.harness import run_csim, run_rtl

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 12, 12, 3), dtype=np.uint8)


class SqueezeExcitation(nn.Module):
    """The gate of SENet (arXiv:1709.01507), with the functions of MobileNetV3."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply a map by a vector of one factor per channel."""
        gate = self.reduce(x.mean((2, 3), keepdim=True)).relu()
        return x * nn.functional.hardsigmoid(self.expand(gate))


class Classic(nn.Module):
    """The stem of a ResNet, then a block of a RegNet."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.grouped = nn.Conv2d(4, 6, 3, padding=1, groups=2)
        self.excite = SqueezeExcitation(6, 2)
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 3, H, W) to logits (B, 3)."""
        x = self.excite(self.grouped(self.pool(self.stem(x).relu())).relu())
        logits: torch.Tensor = self.head(x.mean((2, 3)))
        return logits


@pytest.fixture(scope="module")
def graph() -> Graph:
    found = quantize(settle(Classic()), IMAGES, progress=False).graph
    kinds = {type(node.operation) for node in found.nodes.values()}
    assert {ops.MaxPool, ops.GroupedConv2d, ops.Multiply} <= kinds
    return found


def wanted(graph: Graph) -> np.ndarray:
    return dict(graph.reference(IMAGES.astype(np.int64)))[graph.output_name]


def test_emulation_equals_reference_and_model() -> None:
    model = settle(Classic())
    quantized = quantize(model, IMAGES, progress=False)
    assert np.array_equal(quantized.codes(IMAGES), wanted(quantized.graph))
    with torch.no_grad():
        real = model(torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255).numpy()
    error = ((quantized.predict(IMAGES) - real) ** 2).sum() / (real**2).sum()
    assert error < 1e-3


@pytest.mark.slow
def test_cpp_equals_reference(graph: Graph, tmp_path: Path) -> None:
    found = run_csim(graph, IMAGES.astype(np.int64), tmp_path)
    assert np.array_equal(found, wanted(graph))


@pytest.mark.slow
def test_rtl_equals_reference(graph: Graph, tmp_path: Path) -> None:
    codes = IMAGES.astype(np.int64)
    found = run_rtl(graph, codes, tmp_path, idle=0.3, backpressure=0.3)
    assert np.array_equal(found.outputs, wanted(graph).reshape(len(codes), -1))
