"""Small hybrids written in different ways, which all mean the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn
from torch.nn import functional

Patch = tuple[int, int]
Net = TypeVar("Net", bound=nn.Module)


def settle(model: Net, seed: int = 0) -> Net:
    """Give all parameters and statistics values whose loss is noticed; evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        for name, tensor in [*module.named_parameters(recurse=False)]:
            fan = tensor[0].numel() if tensor.ndim > 1 else 4
            center = 1.0 if name == "weight" and tensor.ndim == 1 else 0.0
            values = torch.randn(tensor.shape, generator=generator) / fan**0.5
            tensor.data.copy_(center + values)
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            assert module.running_var is not None
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator) / 3)
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
    return model.eval()


def unfold_by_reshapes(x: torch.Tensor, patch: Patch) -> torch.Tensor:
    """The reshapes of timm: (B, C, H, W) -> (B * P, N, C)."""
    (ph, pw), (batch, dim, height, width) = patch, x.shape
    nh, nw = height // ph, width // pw
    x = x.reshape(batch * dim * nh, ph, nw, pw).transpose(1, 2)
    x = x.reshape(batch, dim, nh * nw, ph * pw).transpose(1, 3)
    return x.reshape(batch * ph * pw, nh * nw, dim)


def fold_by_reshapes(x: torch.Tensor, patch: Patch, size: Patch) -> torch.Tensor:
    (ph, pw), (height, width), dim = patch, size, x.shape[-1]
    nh, nw = height // ph, width // pw
    x = x.contiguous().view(-1, ph * pw, nh * nw, dim).transpose(1, 3)
    x = x.reshape(-1, nw, ph, pw).transpose(1, 2)
    return x.reshape(-1, dim, height, width)


