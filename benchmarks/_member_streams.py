"""The channels of the family members that a factor can be moved through, for outlier variants.

A power of two passes additions, pooling, ReLU, products and layers that read a channel alone. It
does not pass GELU, SiLU, ReLU6 and LayerNorm. Streams behind those are not listed.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from hyq_hls.models import MobileFormer
from hyq_hls.models.mobile_former import DownsampleBlock, PlainBlock, SameSizeBlock
from hyq_hls.models.outliers import Stream

Affine = nn.BatchNorm2d | nn.Linear | nn.Conv2d


def mobilevitv2(model: Any) -> list[Stream]:
    """List what bottlenecks and attention blocks pass on, and the values of every attention."""
    found = []
    blocks = [block for stage in model.stages for block in stage]
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        attends = hasattr(block, "transformer")
        stream = Stream(_rows((block.conv_proj if attends else block.conv3_1x1).bn))
        if following is None:
            stream.read.append(_columns(model.head.fc))
        elif hasattr(following, "transformer"):
            stream.read.append(following.conv_kxk.conv.weight)  # of single channels
        else:
            stream.read.append(_columns(following.conv1_1x1.conv))
        found.append(stream)
        for layer in block.transformer if attends else ():
            start = 1 + layer.attn.embed_dim  # behind the query and the keys
            values = [tensor[start:] for tensor in _rows(layer.attn.qkv_proj)]
            found.append(Stream(values, [_columns(layer.attn.out_proj)]))
    return found


def efficientformer(model: Any) -> list[Stream]:
    """List the streams of the stages without tokens, and the values of every attention."""
    found = []
    *stages, last = model.stages
    for index, stage in enumerate(stages):
        stream = Stream(_rows(stage.downsample.norm if index else model.stem.norm2))
        for block in stage.blocks:
            stream.written += _rows(block.mlp.norm2)
            stream.read.append(_columns(block.mlp.fc1))
        stream.read.append(_columns(model.stages[index + 1].downsample.conv))
        found.append(stream)
    for block in last.blocks:
        if hasattr(mixer := getattr(block, "token_mixer", None), "qkv"):
            assert mixer is not None
            heads, key, value = mixer.num_heads, mixer.key_dim, mixer.val_dim
            # Every head has its queries, keys and values beside each other.
            rows = torch.arange(heads * (2 * key + value)).reshape(heads, -1)[:, 2 * key :]
            for head, mine in enumerate(rows.tolist()):
                part = slice(mine[0], mine[-1] + 1)
                written = [tensor[part] for tensor in _rows(mixer.qkv)]
                columns = _columns(mixer.proj)[head * value : (head + 1) * value]
                found.append(Stream(written, [columns]))
    return found


def efficientformerv2(model: Any) -> list[Stream]:
    """List the streams of the stages that begin with a convolution without GELU behind it."""
    found = []
    stages = list(model.stages)
    for stage, following in zip(stages, [*stages[1:], None], strict=True):
        if isinstance(stage.downsample, nn.Identity):
            continue
        stream = Stream(_rows(stage.downsample.conv.bn))
        if stage.downsample.attn is not None:
            stream.written += _rows(stage.downsample.attn.proj.bn)
        for block in stage.blocks:
            stream.written += _rows(block.mlp.fc2.bn)
            stream.read.append(_columns(block.mlp.fc1.conv))
            if (mixer := block.token_mixer) is None:
                continue
            stream.written += _rows(mixer.proj.bn)
            if mixer.stride_conv is None:
                stream.read += [_columns(part.conv) for part in (mixer.q, mixer.k, mixer.v)]
            else:
                stream.read.append(mixer.stride_conv.conv.weight)  # of single channels
        if following is None:
            stream.written.append(model.norm.running_mean)
            stream.read.append(model.norm.weight)
        else:
            attn = following.downsample.attn
            # The queries add a convolution of single channels to the stream; both keep the factor.
            stream.written.append(attn.q.local.bias)
            stream.read += [_columns(part.conv) for part in (attn.q.proj, attn.k, attn.v)]
            stream.read.append(_columns(following.downsample.conv.conv))
        found.append(stream)
    return found


def mobile_former(model: MobileFormer) -> list[Stream]:
    """List the maps between the blocks; both bridges read them."""
    found: list[Stream] = []
    stream: Stream | None = None  # that this block reads; ReLU6 is behind the stem
    for block in model.features:
        if isinstance(block, PlainBlock):
            stream = Stream(_rows(block.conv[-1]))
            found.append(stream)
            continue
        assert isinstance(block, SameSizeBlock | DownsampleBlock)
        if stream:
            stream.read += _bridge(block.local_global)
            first = block.conv1[0]
            assert isinstance(first, nn.Conv2d)
            alone = first.groups > 1  # It reads single channels, each several times.
            stream.read.append(
                first.weight.unflatten(0, (first.groups, -1)) if alone else _columns(first)
            )
        if isinstance(block, SameSizeBlock):
            if stream is None or not block.residual:
                stream = Stream()
                found.append(stream)
            stream.written += _rows(block.conv3[1])
        else:
            stream = Stream([*_rows(block.conv2[1]), *_rows(block.conv4[1])])
            found.append(stream)
            inner = block.conv3[0]
            assert isinstance(inner, nn.Conv2d)
            stream.read.append(inner.weight.unflatten(0, (inner.groups, -1)))
        stream.written += _rows(block.global_local.proj)
        stream.read += _rows(block.global_local.k)
    if stream:
        stream.read += [*_bridge(model.local_global), _columns(model.classifier.conv[1])]
    return found


def _bridge(bridge: Any) -> list[torch.Tensor]:
    """Return what undoes the factors of keys and of values that are the map itself."""
    return [*_rows(bridge.q), _columns(bridge.proj)]


def _rows(layer: Any) -> list[torch.Tensor]:
    return [tensor for tensor in (layer.weight, layer.bias) if tensor is not None]


def _columns(layer: Any) -> torch.Tensor:
    columns: torch.Tensor = layer.weight.transpose(0, 1)
    return columns
