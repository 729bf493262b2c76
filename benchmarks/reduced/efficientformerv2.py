"""EfficientFormer V2 (Li et al., arXiv 2212.08059) with the names and operations of timm 1.0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

#: Widths, depths, blocks with attention, and expansions of the last two stages, by name.
SIZES: dict[str, dict[str, Any]] = {
    "s0": {
        "widths": (32, 48, 96, 176),
        "depths": (2, 2, 6, 4),
        "attentions": 2,
        "ratios": ((4, 3, 3, 3, 4, 4), (4, 3, 3, 4)),
    },
    "s1": {
        "widths": (32, 48, 120, 224),
        "depths": (3, 3, 9, 6),
        "attentions": 2,
        "ratios": ((4, 4, 3, 3, 3, 3, 4, 4, 4), (4, 4, 3, 3, 4, 4)),
    },
    "s2": {
        "widths": (32, 64, 144, 288),
        "depths": (4, 4, 12, 8),
        "attentions": 4,
        "ratios": ((4, 4, *[3] * 6, *[4] * 4), (4, 4, 3, 3, 3, 3, 4, 4)),
    },
    "l": {
        "widths": (40, 80, 192, 384),
        "depths": (5, 5, 15, 10),
        "attentions": 6,
        "ratios": ((*[4] * 4, *[3] * 7, *[4] * 4), (4, 4, 4, 3, 3, 3, 3, 4, 4, 4)),
    },
}


class ConvNorm(nn.Module):
    """A convolution and its normalization, with an activation where one is asked for."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        act: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)
        self.bn = nn.BatchNorm2d(outputs)
        self.act = nn.GELU() if act else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.act(self.bn(self.conv(x)))
        return result


class _Biased(nn.Module):
    """A learned bias for each distance of a query and a key."""

    attention_bias_idxs: torch.Tensor

    def __init__(self, heads: int, side: int, step: int = 1) -> None:
        super().__init__()
        keys, queries = (
            torch.stack(torch.meshgrid(axis, axis, indexing="ij")).flatten(1)
            for axis in (torch.arange(side), torch.arange(0, side, step))
        )
        apart = (queries[:, :, None] - keys[:, None]).abs()
        self.attention_biases = nn.Parameter(torch.zeros(heads, side * side))
        self.register_buffer("attention_bias_idxs", apart[0] * side + apart[1], persistent=False)

    def biases(self) -> torch.Tensor:
        """Return the biases ``(heads, queries, keys)`` of the scores."""
        return self.attention_biases[:, self.attention_bias_idxs]


