"""Blocks of transformers as people write them; each takes a map (B, 8, 8, 8)."""

# Modules of PyTorch return anything, as mypy sees it.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

D = 8


def tokens(x: Tensor) -> Tensor:
    """Return the positions of a map as tokens (B, N, C)."""
    return x.flatten(2).transpose(1, 2)


class Block(nn.Module):
    """A function of a map, with layers by name."""

    def __init__(self, forward: Callable[..., Tensor], **layers: Any) -> None:
        super().__init__()
        self.function = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x: Tensor) -> Tensor:
        """Call the function."""
        return self.function(self, x)


class TimmAttention(nn.Module):
    """timm's Attention without its fused kernel."""

    def __init__(self, heads: int = 2) -> None:
        super().__init__()
        self.num_heads, self.scale = heads, (D // heads) ** -0.5
        self.qkv, self.proj = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.attn_drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        B, N, C = x.shape
        qkv = (
            self.qkv(x).reshape(B, N, 3, self.num_heads, C // self.num_heads).permute(2, 0, 3, 1, 4)
        )
        q, k, v = qkv.unbind(0)
        attn = (q * self.scale) @ k.transpose(-2, -1)
        attn = self.attn_drop(attn.softmax(dim=-1))
        return self.proj((attn @ v).transpose(1, 2).reshape(B, N, C))


class ViTBlock(nn.Module):
    """Norm, attention, norm, MLP."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(D), TimmAttention(), nn.LayerNorm(D)
        self.mlp = nn.Sequential(nn.Linear(D, 16), nn.GELU(), nn.Dropout(0.1), nn.Linear(16, D))

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Patches by a strided convolution, class token, learned positions, the head on the token."""

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(D, D, 2, stride=2)
        self.cls_token = nn.Parameter(torch.randn(1, 1, D) * 0.5)
        self.pos_embed = nn.Parameter(torch.randn(1, 17, D) * 0.2)
        self.pos_drop, self.blocks = nn.Dropout(0.1), nn.Sequential(ViTBlock(), ViTBlock())
        self.norm, self.head = nn.LayerNorm(D), nn.Linear(D, 6)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1)
        x = self.norm(self.blocks(self.pos_drop(x + self.pos_embed)))
        return self.head(x[:, 0])


class PatchesByUnfold(nn.Module):
    """``nn.Unfold`` and a linear layer, as T2T writes patches."""

    def __init__(self) -> None:
        super().__init__()
        self.unfold, self.proj, self.block = nn.Unfold(2, stride=2), nn.Linear(4 * D, D), ViTBlock()

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        return self.block(self.proj(self.unfold(x).transpose(1, 2)))


class PatchesByRearrange(nn.Module):
    """``rearrange(x, 'b c (h p1) (w p2) -> b (h w) (p1 p2 c)')`` spelled by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.proj, self.block = nn.Linear(4 * D, D), ViTBlock()

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        b, c, h, w = x.shape
        x = x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 3, 5, 1)
        return self.block(self.proj(x.reshape(b, (h // 2) * (w // 2), 4 * c)))


class MobileViTUnfold(nn.Module):
    """``rearrange(x, 'b d (h ph) (w pw) -> b (ph pw) (h w) d')`` and back."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(D, 3 * D, bias=False), nn.Linear(D, D)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        b, d, h, w = x.shape
        y = x.reshape(b, d, h // 2, 2, w // 2, 2).permute(0, 3, 5, 2, 4, 1).reshape(b, 4, -1, d)
        q, k, v = (
            t.reshape(b, 4, -1, 2, d // 2).transpose(2, 3) for t in self.qkv(y).chunk(3, dim=-1)
        )
        dots = torch.matmul(q, k.transpose(-1, -2)) * (d // 2) ** -0.5
        out = torch.matmul(dots.softmax(-1), v).transpose(2, 3).reshape(b, 4, -1, d)
        y = y + self.proj(out)
        y = y.reshape(b, 2, 2, h // 2, w // 2, d).permute(0, 5, 3, 1, 4, 2).reshape(b, d, h, w)
        return y


class RelativePositions(nn.Module):
    """A learned table of biases, indexed by a buffer, as in Swin and LeViT."""

    relative_position_index: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(D, 3 * D)
        self.table = nn.Parameter(torch.randn(49, 2))
        ys, xs = torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")
        flat = torch.stack([ys, xs]).flatten(1)
        relative = (flat[:, :, None] - flat[:, None, :]).permute(1, 2, 0) + 3
        self.register_buffer("relative_position_index", relative[..., 0] * 7 + relative[..., 1])

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = tokens(functional.avg_pool2d(x, 2))
        q, k, v = self.qkv(x).reshape(len(x), 16, 3, 2, 4).permute(2, 0, 3, 1, 4)
        bias = self.table[self.relative_position_index.view(-1)].view(16, 16, -1).permute(2, 0, 1)
        attn = torch.softmax(q @ k.transpose(-2, -1) * 0.5 + bias.unsqueeze(0), dim=-1)
        return (attn @ v).transpose(1, 2).reshape(len(x), 16, D)


class Einsums(nn.Module):
    """Attention by ``einsum``, heads in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k = nn.Linear(D, D, bias=False), nn.Linear(D, D, bias=False)
        self.v = nn.Linear(D, D, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = tokens(x)
        q, k, v = (layer(x).reshape(len(x), -1, 2, 4) for layer in (self.q, self.k, self.v))
        energy = torch.einsum("bqhd,bkhd->bhqk", [q, k])
        attention = torch.softmax(energy / (4**0.5), dim=3)
        return torch.einsum("bhqk,bkhd->bqhd", [attention, v]).reshape(len(x), -1, D)


class RmsNorm(nn.Module):
    """Zhang and Sennrich, arXiv:1910.07467, as LLaMA writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D))

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = tokens(x)
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class NonLocal(nn.Module):
    """Wang et al., arXiv:1711.07971: attention of 1x1 convolutions with views."""

    def __init__(self) -> None:
        super().__init__()
        self.theta, self.phi, self.g = (nn.Conv2d(D, 4, 1) for _ in range(3))
        self.out = nn.Conv2d(4, D, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        b = x.size(0)
        g = self.g(x).view(b, 4, -1).permute(0, 2, 1)
        theta = self.theta(x).view(b, 4, -1).permute(0, 2, 1)
        f = functional.softmax(torch.matmul(theta, self.phi(x).view(b, 4, -1)), dim=-1)
        y = torch.matmul(f, g).permute(0, 2, 1).contiguous().view(b, 4, *x.size()[2:])
        return self.out(y) + x


class DualAttention(nn.Module):
    """SAGAN's self attention with ``bmm`` and a learned factor."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (
            nn.Conv2d(D, 2, 1),
            nn.Conv2d(D, 2, 1),
            nn.Conv2d(D, D, 1),
        )
        self.gamma = nn.Parameter(torch.tensor([0.7]))

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        b, c, w, h = x.size()
        query = self.query(x).view(b, -1, w * h).permute(0, 2, 1)
        key = self.key(x).view(b, -1, w * h)
        attention = torch.softmax(torch.bmm(query, key), dim=-1)
        out = torch.bmm(self.value(x).view(b, -1, w * h), attention.permute(0, 2, 1))
        return self.gamma * out.view(b, c, w, h) + x


class ReducedAttention(nn.Module):
    """PVT: keys and values of a smaller map."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.kv, self.sr = (
            nn.Linear(D, D),
            nn.Linear(D, 2 * D),
            nn.Conv2d(D, D, 2, stride=2),
        )
        self.norm = nn.LayerNorm(D)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        B, C, H, W = x.shape
        y = tokens(x)
        q = self.q(y).reshape(B, H * W, 2, C // 2).permute(0, 2, 1, 3)
        small = self.norm(self.sr(x).reshape(B, C, -1).permute(0, 2, 1))
        k, v = self.kv(small).reshape(B, -1, 2, 2, C // 2).permute(2, 0, 3, 1, 4)
        attn = ((q @ k.transpose(-2, -1)) * (C // 2) ** -0.5).softmax(dim=-1)
        return (attn @ v).transpose(1, 2).reshape(B, H * W, C)


class ClassAttention(nn.Module):
    """A learned query pools the tokens (CaiT, CLIP's pooling)."""

    def __init__(self) -> None:
        super().__init__()
        self.probe = nn.Parameter(torch.randn(1, 1, D))
        self.attention = nn.MultiheadAttention(D, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = tokens(x)
        return self.attention(self.probe.repeat(x.shape[0], 1, 1), x, x, need_weights=False)[0][
            :, 0
        ]


class Mixer(nn.Module):
    """MLP-Mixer: a linear layer over tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.mix = (
            nn.LayerNorm(D),
            nn.Sequential(nn.Linear(16, 16), nn.GELU(), nn.Linear(16, 16)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = tokens(functional.max_pool2d(x, 2))
        return x + self.mix(self.norm(x).transpose(1, 2)).transpose(1, 2)


class Gated(nn.Module):
    """SwiGLU: one half gates the other."""

    def __init__(self) -> None:
        super().__init__()
        self.w12, self.w3 = nn.Linear(D, 24), nn.Linear(12, D)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        a, b = self.w12(tokens(x)).chunk(2, dim=-1)
        return self.w3(functional.silu(a) * b)


class ConvolutionalPositions(nn.Module):
    """CPVT and EdgeViT: tokens go back to a map for a depthwise convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.proj = ViTBlock(), nn.Conv2d(D, D, 3, 1, 1, groups=D)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        B, C, H, W = x.shape
        y = self.block(tokens(x))
        feature = y.transpose(1, 2).view(B, C, H, W)
        return (self.proj(feature) + feature).flatten(2).transpose(1, 2)


def _cls_by_copy(m: Any, x: Tensor) -> Tensor:
    y = x.new_zeros(len(x), 65, D)
    y[:, 0] = m.cls
    y[:, 1:] = tokens(x)
    result: Tensor = m.block(y + m.positions)
    return result[:, 0]


def _rope(m: Any, x: Tensor) -> Tensor:
    q, k, v = m.qkv(tokens(x)).chunk(3, -1)

    def turned(t: Tensor) -> Tensor:
        half = torch.cat((-t[..., 4:], t[..., :4]), -1)
        return t * m.cos + half * m.sin

    return functional.scaled_dot_product_attention(
        turned(q)[:, None], turned(k)[:, None], v[:, None]
    )[:, 0]


def _angles() -> dict[str, Tensor]:
    angles = torch.outer(torch.arange(64), 1 / 10 ** torch.arange(0, 1, 0.25)).repeat(1, 2)
    return {"cos": angles.cos(), "sin": angles.sin()}


def _causal(m: Any, x: Tensor) -> Tensor:
    q, k, v = m.qkv(tokens(x)).split(D, dim=2)
    att = (q @ k.transpose(-2, -1)) * (1.0 / D**0.5)
    att = att.masked_fill(m.mask[:64, :64] == 0, float("-inf"))
    return functional.softmax(att, dim=-1) @ v


BLOCKS: dict[str, Callable[[], nn.Module]] = {
    "ViT": VisionTransformer,
    "patches by nn.Unfold": PatchesByUnfold,
    "patches by rearrange": PatchesByRearrange,
    "MobileViT's unfold by rearrange": MobileViTUnfold,
    "relative positions": RelativePositions,
    "attention by einsum": Einsums,
    "RMSNorm": RmsNorm,
    "nn.RMSNorm": lambda: Block(lambda m, x: m.norm(tokens(x)), norm=nn.RMSNorm(D)),
    "non-local block": NonLocal,
    "self attention of SAGAN": DualAttention,
    "reduced attention": ReducedAttention,
    "class attention": ClassAttention,
    "MLP-Mixer": Mixer,
    "SwiGLU": Gated,
    "convolutional positions": ConvolutionalPositions,
    "fused attention": lambda: Block(
        lambda m, x: functional.scaled_dot_product_attention(*(t.unflatten(-1, (2, 4)).transpose(1, 2) for t in m.qkv(tokens(x)).chunk(3, -1))).transpose(1, 2).flatten(2),
        qkv=nn.Linear(D, 3 * D),
    ),
    "nn.MultiheadAttention, batch first": lambda: Block(
        lambda m, x: m.attn(tokens(x), tokens(x), tokens(x))[0], attn=nn.MultiheadAttention(D, 2, batch_first=True)
    ),
    "nn.MultiheadAttention, sequence first": lambda: Block(
        lambda m, x: m.attn(*[x.flatten(2).permute(2, 0, 1)] * 3)[0].permute(1, 0, 2), attn=nn.MultiheadAttention(D, 2)
    ),
    "nn.TransformerEncoderLayer": lambda: Block(
        lambda m, x: m.layer(tokens(x)), layer=nn.TransformerEncoderLayer(D, 2, 16, batch_first=True)
    ),
    "nn.TransformerEncoder": lambda: Block(
        lambda m, x: m.encoder(x.flatten(2).permute(2, 0, 1)).mean(0),
        encoder=nn.TransformerEncoder(nn.TransformerEncoderLayer(D, 2, 16, norm_first=True), 2, nn.LayerNorm(D), enable_nested_tensor=False),
    ),
    "a class token by slices": lambda: Block(
        _cls_by_copy, cls=nn.Parameter(torch.randn(D)), positions=nn.Parameter(torch.randn(65, D)), block=ViTBlock()
    ),
    "rotary positions": lambda: Block(_rope, qkv=nn.Linear(D, 3 * D), **_angles()),
    "causal attention of nanoGPT": lambda: Block(_causal, qkv=nn.Linear(D, 3 * D), mask=torch.ones(64, 64).tril()),
}  # fmt: skip
