"""Windows in the ways in which people write them: plain, shifted, on a grid, and merged patches."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from hyq_hls.capture import UnsupportedModelError, capture
from hyq_hls.capture.positions import PermutePositions
from tests.capture.hybrids import settle
from tests.capture.nets import EXACT, Net, captured, kinds
from tests.capture.swin import Block, PatchMerging, Swin, WindowAttention, map_of, windows_of

MOVES = ("PermutePositions", "Unfold", "Fold", "SelectPositions", "Concat")


def moves(graph: Any) -> dict[str, int]:
    return {kind: n for kind, n in Counter(kinds(graph).values()).items() if kind in MOVES}


@pytest.mark.parametrize(("shift", "size"), [(0, (8, 8)), (2, (8, 12)), (1, (4, 4))])
def test_one_permutation_makes_windows_and_one_a_map(shift: int, size: tuple[int, int]) -> None:
    block = Block(4, WindowAttention(4, 2, size, (4, 4) if max(size) > 4 else (2, 2), shift))

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = m.block(m.stem(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return result

    graph = captured(forward, (3, *size), stem=nn.Conv2d(3, 4, 3, padding=1), block=block)
    assert moves(graph) == {"PermutePositions": 2}
    windows, back = (node for node in graph if isinstance(node.op, PermutePositions))
    pixels = 16 if max(size) > 4 else 4
    count = size[0] * size[1] // pixels
    assert graph.shape(windows.name) == (count, pixels, 4)
    assert graph.shape(back.name) == (*size, 4)
    scores = next(node for node in graph if node.op.kind == "AttentionScores")
    assert graph.shape(scores.name) == (count, pixels, 2, pixels)


def test_a_grid_is_the_patch_of_mobilevit() -> None:
    block = Block(4, WindowAttention(4, 2, (4, 6), (2, 3), way="grid"))
    graph = captured(
        lambda m, x: m.block(m.stem(x).permute(0, 2, 3, 1)).mean((1, 2)),
        (3, 4, 6),
        stem=nn.Conv2d(3, 4, 1),
        block=block,
    )
    assert moves(graph) == {"Unfold": 2, "Fold": 1}  # the MLP reads (B, H * W, C) as tokens


@pytest.mark.slow
def test_windows_and_grids_in_one_network() -> None:
    """In the reading for windows, an MLP over (B, H * W, C) stays on the map."""
    graph, report = capture(settle(Swin()), (3, 8, 8))
    assert report.relative_error is not None
    assert report.relative_error < EXACT
    wanted = {"PermutePositions": 4, "Unfold": 1, "Fold": 1, "SelectPositions": 4, "Concat": 3}
    assert moves(graph) == wanted


@pytest.mark.parametrize("sliced", [False, True])
def test_patches_merge_by_selections(sliced: bool) -> None:
    graph = captured(
        lambda m, x: m.merge(m.stem(x).permute(0, 2, 3, 1)).mean((1, 2)),
        (3, 4, 6),
        stem=nn.Conv2d(3, 4, 1),
        merge=PatchMerging(4, sliced),
    )
    assert moves(graph) == {"SelectPositions": 4, "Concat": 3}
    assert graph.shape("merge.reduction") == (2, 3, 8)


def _axes_of_windows(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Windows have axes of their own, as MaxViT of timm keeps them."""
    y = m.norm(windows_of(x.permute(0, 2, 3, 1), (2, 3)).unflatten(1, (2, 3)))
    q, k, v = m.qkv(y).flatten(1, 2).chunk(3, -1)
    y = functional.scaled_dot_product_attention(q, k, v)
    return x + map_of(m.proj(y), (2, 3), (4, 6)).permute(0, 3, 1, 2)


def _five_axes(m: Any, x: torch.Tensor) -> torch.Tensor:
    """The batch stays apart, as torchvision's MaxViT and einops keep it."""
    y = windows_of(x.permute(0, 2, 3, 1), (2, 3)).unflatten(0, (-1, 4))
    q, k, v = m.qkv(m.norm(y)).chunk(3, -1)
    y = functional.scaled_dot_product_attention(q, k, v)
    return x + map_of(m.proj(y).flatten(0, 1), (2, 3), (4, 6)).permute(0, 3, 1, 2)