def unfold_by_permute(x: torch.Tensor, patch: Patch) -> torch.Tensor:
    """The same as one permutation, as einops writes it, keeping (B, P, N, C)."""
    (ph, pw), (batch, dim, height, width) = patch, x.shape
    x = x.view(batch, dim, height // ph, ph, width // pw, pw)
    return x.permute(0, 3, 5, 2, 4, 1).flatten(1, 2).flatten(2, 3)


def fold_by_permute(x: torch.Tensor, patch: Patch, size: Patch) -> torch.Tensor:
    (ph, pw), (height, width), dim = patch, size, x.shape[-1]
    x = x.reshape(-1, ph, pw, height // ph, width // pw, dim)
    return x.permute(0, 5, 3, 1, 4, 2).reshape(-1, dim, height, width)


def unfold_by_im2col(x: torch.Tensor, patch: Patch) -> torch.Tensor:
    """With F.unfold, and the tokens in order (B, N, P, C)."""
    columns = functional.unfold(x, patch, stride=patch)
    result: torch.Tensor = columns.unflatten(1, (x.shape[1], -1)).permute(0, 3, 2, 1)
    return result


def fold_by_col2im(x: torch.Tensor, patch: Patch, size: Patch) -> torch.Tensor:
    columns = x.permute(0, 3, 2, 1).flatten(1, 2)
    return functional.fold(columns, size, patch, stride=patch)


FOLDINGS: dict[str, tuple[Callable[..., torch.Tensor], Callable[..., torch.Tensor], bool]] = {
    "reshapes": (unfold_by_reshapes, fold_by_reshapes, False),
    "permute": (unfold_by_permute, fold_by_permute, False),
    "im2col": (unfold_by_im2col, fold_by_col2im, True),
}


class FusedAttention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.attn_drop = nn.Dropout(0.2)
        self.proj = nn.Linear(dim, dim)

    def heads_of(self, x: torch.Tensor) -> list[torch.Tensor]:
        qkv = self.qkv(x).unflatten(-1, (3, self.heads, -1))
        return [part.transpose(-2, -3) for part in qkv.unbind(-3)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.heads_of(x)
        y = functional.scaled_dot_product_attention(q, k, v)
        result: torch.Tensor = self.proj(y.transpose(-2, -3).flatten(-2))
        return result


class ExplicitAttention(FusedAttention):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.heads_of(x)
        q = q * (q.shape[-1] ** -0.5)
        attention = self.attn_drop((q @ k.transpose(-2, -1)).softmax(dim=-1))
        result: torch.Tensor = self.proj((attention @ v).transpose(-2, -3).flatten(-2))
        return result


class EinsumAttention(FusedAttention):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, dim = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (t.reshape(batch, tokens, self.heads, -1) for t in (q, k, v))
        scores = torch.einsum("bihd,bjhd->bhij", q, k) / (dim // self.heads) ** 0.5
        y = torch.einsum("bhij,bjhd->bihd", functional.softmax(scores, dim=-1), v)
        result: torch.Tensor = self.proj(y.reshape(batch, tokens, dim))
        return result


class SeparateAttention(nn.Module):
    """Own layers for q, k and v; products with merged batch and heads; channels (d h)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.proj = nn.Linear(dim, dim)

    def split(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, dim = x.shape
        x = x.view(batch, tokens, dim // self.heads, self.heads).permute(0, 3, 1, 2)
        return x.reshape(batch * self.heads, tokens, -1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, dim = x.shape
        q, k, v = (self.split(f(x)) for f in (self.query, self.key, self.value))
        scores = torch.bmm(q, k.transpose(1, 2)) * (dim // self.heads) ** -0.5
        y = torch.bmm(torch.softmax(scores, -1), v)
        y = y.view(batch, self.heads, tokens, -1).permute(0, 2, 3, 1)
        result: torch.Tensor = self.proj(y.reshape(batch, tokens, dim))
        return result


ATTENTIONS: dict[str, type[nn.Module]] = {
    "fused": FusedAttention,
    "explicit": ExplicitAttention,
    "einsum": EinsumAttention,
    "separate": SeparateAttention,
}


class Layer(nn.Module):
    def __init__(self, dim: int, attention: nn.Module, act: type[nn.Module] = nn.SiLU) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-3)
        self.attn = attention
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, 2 * dim), act(), nn.Dropout(0.1), nn.Linear(2 * dim, dim)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        result: torch.Tensor = x + self.mlp(self.norm2(x))
        return result


class Block(nn.Module):
    """MobileViT block with a choice of ways to write it."""

    def __init__(
        self,
        channels: int,
        layers: list[nn.Module],
        dim: int,
        *,
        patch: Patch = (2, 2),
        folding: str = "reshapes",
    ) -> None:
        super().__init__()
        self.patch = patch
        self.unfold, self.fold, self.swapped = FOLDINGS[folding]
        self.conv_kxk = conv_bn(channels, channels, 3, act=nn.SiLU(inplace=True))
        self.conv_1x1 = nn.Conv2d(channels, dim, 1, bias=False)
        self.transformer = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(dim)
        self.conv_proj = conv_bn(dim, channels, 1, act=nn.SiLU())
        self.conv_fusion = conv_bn(2 * channels, channels, 3, act=nn.SiLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv_1x1(self.conv_kxk(x))
        size = y.shape[2:]
        y = self.unfold(y, self.patch)
        for layer in self.transformer:
            # The attention sees (B * P, N, C), however the tokens are kept between the layers.
            lead = y.transpose(1, 2).shape if self.swapped else y.shape
            flat = y.transpose(1, 2) if self.swapped else y
            flat = layer(flat.reshape(-1, *lead[-2:]))
            y = flat.reshape(lead).transpose(1, 2) if self.swapped else flat.reshape(lead)
        y = self.fold(self.norm(y), self.patch, tuple(size))
        result: torch.Tensor = self.conv_fusion(torch.cat((x, self.conv_proj(y)), dim=1))
        return result


def conv_bn(
    inputs: int, outputs: int, kernel: int, *, act: nn.Module, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), act)


class Hybrid(nn.Module):
    """Stem, inverted residual, MobileViT block and classifier."""

    def __init__(
        self,
        *,
        channels: int = 6,
        dim: int = 8,
        heads: int = 2,
        depth: int = 1,
        patch: Patch = (2, 2),
        folding: str = "reshapes",
        attention: str = "fused",
        act: type[nn.Module] = nn.SiLU,
    ) -> None:
        super().__init__()
        self.stem = conv_bn(3, channels, 3, act=act(), stride=2)
        self.expand = conv_bn(channels, 2 * channels, 1, act=act())
        self.depthwise = conv_bn(2 * channels, 2 * channels, 3, act=act(), groups=2 * channels)
        self.project = conv_bn(2 * channels, channels, 1, act=nn.Identity())
        layers: list[nn.Module] = [
            Layer(dim, ATTENTIONS[attention](dim, heads), act) for _ in range(depth)
        ]
        self.block = Block(channels, layers, dim, patch=patch, folding=folding)
        self.head = nn.Linear(channels, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        x = x + self.project(self.depthwise(self.expand(x)))
        x = self.block(x)
        result: torch.Tensor = self.head(functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return result
