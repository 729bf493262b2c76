"""Make networks that are hard to quantize: the same function with outlier channels inside."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import nn

from hyq_hls.errors import InputError
from hyq_hls.models.mobilevit import (
    ConvNormAct,
    InvertedResidual,
    MobileViT,
    MobileViTBlock,
    TransformerLayer,
)


def with_outliers(
    model: MobileViT, factor: int, *, share: float = 1 / 8, seed: int = 0
) -> MobileViT:
    """Return a copy whose project-to-expand streams and attention values have channels scaled up.

    What writes a channel is multiplied by ``factor``, what reads it is divided by it. Both are
    exact for a power of two, so that the output is the same to the bit, while one scale for a whole
    tensor leaves few codes to the other channels.

    Args:
        model: in evaluation mode; not changed.
        factor: a power of two, such as 16 or 64.
        share: share of the channels of every tensor that are scaled; at least one.
        seed: seed of the choice of channels.

    Raises:
        InputError: the factor is no power of two.
    """
    if factor < 1 or factor & (factor - 1):
        raise InputError(f"factor {factor}: a power of two is wanted, so that nothing is rounded")
    changed = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for stream in _streams(changed):
            channels = stream.writers[0].num_features
            count = max(1, int(share * channels))
            chosen = torch.randperm(channels, generator=generator)[:count]
            for normalization in stream.writers:
                normalization.weight[chosen] *= factor
                normalization.bias[chosen] *= factor
            for convolution in stream.readers:
                convolution.weight[:, chosen] /= factor
        for layer in changed.modules():
            if isinstance(layer, TransformerLayer):
                dim = layer.attn.proj.in_features
                count = max(1, int(share * dim))
                chosen = torch.randperm(dim, generator=generator)[:count]
                layer.attn.qkv.weight[2 * dim + chosen] *= factor
                layer.attn.qkv.bias[2 * dim + chosen] *= factor
                layer.attn.proj.weight[:, chosen] /= factor
    return changed


@dataclass
class _Stream:
    """A residual stream.

    Attributes:
        writers: normalizations whose outputs are added to the stream.
        readers: convolutions that read the stream.
    """

    writers: list[nn.BatchNorm2d]
    readers: list[nn.Conv2d]


def _streams(model: MobileViT) -> list[_Stream]:
    """List every residual stream; who reads it reads its channels first."""
    blocks = [block for stage in model.stages.children() for block in stage.children()]
    found: list[_Stream] = []
    stream: _Stream | None = None  # that this block reads
    for block in blocks:
        if isinstance(block, InvertedResidual):
            if stream:
                stream.readers.append(_conv(block.conv1_1x1))
            if not block.residual:
                stream = _Stream([], [])
                found.append(stream)
            if stream:
                stream.writers.append(_normalization(block.conv3_1x1))
        elif stream and isinstance(block, MobileViTBlock):
            # It reads the stream twice; what it writes went through SiLU, which knows no factor.
            stream.readers += [_conv(block.conv_kxk), _conv(block.conv_fusion)]
            stream = None
    if stream:
        stream.readers.append(_conv(model.final_conv))
    return found


def _conv(block: ConvNormAct) -> nn.Conv2d:
    assert isinstance(block.conv, nn.Conv2d)
    return block.conv


def _normalization(block: ConvNormAct) -> nn.BatchNorm2d:
    assert isinstance(block.bn, nn.BatchNorm2d)
    return block.bn
