"""EfficientFormer (arXiv 2206.01191) of any width, as timm 1.0 builds it."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn


class Pooling(nn.Module):
    """The token mixer of maps, a pooling less its input."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.pool(x) - x
        return result


class LayerScale(nn.Module):
    """A factor for each channel, of maps or of tokens."""

    def __init__(self, channels: int, value: float, maps: bool) -> None:
        super().__init__()
        self.maps = maps
        self.gamma = nn.Parameter(value * torch.ones(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (self.gamma.view(1, -1, 1, 1) if self.maps else self.gamma)


class MapBlock(nn.Module):
    """MetaBlock2d: pooling and convolutions of one position, with layer scales."""

    def __init__(self, channels: int, ratio: int, scale: float) -> None:
        super().__init__()
        hidden = ratio * channels
        self.mixer, self.first = Pooling(), LayerScale(channels, scale, True)
        self.mlp = nn.Sequential(
            *(nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden), nn.GELU()),
            *(nn.Conv2d(hidden, channels, 1), nn.BatchNorm2d(channels)),
        )
        self.second = LayerScale(channels, scale, True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.first(self.mixer(x))
        result: torch.Tensor = x + self.second(self.mlp(x))
        return result


class Attention(nn.Module):
    """Attention with wide values, and a learned bias for each distance of two positions."""

    index: torch.Tensor

    def __init__(self, channels: int, heads: int, key: int, ratio: int, side: int) -> None:
        super().__init__()
        self.heads, self.key, self.value = heads, key, ratio * key
        self.qkv = nn.Linear(channels, heads * (2 * key + self.value))
        self.proj = nn.Linear(heads * self.value, channels)
        y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        places = torch.stack((y, x)).flatten(1)
        apart = (places[:, :, None] - places[:, None]).abs()
        self.biases = nn.Parameter(torch.zeros(heads, side * side))
        self.register_buffer("index", apart[0] * side + apart[1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, count, _ = x.shape
        qkv = self.qkv(x).reshape(batch, count, self.heads, -1).permute(0, 2, 1, 3)
        q, k, v = qkv.split([self.key, self.key, self.value], dim=3)
        scores = q @ k.transpose(-2, -1) * self.key**-0.5 + self.biases[:, self.index]
        y = (scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(batch, count, -1)
        result: torch.Tensor = self.proj(y)
        return result


class TokenBlock(nn.Module):
    """MetaBlock1d: attention and a perceptron, with layer scales."""

    def __init__(
        self, channels: int, heads: int, key: int, ratio: int, side: int, scale: float
    ) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.mixer = Attention(channels, heads, key, ratio, side)
        hidden = ratio * channels
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels)
        )
        self.first, self.second = (LayerScale(channels, scale, False) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.first(self.mixer(self.norm1(x)))
        result: torch.Tensor = x + self.second(self.mlp(self.norm2(x)))
        return result


def _down(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs)]


class EfficientFormer(nn.Module):
    """Stem, stages of maps, a stage whose last blocks have tokens, the mean of two heads.

    Args:
        widths: channels of the stages.
        side: height and width of the last map.
        heads: heads of the attention.
        key: channels of a query and of a key in a head.
        ratio: hidden channels over channels, and channels of a value over those of a key.
        scale: first value of the layer scales.
        classes: number of outputs.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (4, 6),
        side: int = 3,
        heads: int = 2,
        key: int = 4,
        ratio: int = 2,
        scale: float = 0.5,
        classes: int = 5,
    ) -> None:
        super().__init__()
        first, last = widths[0], widths[-1]
        layers = [*_down(3, first), nn.ReLU()]
        for width, following in pairwise(widths):
            layers += [MapBlock(width, ratio, scale), *_down(width, following)]
        self.maps = nn.Sequential(*layers, MapBlock(last, ratio, scale))
        self.tokens = TokenBlock(last, heads, key, ratio, side, scale)
        self.norm = nn.LayerNorm(last)
        self.head, self.distilled = nn.Linear(last, classes), nn.Linear(last, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.tokens(self.maps(x).flatten(2).transpose(1, 2))).mean(dim=1)
        result: torch.Tensor = (self.head(y) + self.distilled(y)) / 2
        return result


def small() -> EfficientFormer:
    """Build a member with every kind of operation, for images of 12 x 12."""
    return EfficientFormer()
