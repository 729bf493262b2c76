"""MobileViTv2 (Mehta and Rastegari, arXiv:2206.02680) with the operations that timm exports."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from hyq_hls.models.mobilevit import ConvNormAct


class InvertedResidual(nn.Module):
    """A depthwise convolution between two of one position, with a shortcut where it fits."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        middle = 2 * inputs
        self.conv1_1x1 = ConvNormAct(inputs, middle, 1)
        self.conv2_kxk = ConvNormAct(middle, middle, 3, stride=stride, groups=middle)
        self.conv3_1x1 = ConvNormAct(middle, outputs, 1, act=False)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.conv3_1x1(self.conv2_kxk(self.conv1_1x1(x)))
        return y + x if self.shortcut else y


class LinearSelfAttention(nn.Module):
    """Equation 4 of the paper, on tokens (B, C, P, N)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.qkv_proj = nn.Conv2d(dim, 1 + 2 * dim, 1)
        self.out_proj = nn.Conv2d(dim, dim, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.qkv_proj(x).split([1, self.dim, self.dim], dim=1)
        scores = functional.softmax(query, dim=-1)
        context = (key * scores).sum(dim=-1, keepdim=True)
        result: torch.Tensor = self.out_proj(functional.relu(value) * context.expand_as(value))
        return result


class LinearTransformerBlock(nn.Module):
    """Separable attention, then a perceptron, both behind a GroupNorm with one group."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(1, dim)
        self.attn = LinearSelfAttention(dim)
        self.norm2 = nn.GroupNorm(1, dim)
        self.mlp = nn.Sequential(nn.Conv2d(dim, 2 * dim, 1), nn.SiLU(), nn.Conv2d(2 * dim, dim, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        result: torch.Tensor = x + self.mlp(self.norm2(x))
        return result


class MobileVitV2Block(nn.Module):
    """A depthwise convolution, then transformer blocks on patches of 2 x 2 pixels."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        dim = channels // 2
        self.conv_kxk = ConvNormAct(channels, channels, 3, groups=channels)
        self.conv_1x1 = nn.Conv2d(channels, dim, 1, bias=False)
        self.transformer = nn.Sequential(*(LinearTransformerBlock(dim) for _ in range(depth)))
        self.norm = nn.GroupNorm(1, dim)
        self.conv_proj = ConvNormAct(dim, channels, 1, act=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv_1x1(self.conv_kxk(x))
        batch, channels, height, width = x.shape
        x = x.reshape(batch, channels, height // 2, 2, width // 2, 2).permute(0, 1, 3, 5, 2, 4)
        x = x.reshape(batch, channels, 4, height * width // 4)
        x = self.norm(self.transformer(x))
        x = x.reshape(batch, channels, 2, 2, height // 2, width // 2).permute(0, 1, 4, 2, 5, 3)
        result: torch.Tensor = self.conv_proj(x.reshape(batch, channels, height, width))
        return result


class MobileVitV2(nn.Module):
    """The network of timm's ``mobilevitv2_*``; by default that of half the width.

    Args:
        channels: channels of the stem and of the stages.
        depths: transformer blocks of the last stages.
        classes: outputs.
    """

    def __init__(
        self,
        channels: Sequence[int] = (16, 32, 64, 128, 192, 256),
        depths: Sequence[int] = (2, 4, 3),
        classes: int = 10,
    ) -> None:
        super().__init__()
        stem, first, second, *rest = channels
        self.stem = ConvNormAct(3, stem, 3, stride=2)
        stages: list[nn.Module] = [
            InvertedResidual(stem, first, 1),
            InvertedResidual(first, second, 2),
            InvertedResidual(second, second, 1),
        ]
        before = second
        for width, depth in zip(rest, depths, strict=True):
            stages += [InvertedResidual(before, width, 2), MobileVitV2Block(width, depth)]
            before = width
        self.stages = nn.Sequential(*stages)
        self.fc = nn.Linear(before, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.fc(self.stages(self.stem(x)).mean((2, 3)))
        return result


def small() -> MobileVitV2:
    """Build a member with every kind of operation, for images of 16 x 16."""
    return MobileVitV2((4, 4, 4, 8), (1,), classes=3)
