"""Make networks that are hard to quantize: the same function with outlier channels inside."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

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


@dataclass
class Stream:
    """Channels between those who write and those who read them, with no function of a factor.

    All tensors are views of parameters or statistics whose first axis is the channels.

    Attributes:
        written: tensors that are multiplied where a channel gets larger, as the rows of weights
            and biases of a layer that writes it.
        read: tensors that are divided, as the columns of weights of a layer that reads it.
    """

    written: list[torch.Tensor] = field(default_factory=list)
    read: list[torch.Tensor] = field(default_factory=list)

    @property
    def channels(self) -> int:
        """The number of channels."""
        return len(self.written[0])


def with_outliers(
    model: nn.Module,
    factor: int,
    *,
    share: float = 1 / 8,
    seed: int = 0,
    streams: Callable[[Any], Sequence[Stream]] | None = None,
) -> nn.Module:
    """Return a copy in which some channels of its streams are scaled up.

    What writes a channel is multiplied by ``factor``, what reads it is divided by it. Both are
    exact for a power of two, so that the output is the same to the bit, while one scale for a whole
    tensor leaves few codes to the other channels.

    Args:
        model: in evaluation mode; not changed.
        factor: a power of two, such as 16 or 64.
        share: share of the channels of every stream that are scaled; at least one.
        seed: seed of the choice of channels.
        streams: lists the streams of a model; None: :func:`mobilevit_streams`.

    Raises:
        InputError: the factor is no power of two.
    """
    if factor < 1 or factor & (factor - 1):
        raise InputError(f"factor {factor}: a power of two is wanted, so that nothing is rounded")
    changed = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for stream in (streams or mobilevit_streams)(changed):
            count = max(1, int(share * stream.channels))
            chosen = torch.randperm(stream.channels, generator=generator)[:count]
            for tensor in stream.written:
                tensor[chosen] *= factor
            for tensor in stream.read:
                tensor[chosen] /= factor
    return changed


def mobilevit_streams(model: nn.Module) -> list[Stream]:
    """List the project-to-expand streams, then the values of every attention."""
    values = [layer for layer in model.modules() if isinstance(layer, TransformerLayer)]
    assert isinstance(model, MobileViT)
    return [*_residual_streams(model), *map(_values, values)]


def _residual_streams(model: MobileViT) -> list[Stream]:
    """List every residual stream; who reads it reads its channels first."""
    blocks = [block for stage in model.stages.children() for block in stage.children()]
    found: list[Stream] = []
    stream: Stream | None = None  # that this block reads
    for block in blocks:
        if isinstance(block, InvertedResidual):
            if stream:
                stream.read.append(_columns(block.conv1_1x1))
            if not block.residual:
                stream = Stream()
                found.append(stream)
            if stream:
                stream.written += _rows(block.conv3_1x1)
        elif stream and isinstance(block, MobileViTBlock):
            # It reads the stream twice; what it writes went through SiLU, which knows no factor.
            stream.read += [_columns(block.conv_kxk), _columns(block.conv_fusion)]
            stream = None
    if stream:
        stream.read.append(_columns(model.final_conv))
    return found


def _values(layer: TransformerLayer) -> Stream:
    qkv, proj = layer.attn.qkv, layer.attn.proj
    start = 2 * proj.in_features
    return Stream([qkv.weight[start:], qkv.bias[start:]], [proj.weight.T])


def _columns(block: ConvNormAct) -> torch.Tensor:
    assert isinstance(block.conv, nn.Conv2d)
    return block.conv.weight.transpose(0, 1)


def _rows(block: ConvNormAct) -> list[torch.Tensor]:
    assert isinstance(block.bn, nn.BatchNorm2d)
    return [block.bn.weight, block.bn.bias]
