"""MobileViT v1 in float, with the public names of its parameters.

Architecture: Mehta and Rastegari, "MobileViT", arXiv 2110.02178. Names, shapes and order of the
operations follow the widespread PyTorch edition (``mobilevit_xxs/xs/s`` of timm 1.0), so that
``load_state_dict(its_state_dict, strict=True)`` works and the logits are the same.

Input of every network here: float ``(B, C, H, W)`` in [0, 1], which is a byte over 255 and nothing
else (mean 0, deviation 1). Output: logits ``(B, num_classes)``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from hyq_hls.errors import ShapeError
from hyq_hls.models.checkpoint import load_weights
from hyq_hls.models.config import MobileViTConfig, StageConfig, TransformerConfig

#: Trained weights of ``mobilevit_digits``; the JSON beside them records their accuracy.
DIGITS_CHECKPOINT = Path(__file__).parent / "checkpoints" / "mobilevit_digits.npz"
#: Trained weights of ``mobilevit_clutter``, with such a JSON too.
CLUTTER_CHECKPOINT = DIGITS_CHECKPOINT.with_name("mobilevit_clutter.npz")


class ConvNormAct(nn.Module):
    """Convolution without bias, batch normalization, and SiLU unless ``act`` is False.

    ``(B, I, H, W) -> (B, O, ceil(H / stride), ceil(W / stride))``; ``kernel`` is odd, padding is
    ``kernel // 2``.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(outputs)
        self.act = nn.SiLU() if act else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(B, I, H, W)`` to ``(B, O, H', W')``."""
        y: torch.Tensor = self.act(self.bn(self.conv(x)))
        return y


class InvertedResidual(nn.Module):
    """MobileNetV2 block: widen 1x1, depthwise 3x3, narrow 1x1 without activation.

    The input is added when the block changes neither channels nor size.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        self.conv1_1x1 = ConvNormAct(inputs, middle, 1)
        self.conv2_kxk = ConvNormAct(middle, middle, 3, stride=stride, groups=middle)
        self.conv3_1x1 = ConvNormAct(middle, outputs, 1, act=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(B, I, H, W)`` to ``(B, O, H', W')``."""
        y: torch.Tensor = self.conv3_1x1(self.conv2_kxk(self.conv1_1x1(x)))
        return y + x if self.residual else y


class Attention(nn.Module):
    """Multi-head self-attention over the patches of one pixel position: ``(G, N, C) -> (G, N, C)``.

    Output ``o`` of ``qkv`` belongs to part ``o // C`` (query, key, value) and head
    ``(o % C) // (C / heads)``; scores are scaled by ``(C / heads) ** -0.5``.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(G, N, C)`` to ``(G, N, C)``."""
        groups, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(groups, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        heads = functional.scaled_dot_product_attention(q, k, v)
        y: torch.Tensor = self.proj(heads.transpose(1, 2).reshape(groups, tokens, dim))
        return y


class Mlp(nn.Module):
    """Feed-forward part: linear, SiLU, linear; ``(..., C) -> (..., C)``."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.act = nn.SiLU()
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(..., C)`` to ``(..., C)``."""
        y: torch.Tensor = self.fc2(self.act(self.fc1(x)))
        return y


class TransformerLayer(nn.Module):
    """Attention and feed-forward part, each normalized first and added: ``(G, N, C) -> same``."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim)
        self.attn = Attention(config.dim, config.heads)
        self.norm2 = nn.LayerNorm(config.dim)
        self.mlp = Mlp(config.dim, config.dim * config.mlp_ratio)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(G, N, C)`` to ``(G, N, C)``."""
        x = x + self.attn(self.norm1(x))
        y: torch.Tensor = x + self.mlp(self.norm2(x))
        return y


class MobileViTBlock(nn.Module):
    """Local convolutions, a transformer across patches, and fusion with the input.

    ``(B, channels, H, W) -> same``; H and W are multiples of the patch ``(ph, pw)``. The
    transformer sees ``(B * P, N, dim)``: each of the P pixels of a patch attends to the same pixel
    of all N patches. Token ``(p = a * pw + b, n = i * nw + j)`` is pixel
    ``(i * ph + a, j * pw + b)``.
    """

    def __init__(self, channels: int, config: TransformerConfig) -> None:
        super().__init__()
        self.patch = config.patch
        self.conv_kxk = ConvNormAct(channels, channels, 3)
        self.conv_1x1 = nn.Conv2d(channels, config.dim, 1, bias=False)
        self.transformer = nn.Sequential(*(TransformerLayer(config) for _ in range(config.depth)))
        self.norm = nn.LayerNorm(config.dim)
        self.conv_proj = ConvNormAct(config.dim, channels, 1)
        self.conv_fusion = ConvNormAct(2 * channels, channels, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(B, channels, H, W)`` to ``(B, channels, H, W)``."""
        y: torch.Tensor = self.conv_1x1(self.conv_kxk(x))
        height, width = y.shape[2:]
        y = self.norm(self.transformer(self._unfold(y)))
        y = self.conv_proj(self._fold(y, height, width))
        y = self.conv_fusion(torch.cat((x, y), dim=1))
        return y

    def _unfold(self, x: torch.Tensor) -> torch.Tensor:
        """Unfold ``(B, C, H, W)`` to ``(B * P, N, C)``.

        The order of the views is the public one, so that one pattern finds both in a graph.
        """
        ph, pw = self.patch
        batch, dim, height, width = x.shape
        rows, columns = height // ph, width // pw
        x = x.reshape(batch * dim * rows, ph, columns, pw).transpose(1, 2)
        x = x.reshape(batch, dim, rows * columns, ph * pw).transpose(1, 3)
        return x.reshape(batch * ph * pw, rows * columns, dim)

    def _fold(self, x: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Fold ``(B * P, N, C)`` to ``(B, C, H, W)``; the inverse of ``_unfold``."""
        ph, pw = self.patch
        groups, tokens, dim = x.shape
        batch, rows, columns = groups // (ph * pw), height // ph, width // pw
        x = x.contiguous().view(batch, ph * pw, tokens, dim).transpose(1, 3)
        x = x.reshape(batch * dim * rows, columns, ph, pw).transpose(1, 2)
        return x.reshape(batch, dim, height, width)


class ClassifierHead(nn.Module):
    """Average over the map, then a linear layer: ``(B, C, H, W) -> (B, num_classes)``."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(B, C, H, W)`` to ``(B, num_classes)``."""
        logits: torch.Tensor = self.fc(x.mean((2, 3)))
        return logits


class MobileViT(nn.Module):
    """MobileViT v1 as ``config`` describes it.

    Maps a float image ``(B, in_channels, H, W)`` in [0, 1] to logits ``(B, num_classes)``. H and W
    are multiples of ``config.image_multiple``.
    """

    def __init__(self, config: MobileViTConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = ConvNormAct(config.in_channels, config.stem_channels, 3, stride=2)
        stages = []
        channels = config.stem_channels
        for stage in config.stages:
            stages.append(_stage(channels, stage))
            channels = stage.channels
        self.stages = nn.Sequential(*stages)
        self.final_conv = ConvNormAct(channels, config.head_channels, 1)
        self.head = ClassifierHead(config.head_channels, config.num_classes)
        self.apply(_initialize)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Compute logits ``(B, num_classes)`` of images ``(B, in_channels, H, W)``.

        Raises:
            ShapeError: (a ValueError) the images are not a float NCHW batch of the right number
                of channels, or a map does not divide into patches; see
                ``MobileViTConfig.check_image_size``.
        """
        channels = self.config.in_channels
        if images.ndim != 4 or images.shape[1] != channels or not torch.is_floating_point(images):
            raise ShapeError(
                f"MobileViT takes a float tensor (B, {channels}, H, W) in [0, 1], found "
                f"{images.dtype} {tuple(images.shape)}; divide bytes by 255 and move the "
                "channels in front of the height"
            )
        self.config.check_image_size(images.shape[2], images.shape[3])
        logits: torch.Tensor = self.head(self.final_conv(self.stages(self.stem(images))))
        return logits


def mobilevit_xxs(num_classes: int = 1000) -> MobileViT:
    """Build MobileViT-xxs with random weights, for 256x256 images and other multiples of 64."""
    return MobileViT(MobileViTConfig.xxs(num_classes))


def mobilevit_xs(num_classes: int = 1000) -> MobileViT:
    """Build MobileViT-xs with random weights, for 256x256 images and other multiples of 64."""
    return MobileViT(MobileViTConfig.xs(num_classes))


def mobilevit_s(num_classes: int = 1000) -> MobileViT:
    """Build MobileViT-s with random weights, for 256x256 images and other multiples of 64."""
    return MobileViT(MobileViTConfig.s(num_classes))


def mobilevit_digits(pretrained: bool = True) -> MobileViT:
    """Build the small default for 32x32 images and 10 classes: 115 k parameters, 4.2 M MACs.

    Args:
        pretrained: load the trained weights that come with the package and switch to evaluation
            mode; otherwise random weights, in training mode.

    Raises:
        FileFormatError: the checkpoint is missing or damaged.
    """
    return _small(MobileViTConfig.digits(), DIGITS_CHECKPOINT, pretrained)


def mobilevit_clutter(pretrained: bool = True) -> MobileViT:
    """Build the network of the notebooks for 32x32 images of cluttered digits: 23 k parameters.

    It has one MobileViT block, and it is not perfect at its task, so that its accuracy shows what a
    recipe of quantization costs. ``hyq_hls.models.clutter`` makes its images.

    Args:
        pretrained: load the trained weights that come with the package and switch to evaluation
            mode; otherwise random weights, in training mode.

    Raises:
        FileFormatError: the checkpoint is missing or damaged.
    """
    return _small(MobileViTConfig.clutter(), CLUTTER_CHECKPOINT, pretrained)


def _small(config: MobileViTConfig, checkpoint: Path, pretrained: bool) -> MobileViT:
    """Build a network of the package, with its trained weights in evaluation mode if wanted."""
    model = MobileViT(config)
    if pretrained:
        load_weights(model, checkpoint)
        model.eval()
    return model


def _stage(inputs: int, config: StageConfig) -> nn.Sequential:
    blocks: list[nn.Module] = []
    for index in range(config.depth):
        stride = config.stride if index == 0 else 1
        blocks.append(
            InvertedResidual(inputs, config.channels, stride=stride, expansion=config.expansion)
        )
        inputs = config.channels
    if config.transformer is not None:
        blocks.append(MobileViTBlock(config.channels, config.transformer))
    return nn.Sequential(*blocks)


def _initialize(module: nn.Module) -> None:
    """Initialize convolutions as He et al. by fan-out, linear layers by a truncated normal."""
    if isinstance(module, nn.Conv2d):
        fan_out = module.out_channels * module.kernel_size[0] * module.kernel_size[1]
        nn.init.normal_(module.weight, std=(2 * module.groups / fan_out) ** 0.5)
    elif isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