class Attention2d(_Biased):
    """Attention with talking heads, of a map that is made smaller and larger again by a stride."""

    def __init__(
        self, dim: int, side: int, stride: int | None, key_dim: int, heads: int, ratio: int
    ) -> None:
        side = side if stride is None else math.ceil(side / stride)
        super().__init__(heads, side)
        self.num_heads, self.key_dim, self.side = heads, key_dim, side
        self.scale, self.dh = key_dim**-0.5, ratio * key_dim * heads
        self.stride_conv = None if stride is None else ConvNorm(dim, dim, 3, stride, dim)
        self.upsample = (
            None if stride is None else nn.Upsample(scale_factor=stride, mode="bilinear")
        )
        self.q, self.k = (ConvNorm(dim, key_dim * heads) for _ in range(2))
        self.v = ConvNorm(dim, self.dh)
        self.v_local = ConvNorm(self.dh, self.dh, 3, groups=self.dh)
        self.talking_head1, self.talking_head2 = (nn.Conv2d(heads, heads, 1) for _ in range(2))
        self.act = nn.GELU()
        self.proj = ConvNorm(self.dh, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, heads = len(x), self.num_heads
        if self.stride_conv is not None:
            x = self.stride_conv(x)
        q = self.q(x).reshape(batch, heads, -1, self.side**2).permute(0, 1, 3, 2)
        k = self.k(x).reshape(batch, heads, -1, self.side**2)
        v = self.v(x)
        v_local = self.v_local(v)
        v = v.reshape(batch, heads, -1, self.side**2).permute(0, 1, 3, 2)
        attn = self.talking_head1((q @ k) * self.scale + self.biases()).softmax(dim=-1)
        x = (self.talking_head2(attn) @ v).transpose(2, 3)
        x = x.reshape(batch, self.dh, self.side, self.side) + v_local
        if self.upsample is not None:
            x = self.upsample(x)
        result: torch.Tensor = self.proj(self.act(x))
        return result


class LocalGlobalQuery(nn.Module):
    """Queries of every second position, each from itself and its neighbours."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(1, 2, 0)
        self.local = nn.Conv2d(inputs, inputs, 3, 2, 1, groups=inputs)
        self.proj = ConvNorm(inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.proj(self.local(x) + self.pool(x))
        return result


class Attention2dDownsample(_Biased):
    """Attention whose queries are a quarter of its keys."""

    def __init__(
        self, dim: int, outputs: int, side: int, key_dim: int, heads: int, ratio: int
    ) -> None:
        super().__init__(heads, side, 2)
        self.num_heads, self.side, self.new_side = heads, side, math.ceil(side / 2)
        self.scale, self.dh = key_dim**-0.5, ratio * key_dim * heads
        self.q = LocalGlobalQuery(dim, key_dim * heads)
        self.k, self.v = ConvNorm(dim, key_dim * heads), ConvNorm(dim, self.dh)
        self.v_local = ConvNorm(self.dh, self.dh, 3, 2, self.dh)
        self.act = nn.GELU()
        self.proj = ConvNorm(self.dh, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, heads = len(x), self.num_heads
        q = self.q(x).reshape(batch, heads, -1, self.new_side**2).permute(0, 1, 3, 2)
        k = self.k(x).reshape(batch, heads, -1, self.side**2)
        v = self.v(x)
        v_local = self.v_local(v)
        v = v.reshape(batch, heads, -1, self.side**2).permute(0, 1, 3, 2)
        attn = ((q @ k) * self.scale + self.biases()).softmax(dim=-1)
        x = (attn @ v).transpose(2, 3).reshape(
            batch, self.dh, self.new_side, self.new_side
        ) + v_local
        result: torch.Tensor = self.proj(self.act(x))
        return result


class Downsample(nn.Module):
    """A convolution of stride 2, plus attention with fewer queries than keys where there is one."""

    def __init__(self, inputs: int, outputs: int, attn: nn.Module | None) -> None:
        super().__init__()
        self.conv = ConvNorm(inputs, outputs, 3, 2)
        self.attn = attn

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.conv(x)
        return y if self.attn is None else self.attn(x) + y


class LayerScale2d(nn.Module):
    """A learned factor for each channel of a map."""

    def __init__(self, dim: int, value: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(value * torch.ones(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gamma.view(1, -1, 1, 1)


class ConvMlpWithNorm(nn.Module):
    """A perceptron of every position, with a depthwise convolution in its middle."""

    def __init__(self, dim: int, ratio: int) -> None:
        super().__init__()
        hidden = ratio * dim
        self.fc1 = ConvNorm(dim, hidden, act=True)
        self.mid = ConvNorm(hidden, hidden, 3, groups=hidden, act=True)
        self.fc2 = ConvNorm(hidden, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.fc2(self.mid(self.fc1(x)))
        return result


class EfficientFormerV2Block(nn.Module):
    """Attention where there is one, then a perceptron, with layer scales."""

    def __init__(self, dim: int, ratio: int, scale: float, token_mixer: nn.Module | None) -> None:
        super().__init__()
        self.token_mixer = token_mixer
        self.ls1 = None if token_mixer is None else LayerScale2d(dim, scale)
        self.mlp = ConvMlpWithNorm(dim, ratio)
        self.ls2 = LayerScale2d(dim, scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.token_mixer is not None and self.ls1 is not None:
            x = x + self.ls1(self.token_mixer(x))
        result: torch.Tensor = x + self.ls2(self.mlp(x))
        return result


class Stage(nn.Module):
    """Blocks on maps of one size, behind what makes the map smaller."""

    def __init__(self, downsample: nn.Module, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.downsample = downsample
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.blocks(self.downsample(x))
        return result


class EfficientFormerV2(nn.Module):
    """Four stages; the third has attention of half the size, the last one begins with attention.

    Args:
        widths: channels of the stages.
        depths: blocks of the stages.
        attentions: blocks with attention at the end of the last two stages.
        ratios: expansions of the blocks of the last two stages; those before have the first one.
        size: height and width of an image.
        key_dim: channels of a key in a head; half of them where the map gets smaller.
        heads: heads of attention.
        ratio: channels of a value over those of a key.
        scale: first value of the layer scales.
        classes: outputs.
    """

    def __init__(
        self,
        widths: Sequence[int],
        depths: Sequence[int],
        attentions: int,
        ratios: Sequence[Sequence[int]],
        size: int = 224,
        key_dim: int = 32,
        heads: int = 8,
        ratio: int = 4,
        scale: float = 1e-5,
        classes: int = 1000,
    ) -> None:
        super().__init__()
        first = widths[0]
        self.stem = nn.Sequential()
        self.stem.add_module("conv1", ConvNorm(3, first // 2, 3, 2, act=True))
        self.stem.add_module("conv2", ConvNorm(first // 2, first, 3, 2, act=True))
        side, before, stages = math.ceil(size / 4), first, []
        for i, (dim, depth) in enumerate(zip(widths, depths, strict=True)):
            downsample: nn.Module = nn.Identity()
            if i > 0:
                attention = (
                    Attention2dDownsample(before, dim, side, key_dim // 2, heads, ratio)
                    if i == 3
                    else None
                )
                downsample, side = Downsample(before, dim, attention), math.ceil(side / 2)
            blocks = []
            for place in range(depth):
                has_attention = i > 1 and place >= depth - attentions
                mixer = (
                    Attention2d(dim, side, 2 if i == 2 else None, key_dim, heads, ratio)
                    if has_attention
                    else None
                )
                expansion = ratios[i - 2][place] if i > 1 else ratios[0][0]
                blocks.append(EfficientFormerV2Block(dim, expansion, scale, mixer))
            stages.append(Stage(downsample, blocks))
            before = dim
        self.stages = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(before)
        self.head, self.head_dist = nn.Linear(before, classes), nn.Linear(before, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.stages(self.stem(x))).mean(dim=(2, 3))
        result: torch.Tensor = (self.head(x) + self.head_dist(x)) / 2
        return result


def named(name: str, size: int = 224, classes: int = 1000) -> EfficientFormerV2:
    """Build a network of timm: ``s0``, ``s1``, ``s2`` or ``l``."""
    return EfficientFormerV2(**SIZES[name], size=size, classes=classes)


def small() -> EfficientFormerV2:
    """Build a member with every kind of operation, for images of 64 x 64.

    Its four stages have maps of 16, 8, 4 and 2 rows.
    """
    return EfficientFormerV2(
        *((4, 4, 4, 6), (1, 1, 1, 1), 1, ((2,), (2,))),
        size=64,
        key_dim=4,
        heads=2,
        ratio=2,
        scale=0.5,
        classes=3,
    )
