"""Small members of the families that the papers quantize, of timm's modules and our own.

Each is its family in reduced width: every kind of block and of operation is there, for images of
32x32 pixels, with far below 300,000 parameters. Input: float ``(B, 3, 32, 32)`` within 0..1.
Output: logits ``(B, 10)``. Layer scales start at 0.5, because a short training would leave those of
1e-5 without effect.
"""

from __future__ import annotations

import importlib
from typing import Any

from torch import nn

from hyq_hls.models import MobileFormer, MobileFormerBlockConfig, MobileFormerConfig
from hyq_hls.models.timm_compat import import_timm

_CLASSES = 10
_LAYER_SCALE = 0.5
#: Attention of these sizes replaces the one of timm, which has 8 heads of 32 channels in any width.
_ATTENTION = {"key_dim": 8, "num_heads": 4, "attn_ratio": 2}


def mobilevitv2() -> nn.Module:
    """Build a MobileViTv2: separable attention over 16 and 4 patches."""
    byobnet = _timm("byobnet")

    def bottleneck(channels: int, stride: int) -> Any:
        return byobnet.ByoBlockCfg(
            "bottle",
            d=1,
            c=channels,
            s=stride,
            gs=1,
            br=2.0,
            block_kwargs={"bottle_in": True, "linear_out": True},
        )

    def attention(channels: int) -> Any:
        return byobnet.ByoBlockCfg(
            "mobilevit2",
            d=1,
            c=channels,
            s=1,
            gs=1,
            br=0.5,
            block_kwargs={"transformer_depth": 2, "patch_size": 2},
        )

    config = byobnet.ByoModelCfg(
        blocks=(
            bottleneck(16, 1),
            (bottleneck(32, 2), attention(32)),
            (bottleneck(48, 2), attention(48)),
        ),
        stem_chs=12,
        stem_type="3x3",
        stem_pool="",
        downsample="",
        act_layer="silu",
    )
    model: nn.Module = byobnet.ByobNet(config, num_classes=_CLASSES)
    return model


def efficientformer() -> Any:
    """Build an EfficientFormer: pooling, then attention over 16 positions.

    Its stem halves the image once: pooling alone tells little of maps of 8x8 pixels.
    """
    timm = _timm("efficientformer")
    model: Any = timm.EfficientFormer(
        depths=(2, 2, 3),
        embed_dims=(24, 40, 64),
        mlp_ratios=3,
        num_classes=_CLASSES,
        num_vit=1,
        layer_scale_init_value=_LAYER_SCALE,
    )
    model.stem.conv2.stride = (1, 1)
    model.stages[2].blocks[-1].token_mixer = timm.Attention(64, **_ATTENTION, resolution=4)
    return model


def efficientformerv2() -> Any:
    """Build an EfficientFormer V2: talking heads over 16 keys, and 16 queries of 64 keys."""
    timm = _timm("efficientformer_v2")
    model: Any = timm.EfficientFormerV2(
        depths=(1, 1, 2, 2),
        embed_dims=(24, 24, 24, 48),
        downsamples=(False, False, False, True),
        mlp_ratios=3,
        num_classes=_CLASSES,
        img_size=32,
        num_vit=1,
        layer_scale_init_value=_LAYER_SCALE,
    )
    third, last = model.stages[2], model.stages[3]
    third.blocks[-1].token_mixer = timm.Attention2d(24, **_ATTENTION, resolution=8, stride=2)
    last.downsample.attn = timm.Attention2dDownsample(24, **_ATTENTION, resolution=8, out_dim=48)
    last.blocks[-1].token_mixer = timm.Attention2d(48, **_ATTENTION, resolution=4)
    return model


def mobile_former() -> nn.Module:
    """Build a Mobile-Former: 3 tokens, maps from 256 to 16 positions."""
    blocks = ((3, 12, 1, 0), (6, 20, 2, 4), (3, 20, 1, 3), (6, 32, 2, 4), (4, 32, 1, 4))
    return MobileFormer(
        MobileFormerConfig(
            tuple(MobileFormerBlockConfig(*block) for block in blocks),
            stem_channels=8,
            tokens=3,
            token_dim=32,
            features=80,
            num_classes=_CLASSES,
        )
    )


def _timm(module: str) -> Any:
    """Return a module of timm's networks."""
    import_timm()
    return importlib.import_module(f"timm.models.{module}")
