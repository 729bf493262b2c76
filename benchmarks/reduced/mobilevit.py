"""MobileViT (Mehta and Rastegari, arXiv 2110.02178) of small widths."""

from __future__ import annotations

from hyq_hls.models import MobileViT, MobileViTConfig, StageConfig, TransformerConfig


def small() -> MobileViT:
    """Build a member with every kind of operation, for images of 16 x 16."""
    stages = (
        StageConfig(4, depth=2, expansion=2),
        StageConfig(6, 2, expansion=2, transformer=TransformerConfig(8, 1, heads=2)),
    )
    return MobileViT(MobileViTConfig(stages, stem_channels=4, head_channels=8, num_classes=3))
