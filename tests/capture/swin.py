"""Small networks with attention in windows, as Swin and MaxViT write them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

Pair = tuple[int, int]


def windows_of(x: torch.Tensor, window: Pair) -> torch.Tensor:
    """``(B, H, W, C)`` to ``(B * windows, pixels of a window, C)``."""
    batch, height, width, channels = x.shape
    (wh, ww) = window
    x = x.view(batch, height // wh, wh, width // ww, ww, channels)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, wh * ww, channels)


def map_of(x: torch.Tensor, window: Pair, size: Pair) -> torch.Tensor:
    """The inverse of ``windows_of``."""
    (wh, ww), (height, width) = window, size
    x = x.view(-1, height // wh, width // ww, wh, ww, x.shape[-1])
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, height, width, x.shape[-1])


def grid_of(x: torch.Tensor, grid: Pair) -> torch.Tensor:
    """MaxViT's grid: ``(B, H, W, C)`` to ``(B * positions of a cell, cells, C)``."""
    batch, height, width, channels = x.shape
    gh, gw = grid
    x = x.view(batch, gh, height // gh, gw, width // gw, channels)
    return x.permute(0, 2, 4, 1, 3, 5).reshape(-1, gh * gw, channels)


def map_of_grid(x: torch.Tensor, grid: Pair, size: Pair) -> torch.Tensor:
    """The inverse of ``grid_of``."""
    (gh, gw), (height, width) = grid, size
    x = x.view(-1, height // gh, width // gw, gh, gw, x.shape[-1])
    return x.permute(0, 3, 1, 4, 2, 5).reshape(-1, height, width, x.shape[-1])


PARTITIONS: dict[str, tuple[Callable[..., torch.Tensor], Callable[..., torch.Tensor]]] = {
    "windows": (windows_of, map_of),
    "grid": (grid_of, map_of_grid),
}


class WindowAttention(nn.Module):
    """Attention over windows, with a bias per head and a mask where the map was shifted."""

    mask: torch.Tensor | None

    def __init__(
        self, dim: int, heads: int, size: Pair, window: Pair, shift: int = 0, way: str = "windows"
    ) -> None:
        super().__init__()
        self.heads, self.size, self.window, self.shift = heads, size, window, shift
        self.partition, self.reverse = PARTITIONS[way]
        pixels = window[0] * window[1]
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.bias = nn.Parameter(torch.zeros(heads, pixels, pixels))
        self.register_buffer("mask", self._mask() if shift else None)

    def _mask(self) -> torch.Tensor:
        """What was apart before the shift does not see each other."""
        rows, columns = (
            (torch.arange(n) >= n - w).long() + (torch.arange(n) >= n - self.shift).long()
            for n, w in zip(self.size, self.window, strict=True)
        )
        region = windows_of((3 * rows[:, None] + columns)[None, ..., None], self.window)[..., 0]
        return torch.where(region[:, :, None] == region[:, None], 0.0, -100.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.roll((-self.shift, -self.shift), (1, 2)) if self.shift else x
        x = functional.pad(x, (0, 0, 0, 0, 0, 0))
        tokens = self.partition(x, self.window)
        count, pixels, dim = tokens.shape
        qkv = self.qkv(tokens).reshape(count, pixels, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)
        scores = query @ key.transpose(-2, -1) * (dim // self.heads) ** -0.5 + self.bias
        if self.mask is not None:
            scores = scores.view(-1, len(self.mask), self.heads, pixels, pixels)
            scores = (scores + self.mask[:, None]).view(-1, self.heads, pixels, pixels)
        y = (scores.softmax(-1) @ value).transpose(1, 2).reshape(count, pixels, dim)
        y = self.reverse(self.proj(y), self.window, self.size)
        return y.roll((self.shift, self.shift), (1, 2)) if self.shift else y


class Block(nn.Module):
    """Attention in windows and an MLP, on ``(B, H, W, C)``."""

    def __init__(self, dim: int, attention: nn.Module) -> None:
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(dim), attention, nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        tokens = x.flatten(1, 2)
        result: torch.Tensor = tokens + self.mlp(self.norm2(tokens))
        return result.view(x.shape)


class PatchMerging(nn.Module):
    """Every second pixel of every second row, four times, becomes one position."""

    def __init__(self, dim: int, sliced: bool = False) -> None:
        super().__init__()
        self.sliced = sliced
        self.norm, self.reduction = nn.LayerNorm(4 * dim), nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.sliced:
            parts = [x[:, a::2, b::2] for b in range(2) for a in range(2)]
            x = torch.cat(parts, -1)
        else:
            batch, height, width, dim = x.shape
            x = x.reshape(batch, height // 2, 2, width // 2, 2, dim)
            x = x.permute(0, 1, 3, 4, 2, 5).flatten(3)
        result: torch.Tensor = self.reduction(self.norm(x))
        return result


class Swin(nn.Module):
    """A stem, windows, shifted windows, patch merging, attention over a grid, and a classifier."""

    def __init__(self, size: Pair = (8, 8), dim: int = 4, sliced: bool = False) -> None:
        super().__init__()
        height, width = size
        half = (height // 2, width // 2)
        self.stem = nn.Conv2d(3, dim, 1)
        self.blocks = nn.Sequential(
            Block(dim, WindowAttention(dim, 2, size, (4, 4))),
            Block(dim, WindowAttention(dim, 2, size, (4, 4), shift=2)),
            PatchMerging(dim, sliced),
            Block(2 * dim, WindowAttention(2 * dim, 2, half, (2, 2), way="grid")),
        )
        self.norm, self.head = nn.LayerNorm(2 * dim), nn.Linear(2 * dim, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.blocks(self.stem(x).permute(0, 2, 3, 1)))
        result: torch.Tensor = self.head(x.mean((1, 2)))
        return result
