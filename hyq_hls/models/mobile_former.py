"""Mobile-Former in float, with the public names of its parameters.

Architecture: Chen et al., "Mobile-Former: Bridging MobileNet and Transformer", arXiv 2108.05895. A
few learned tokens meet the map in every block: they attend to the map (a bridge), to each other,
and the map attends to them (the other bridge). The first token decides the slopes of the block's
dynamic ReLUs. Names and shapes of the parameters are those of the authors' PyTorch code, so that
``load_state_dict(its_state_dict, strict=True)`` works.

Input of every network here: float ``(B, C, H, W)``. Output: logits ``(B, num_classes)``. Published
weights take images less ImageNet's mean, over its deviation.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from hyq_hls.models.mobile_former_config import MobileFormerBlockConfig, MobileFormerConfig

#: Heads of the attention among tokens.
_TOKEN_HEADS = 4


class ChannelShuffle(nn.Module):
    """The transposition of channels ``(groups, C / groups)``; ``(B, C, H, W) -> same``."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(B, C, H, W)`` to ``(B, C, H, W)``."""
        return x.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)


def _shuffle(groups: int, of: int) -> nn.Module:
    """Return the shuffle of ``of`` groups before a convolution with groups, else nothing."""
    return ChannelShuffle(of) if groups > 1 else nn.Sequential()


def _pointwise(inputs: int, outputs: int, groups: int) -> list[nn.Module]:
    """Return a 1x1 convolution and its normalization."""
    return [nn.Conv2d(inputs, outputs, 1, groups=groups, bias=False), nn.BatchNorm2d(outputs)]


