"""Grouped convolutions in the quantizer: which weight meets which channel, and whole networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import ops, quantize
from hyq_hls.capture.float_ops import Conv2d
from hyq_hls.quant import presets
from hyq_hls.quant.weighted import Convolution
from tests.capture.hybrids import settle


class Grouped(nn.Module):
    """A ResNeXt block, and a depthwise convolution with a channel multiplier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.grouped = nn.Conv2d(8, 12, 3, padding=1, groups=4, bias=False)
        self.norm = nn.BatchNorm2d(12)
        self.multiplier = nn.Conv2d(12, 24, 3, stride=2, padding=1, groups=12)
        self.head = nn.Linear(24, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.grouped(torch.relu(self.stem(x)))).relu()
        logits: torch.Tensor = self.head(self.multiplier(x).mean((2, 3)))
        return logits


@pytest.mark.parametrize(("groups", "dilation"), [(1, (1, 1)), (2, (2, 3)), (4, (1, 1))])
def test_the_layer_as_a_matrix(groups: int, dilation: tuple[int, int]) -> None:
    """``columns`` names the channel of each weight; ``sums`` of windows give ``forward``."""
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(8, 3, 2, 4 // groups))
    layer = Convolution(Conv2d(weight, rng.normal(size=8), (2, 1), (1, 1), groups, dilation))
    x = torch.from_numpy(rng.normal(size=(2, 5, 6, 4)))
    matrix, bias = torch.tensor(layer.matrix), torch.tensor(layer.bias)
    wanted = layer.forward(x, matrix, bias)
    positions = torch.arange(wanted.numel() // 8)
    windows = layer.windows(x, positions)
    found = layer.sums(windows, matrix, bias)
    assert torch.allclose(found, wanted.reshape(-1, 8))
    # The same from single weights: the columns of a window are ordered by tap, then by channel.
    taps = np.repeat(np.arange(6), 4 // groups)
    columns = np.broadcast_to(layer.columns(), layer.matrix.shape)
    picked = windows.numpy()[:, taps, columns]
    assert np.allclose((picked * layer.matrix).sum(-1) + layer.bias, found.numpy())


@pytest.mark.parametrize(("outputs", "depthwise"), [(4, True), (8, False)])
def test_a_channel_multiplier_is_not_depthwise(outputs: int, depthwise: bool) -> None:
    """Its output channels do not stand at the index of the input channel that they read."""
    op = Conv2d(np.ones((outputs, 3, 3, 1)), np.zeros(outputs), groups=4)
    assert Convolution(op).depthwise == depthwise


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["best", "hyq"])
def test_a_network_is_quantized_and_emulated(preset: str) -> None:
    model = settle(Grouped())
    images = np.random.default_rng(1).integers(0, 256, (8, 12, 12, 3), dtype=np.uint8)
    quantized = quantize(model, images, presets.PRESETS[preset]())
    operations = {name: node.operation for name, node in quantized.graph.nodes.items()}
    grouped = [op for op in operations.values() if isinstance(op, ops.GroupedConv2d)]
    assert [op.groups for op in grouped] == [4, 12]
    codes = quantized.codes(images)
    wanted = dict(quantized.graph.reference(images.astype(np.int64)))[quantized.graph.output_name]
    assert np.array_equal(codes, wanted)
