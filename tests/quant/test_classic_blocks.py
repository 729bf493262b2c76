"""Blocks of convolutional networks at every level: max pooling, groups, dilation, excitation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import ops, quantize
from hyq_hls.capture import capture
from hyq_hls.graph import Graph
from hyq_hls.ops.convolution import Convolution
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
    """The stem of a ResNet and a block of a RegNet, with dilated convolutions as in DeepLab."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=2, dilation=2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.depthwise = nn.Conv2d(4, 4, 3, padding=(1, 3), dilation=(1, 3), groups=4)
        self.grouped = nn.Conv2d(4, 6, 3, padding=1, groups=2)
        self.excite = SqueezeExcitation(6, 2)
        self.head = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (B, 3, H, W) to logits (B, 3)."""
        x = self.depthwise(self.pool(self.stem(x).relu()))
        x = self.excite(self.grouped(x).relu())
        logits: torch.Tensor = self.head(x.mean((2, 3)))
        return logits


@pytest.fixture(scope="module")
def graph() -> Graph:
    found = quantize(settle(Classic()), IMAGES, progress=False).graph
    operations = {type(node.operation): node.operation for node in found.nodes.values()}
    assert {ops.MaxPool, ops.GroupedConv2d, ops.Multiply} <= operations.keys()
    dilations = [op.dilation for op in operations.values() if isinstance(op, Convolution)]
    assert {(2, 2), (1, 3)} <= set(dilations)
    return found


def wanted(graph: Graph) -> np.ndarray:
    return dict(graph.reference(IMAGES.astype(np.int64)))[graph.output_name]


def test_emulation_equals_reference_and_model() -> None:
    model = settle(Classic())
    _, report = capture(model, (3, 12, 12))
    assert report.relative_error is not None
    assert report.relative_error < 1e-10
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
