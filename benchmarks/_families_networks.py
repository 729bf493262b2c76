"""The networks of the matrix of levels, by family, with random weights and images for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.reduced import REDUCED
from hyq_hls.models.public import architecture


def _at(side: int, *names: str) -> tuple[tuple[str, int], ...]:
    return tuple((name, side) for name in names)


#: Name and side of the images of every network, by family. The five families that the papers
#: quantize have their published size and a reduced member; others have a small size where they
#: allow it.
FAMILIES: dict[str, tuple[tuple[str, int], ...]] = {
    "MobileViT": (
        *_at(256, *(f"mobilevit_{size}" for size in ("xxs", "xs", "s"))),
        *_at(16, "reduced_mobilevit"),
    ),
    "MobileViTv2": (
        *_at(256, *(f"mobilevitv2_{width}" for width in ("050", "075", "100", "125"))),
        *_at(256, *(f"mobilevitv2_{width}" for width in ("150", "175", "200"))),
        *_at(16, "reduced_mobilevitv2"),
    ),
    "EfficientFormer": (
        *_at(224, *(f"efficientformer_{size}" for size in ("l1", "l3", "l7"))),
        *_at(12, "reduced_efficientformer"),
    ),
    "EfficientFormer V2": (
        *_at(224, *(f"efficientformerv2_{size}" for size in ("s0", "s1", "s2", "l"))),
        *_at(64, "reduced_efficientformerv2"),
    ),
    "Mobile-Former": (
        *_at(224, *(f"mobile_former_{size}m" for size in (26, 52, 96, 151, 214, 294, 508))),
        *_at(16, "reduced_mobile_former"),
    ),
    "Other hybrids": (
        *_at(64, "edgenext_xx_small", "efficientvit_b0", "fastvit_t8", "fastvit_mci0"),
        *_at(64, "mobilenetv4_hybrid_medium", "poolformer_s12", "pvt_v2_b0", "lowformer_b0"),
        *_at(64, "iformer_t", "caformer_s18", "nextvit_small"),
        *_at(224, "levit_128s", "efficientvit_m0", "tiny_vit_5m_224", "swiftformer_xs"),
        *_at(224, "shvit_s1", "coatnet_nano_rw_224", "coat_lite_tiny", "visformer_tiny"),
        *_at(224, "xcit_nano_12_p16_224"),
        *_at(256, "maxvit_nano_rw_256", "botnet26t_256"),
    ),
    "Vision transformers": (
        *_at(224, "deit_tiny_patch16_224", "pit_ti_224"),
        *_at(240, "crossvit_tiny_240"),
    ),
    "Convolutional networks": (
        *_at(64, "repvit_m0_9", "mobileone_s0", "convnext_atto", "ghostnetv2_100"),
        *_at(64, "starnet_s050", "inception_next_atto", "mobilenetv3_small_050"),
        *_at(64, "mobilenetv2_050", "efficientnet_b0", "resnet18", "regnety_002"),
    ),
}


def chosen(patterns: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the networks whose names fit a pattern, with the side of their images."""
    for networks in FAMILIES.values():
        for name, side in networks:
            if any(fnmatchcase(name, pattern) for pattern in patterns):
                yield name, side


def network(name: str, side: int) -> nn.Module:
    """Return a network of the list with random weights, in evaluation mode."""
    if name in REDUCED:
        return REDUCED[name]().eval()
    return architecture(name, (side, side))


def woken(model: nn.Module) -> nn.Module:
    """Give values of their own to parameters that all are zero, or all the same."""
    generator = torch.Generator().manual_seed(1)

    def random(like: torch.Tensor, centre: float, spread: float) -> torch.Tensor:
        return centre + spread * (torch.rand(like.shape, generator=generator) - 0.5)

    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() and bool((parameter == parameter.flatten()[0]).all()):
                centre = 0.0 if float(parameter.flatten()[0]) == 0 else 1.0
                parameter.copy_(random(parameter, centre, 0.5))
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                if module.running_mean is not None:
                    module.running_mean.copy_(random(module.running_mean, 0.0, 0.4))
                if module.running_var is not None:
                    module.running_var.copy_(random(module.running_var, 1.0, 0.5))
    return model


def images(count: int, side: int, seed: int) -> NDArray[np.uint8]:
    """Return smooth random images with a little noise, bytes (count, side, side, 3)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 8, 8, generator=generator)
    smooth = nn.functional.interpolate(coarse, (side, side), mode="bicubic", align_corners=False)
    noisy = (smooth + 0.05 * torch.randn(smooth.shape, generator=generator)).clamp(0, 1)
    found: NDArray[np.uint8] = (noisy * 255).byte().permute(0, 2, 3, 1).contiguous().numpy()
    return found