def _tokens_around(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Tokens (B, H * W, C) outside of the windows, as the first Swin keeps them."""
    tokens = x.flatten(2).transpose(1, 2)
    y = m.norm(tokens).view(1, 4, 6, -1).roll((-1, -2), (1, 2))
    q, k, v = m.qkv(windows_of(y, (2, 3))).chunk(3, -1)
    y = map_of(m.proj(functional.scaled_dot_product_attention(q, k, v)), (2, 3), (4, 6))
    return tokens + y.roll((1, 2), (1, 2)).view(1, 24, -1)


def _channels_first(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Convolutions of one pixel on ``(windows, C, h, w)``."""
    y = x.view(1, 4, 2, 2, 2, 3).permute(0, 2, 4, 1, 3, 5).reshape(4, 4, 2, 3)
    q, k, v = (z.flatten(2).mT for z in m.conv(y).chunk(3, 1))
    y = functional.scaled_dot_product_attention(q, k, v).mT.reshape(2, 2, 4, 2, 3)
    y = y.permute(2, 0, 3, 1, 4).reshape(1, 4, 4, 6)
    result: torch.Tensor = m.out(y)
    return result


def _late(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Queries, keys and values are made on the map, and each is cut into windows."""
    q, k, v = (windows_of(y, (2, 3)) for y in m.qkv(x.permute(0, 2, 3, 1)).chunk(3, -1))
    y = functional.scaled_dot_product_attention(q, k, v)
    return x + map_of(y, (2, 3), (4, 6)).permute(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("forward", "permutations"),
    [
        (_axes_of_windows, 2),
        (_five_axes, 2),
        (_tokens_around, 2),
        (_channels_first, 2),
        (_late, 4),
    ],
)
def test_ways_to_write_windows(forward: Any, permutations: int) -> None:
    layers: dict[str, nn.Module] = {
        "norm": nn.LayerNorm(4),
        "qkv": nn.Linear(4, 12),
        "proj": nn.Linear(4, 4),
        "conv": nn.Conv2d(4, 12, 1),
        "out": nn.Conv2d(4, 3, 3),
    }
    graph = captured(forward, (4, 4, 6), **layers)
    assert moves(graph) == {"PermutePositions": permutations}


@pytest.mark.parametrize(
    "combine",
    [lambda x, y: x + y, lambda x, y: x * y, torch.maximum],
    ids=["add", "multiply", "maximum"],
)
def test_an_operand_in_another_order_is_brought_to_that_of_the_other(combine: Any) -> None:
    graph = captured(lambda m, x: combine(m.conv(x), m.conv(x).flip(2)), conv=nn.Conv2d(3, 4, 1))
    assert moves(graph) == {"PermutePositions": 1}


def test_values_in_an_order_of_their_own() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        q, k, v = m.qkv(x.flatten(2).mT).chunk(3, -1)
        return functional.scaled_dot_product_attention(q, k, v.flip(1))

    graph = captured(forward, (4, 2, 3), qkv=nn.Linear(4, 12))
    assert moves(graph)["PermutePositions"] == 1


def test_windows_that_overlap_are_refused() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        windows = x.unfold(2, 2, 1).unfold(3, 2, 1).permute(0, 2, 3, 4, 5, 1).reshape(-1, 4, 4)
        return functional.scaled_dot_product_attention(windows, windows, windows).mean((0, 1))

    with pytest.raises(UnsupportedModelError, match="windows that overlap"):
        capture(settle(Net(forward)), (4, 3, 3))


def test_padding_that_cuts_is_a_movement() -> None:
    graph = captured(lambda m, x: functional.pad(m.conv(x), (0, 0, -1, 0)), conv=nn.Conv2d(3, 4, 1))
    assert list(kinds(graph).values()) == ["Linear"]


def test_a_class_token_joins_the_map_of_windows() -> None:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.block(m.stem(x).permute(0, 2, 3, 1)).flatten(1, 2)
        result: torch.Tensor = m.last(torch.cat((torch.ones(1, 1, 4), y), 1)).mean(1)
        return result

    block = Block(4, WindowAttention(4, 2, (4, 4), (2, 2), 1))
    layers = {"stem": nn.Conv2d(3, 4, 1), "block": block, "last": nn.Linear(4, 2)}
    assert "ConcatConstant" in kinds(captured(forward, (3, 4, 4), **layers)).values()


def test_a_convolution_of_windows_ends_at_their_borders() -> None:
    """As in Cascaded Group Attention (arXiv:2305.07027): queries are convolved in each window."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = windows_of(m.stem(x).permute(0, 2, 3, 1), (2, 3)).mT.unflatten(2, (2, 3))
        q, k = m.conv(y).flatten(2), m.key(y).flatten(2)
        y = ((q.mT @ k).softmax(-1) @ y.flatten(2).mT).mT.unflatten(2, (2, 3))
        result: torch.Tensor = map_of(m.last(y).flatten(2).mT, (2, 3), (4, 6)).permute(0, 3, 1, 2)
        return result

    layers = {
        "stem": nn.Conv2d(3, 4, 1),
        "conv": nn.Conv2d(4, 4, 3, padding=1, groups=4),
        "key": nn.Conv2d(4, 4, 1),
        "last": nn.Conv2d(4, 4, (1, 3), padding=(0, 1)),
    }
    graph = captured(forward, (3, 4, 6), **layers)
    found = Counter(kinds(graph).values())
    assert (found["Conv2d"], found["ConcatPositions"]) == (8, 6)
