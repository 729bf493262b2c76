"""Transposed convolutions become convolutions whose results lie side by side."""

from __future__ import annotations

from collections import Counter

import pytest
from torch import nn

from tests.capture.nets import captured, kinds


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(
    "layer",
    [
        nn.ConvTranspose2d(3, 4, 2, 2),
        nn.ConvTranspose2d(3, 3, 4, 2, 1, groups=3),  # as LowFormer enlarges its maps
        nn.ConvTranspose2d(3, 6, 3, 2, 1, output_padding=1, groups=3),
        nn.ConvTranspose2d(3, 4, 3, 1, 1),
        nn.ConvTranspose2d(3, 4, 3, 2, 1),  # one row and one column less than twice the size
        nn.ConvTranspose2d(3, 4, (1, 3), (2, 1), (0, 1), bias=False),
        nn.ConvTranspose2d(3, 4, 3, 2, 1, dilation=2),
        nn.ConvTranspose2d(3, 4, 2, 3),  # places that see no weight have the bias
        nn.ConvTranspose2d(3, 4, 5, 2, 4, output_padding=1),  # it crops the map
    ],
)
def test_a_map(layer: nn.ConvTranspose2d, norm: bool) -> None:
    bn = nn.BatchNorm2d(layer.out_channels) if norm else nn.Identity()
    graph = captured(lambda m, x: m.bn(m.up(x)).relu(), (3, 5, 6), up=layer, bn=bn)
    found = Counter(kinds(graph).values())
    height, width = layer.stride
    assert found["Conv2d"] + found["Linear"] == height * width
    assert found["ConcatPositions"] == height * width - 1
    assert found["Fold"] == (height * width > 1)
    assert found["ChannelAffine"] == 0  # All parts take up the normalization.


def test_the_parts_multiply_no_zeros() -> None:
    graph = captured(lambda m, x: m.up(x), (3, 4, 4), up=nn.ConvTranspose2d(3, 4, 4, 2, 1))
    kernels = [node.op.weight.shape for node in graph if node.op.kind == "Conv2d"]  # type: ignore[attr-defined]
    assert kernels == [(4, 2, 2, 3)] * 4


def test_tokens_and_vectors() -> None:
    stem = nn.Conv2d(3, 4, 1)
    graph = captured(
        lambda m, x: m.up(m.stem(x).flatten(2)), stem=stem, up=nn.ConvTranspose1d(4, 5, 4, 2, 1)
    )
    assert list(kinds(graph).values()).count("Conv2d") == 2
    for groups in (1, 2):
        graph = captured(
            lambda m, x: m.up(m.stem(x).mean((2, 3), keepdim=True)),
            stem=stem,
            up=nn.ConvTranspose2d(4, 6, 2, 2, groups=groups),
        )
        assert kinds(graph) == {"stem": "Linear", "pool": "GlobalAveragePool", "up": "Linear"}