def _depthwise(inputs: int, expansion: int, stride: int = 1) -> list[nn.Module]:
    """Return a 3x3 convolution of single channels and its normalization."""
    outputs = inputs * expansion
    conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, groups=inputs, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class DynamicReLU(nn.Module):
    """``max(a1 * x, a2 * x)`` whose slopes per channel come from a token (arXiv 2003.10027).

    With ``u`` of the perceptron, ``a1 = 2 * hardsigmoid(u)`` and ``a2 = 2 * hardsigmoid(u) - 1``.
    These are the clamps below, because ``hardsigmoid(u) = clamp(u / 6 + 1 / 2, 0, 1)``.
    """

    def __init__(self, token_dim: int, channels: int) -> None:
        super().__init__()
        hidden = token_dim // 4
        self.hyper = nn.Sequential(
            nn.Linear(token_dim, hidden), nn.ReLU(), nn.Linear(hidden, 2 * channels)
        )

    def forward(self, x: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
        """Map ``(B, C, H, W)`` and a token ``(B, token_dim)`` to ``(B, C, H, W)``."""
        upper, lower = (self.hyper(token) / 3).chunk(2, dim=1)
        upper = functional.hardtanh(upper + 1, 0.0, 2.0)
        lower = functional.hardtanh(lower)
        return torch.maximum(x * upper[:, :, None, None], x * lower[:, :, None, None])


def _split(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Map ``(B, N, C)`` to ``(B, heads, N, C / heads)``."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int) -> torch.Tensor:
    """Return softmax attention of ``(B, N, C)`` over ``(B, M, C)``, as ``(B, N, C)``."""
    q, k, v = (_split(x, heads) for x in (q, k, v))
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


class MapToTokens(nn.Module):
    """The bridge from the map to the tokens: tokens attend to the positions of the map."""

    def __init__(self, channels: int, token_dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.alpha = nn.Sequential(nn.Linear(token_dim, channels))
        self.q = nn.Linear(token_dim, channels)
        self.proj = nn.Linear(channels, token_dim)
        self.layer_norm = nn.LayerNorm(token_dim)

    def forward(self, x: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Map ``(B, C, H, W)`` and ``(B, T, token_dim)`` to ``(B, T, token_dim)``."""
        positions = x.flatten(2).transpose(1, 2)
        found = _attend(self.q(tokens), positions, positions, self.heads)
        # Twice the hard sigmoid of the authors' code.
        gate = functional.hardtanh(self.alpha(tokens) / 3 + 1, 0.0, 2.0)
        result: torch.Tensor = self.layer_norm(tokens + self.proj(found * gate))
        return result


class TokenBlock(nn.Module):
    """Attention among the tokens and a feed-forward part, each normalized behind its sum."""

    def __init__(self, token_dim: int) -> None:
        super().__init__()
        self.q = nn.Linear(token_dim, token_dim)
        self.channel_mlp = nn.Linear(token_dim, token_dim)
        self.layer_norm = nn.LayerNorm(token_dim)
        self.ffn = nn.Sequential(
            nn.Linear(token_dim, 2 * token_dim), nn.GELU(), nn.Linear(2 * token_dim, token_dim)
        )
        self.ffn_norm = nn.LayerNorm(token_dim)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map ``(B, T, token_dim)`` to ``(B, T, token_dim)``."""
        found = _attend(self.q(tokens), tokens, tokens, _TOKEN_HEADS)
        tokens = self.layer_norm(tokens + self.channel_mlp(found))
        result: torch.Tensor = self.ffn_norm(tokens + self.ffn(tokens))
        return result


class TokensToMap(nn.Module):
    """The bridge from the tokens to the map: positions of the map attend to the tokens."""

    def __init__(self, channels: int, token_dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k = nn.Linear(token_dim, channels)
        self.proj = nn.Linear(token_dim, channels)

    def forward(self, x: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Map ``(B, C, H, W)`` and ``(B, T, token_dim)`` to ``(B, C, H, W)``."""
        positions = x.flatten(2).transpose(1, 2)
        found = _attend(positions, self.k(tokens), self.proj(tokens), self.heads)
        return x + found.transpose(1, 2).unflatten(2, x.shape[2:])


class PlainBlock(nn.Module):
    """Depthwise and 1x1 convolution, without tokens; the input is added where shapes allow."""

    def __init__(self, inputs: int, config: MobileFormerBlockConfig, groups: int) -> None:
        super().__init__()
        self.residual = config.stride == 1 and inputs == config.channels
        self.conv = nn.Sequential(
            *_depthwise(inputs, config.expansion, config.stride),
            nn.ReLU6(),
            _shuffle(groups, inputs),
            *_pointwise(inputs * config.expansion, config.channels, groups),
        )

    def forward(self, x: torch.Tensor, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map ``(B, I, H, W)`` to ``(B, O, H', W')``; the tokens stay as they are."""
        y = self.conv(x)
        return (y + x if self.residual else y), tokens


class MobileFormerBlock(nn.Module):
    """The part that both kinds of blocks share: the way of the tokens, and both bridges."""

    def __init__(
        self, inputs: int, block: MobileFormerBlockConfig, net: MobileFormerConfig
    ) -> None:
        super().__init__()
        self.local_global = MapToTokens(inputs, net.token_dim, net.heads)
        self.global_block = TokenBlock(net.token_dim)
        self.global_local = TokensToMap(block.channels, net.token_dim, net.heads)

    def forward(self, x: torch.Tensor, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map ``(B, I, H, W)`` and ``(B, T, token_dim)`` to ``(B, O, H', W')`` and tokens."""
        tokens = self.global_block(self.local_global(x, tokens))
        return self.global_local(self.convolved(x, tokens[:, 0]), tokens), tokens

    def convolved(self, x: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
        """Map ``(B, I, H, W)`` to ``(B, O, H', W')``; the token decides the activations."""
        raise NotImplementedError


class SameSizeBlock(MobileFormerBlock):
    """Widen 1x1, depthwise 3x3, narrow 1x1, with dynamic ReLUs; stride 1."""

    def __init__(
        self, inputs: int, block: MobileFormerBlockConfig, net: MobileFormerConfig
    ) -> None:
        super().__init__(inputs, block, net)
        hidden, groups = inputs * block.expansion, net.groups
        self.residual = inputs == block.channels
        widen, narrow = (
            _pointwise(inputs, hidden, groups),
            _pointwise(hidden, block.channels, groups),
        )
        self.conv1 = nn.Sequential(*widen, _shuffle(groups, groups))
        self.hyper1 = DynamicReLU(net.token_dim, hidden)
        self.conv2 = nn.Sequential(*_depthwise(hidden, 1))
        self.hyper2 = DynamicReLU(net.token_dim, hidden)
        self.conv3 = nn.Sequential(*narrow, _shuffle(groups, groups))

    def convolved(self, x: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
        """Map ``(B, I, H, W)`` to ``(B, O, H, W)``."""
        y = self.hyper2(self.conv2(self.hyper1(self.conv1(x), token)), token)
        result: torch.Tensor = self.conv3(y)
        return result + x if self.residual else result


class DownsampleBlock(MobileFormerBlock):
    """Depthwise with stride and 1x1, then the same without stride around a sum."""

    def __init__(
        self, inputs: int, block: MobileFormerBlockConfig, net: MobileFormerConfig
    ) -> None:
        super().__init__(inputs, block, net)
        outputs, groups = block.channels, net.groups
        first, second = inputs * block.expansion, outputs * block.second_expansion
        down = _depthwise(inputs, block.expansion, block.stride)
        self.conv1 = nn.Sequential(*down, _shuffle(groups, inputs))
        self.hyper1 = DynamicReLU(net.token_dim, first)
        self.conv2 = nn.Sequential(*_pointwise(first, outputs, groups))
        widen = _depthwise(outputs, block.second_expansion)
        self.conv3 = nn.Sequential(*widen, _shuffle(groups, outputs))
        self.hyper3 = DynamicReLU(net.token_dim, second)
        self.conv4 = nn.Sequential(*_pointwise(second, outputs, groups))

    def convolved(self, x: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
        """Map ``(B, I, H, W)`` to ``(B, O, H / stride, W / stride)``."""
        y = self.conv2(self.hyper1(self.conv1(x), token))
        result: torch.Tensor = y + self.conv4(self.hyper3(self.conv3(y), token))
        return result


class Classifier(nn.Module):
    """Pool the map, put the first token beside it, and classify with a perceptron."""

    def __init__(self, channels: int, net: MobileFormerConfig) -> None:
        super().__init__()
        hidden, features = 6 * channels, net.features
        self.conv = nn.Sequential(
            _shuffle(net.groups, net.groups), *_pointwise(channels, hidden, net.groups)
        )
        self.fc = nn.Sequential(
            nn.Linear(hidden + net.token_dim, features), nn.BatchNorm1d(features), nn.Hardswish()
        )
        self.classifier = nn.Sequential(nn.Dropout(0.0), nn.Linear(features, net.num_classes))

    def forward(self, x: torch.Tensor, token: torch.Tensor) -> torch.Tensor:
        """Map ``(B, C, H, W)`` and ``(B, token_dim)`` to ``(B, num_classes)``."""
        pooled = functional.hardswish(functional.relu6(self.conv(x)).mean((2, 3)))
        logits: torch.Tensor = self.classifier(self.fc(torch.cat((pooled, token), dim=1)))
        return logits


class MobileFormer(nn.Module):
    """Mobile-Former as ``config`` describes it.

    Maps a float image ``(B, in_channels, H, W)`` to logits ``(B, num_classes)``, at any resolution.

    Attributes:
        config: the description.
        pretrained_cfg: mean and deviation of the images, under the names of timm; None where
            nobody has said them.
    """

    pretrained_cfg: Mapping[str, tuple[float, ...]] | None = None

    def __init__(self, config: MobileFormerConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.tokens, config.token_dim)
        channels = config.stem_channels
        self.stem = nn.Sequential(
            nn.Conv2d(config.in_channels, channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU6(),
        )
        blocks: list[nn.Module] = []
        for block in config.blocks:
            if block.plain:
                blocks.append(PlainBlock(channels, block, config.groups))
            else:
                kind = SameSizeBlock if block.stride == 1 else DownsampleBlock
                blocks.append(kind(channels, block, config))
            channels = block.channels
        self.features = nn.Sequential(*blocks)
        self.local_global = MapToTokens(channels, config.token_dim, config.heads)
        self.classifier = Classifier(channels, config)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute logits ``(B, num_classes)`` of images ``(B, in_channels, H, W)``."""
        x, tokens = self.stem(images), self.tokens.weight.expand(len(images), -1, -1)
        for block in self.features:
            x, tokens = block(x, tokens)
        logits: torch.Tensor = self.classifier(x, self.local_global(x, tokens)[:, 0])
        return logits


def _published(config: MobileFormerConfig) -> MobileFormer:
    """Return a network that says, as timm's do, which images its public weights take."""
    model = MobileFormer(config)
    model.pretrained_cfg = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    return model


def mobile_former_26m(num_classes: int = 1000) -> MobileFormer:
    """Build Mobile-Former-26M with random weights, for 224x224 and other images."""
    return _published(MobileFormerConfig.m26(num_classes))


def mobile_former_52m(num_classes: int = 1000) -> MobileFormer:
    """Build Mobile-Former-52M with random weights, for 224x224 and other images."""
    return _published(MobileFormerConfig.m52(num_classes))


def mobile_former_96m(num_classes: int = 1000) -> MobileFormer:
    """Build Mobile-Former-96M with random weights, for 224x224 and other images."""
    return _published(MobileFormerConfig.m96(num_classes))


def mobile_former_151m(num_classes: int = 1000) -> MobileFormer:
    """Build Mobile-Former-151M with random weights, for 224x224 and other images."""
    return _published(MobileFormerConfig.m151(num_classes))


def mobile_former_214m(num_classes: int = 1000) -> MobileFormer:
    """Build Mobile-Former-214M with random weights, for 224x224 and other images."""
    return _published(MobileFormerConfig.m214(num_classes))


def mobile_former_294m(num_classes: int = 1000) -> MobileFormer:
    """Build Mobile-Former-294M with random weights, for 224x224 and other images."""
    return _published(MobileFormerConfig.m294(num_classes))


def mobile_former_508m(num_classes: int = 1000) -> MobileFormer:
    """Build Mobile-Former-508M with random weights, for 224x224 and other images."""
    return _published(MobileFormerConfig.m508(num_classes))
