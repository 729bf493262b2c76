"""Mobile-Former (Chen et al., arXiv 2108.05895) of small widths."""

from __future__ import annotations

from typing import Any

from hyq_hls.models import MobileFormer, MobileFormerBlockConfig, MobileFormerConfig


def small_config(**changes: Any) -> MobileFormerConfig:
    """Describe a member with every kind of block; ``changes`` are other fields of it."""
    rows = ((2, 4, 1, 0), (2, 4, 1, 3), (2, 8, 2, 2))
    settings = {"stem_channels": 4, "tokens": 2, "token_dim": 8, "features": 12, "num_classes": 5}
    blocks = tuple(MobileFormerBlockConfig(*row) for row in rows)
    return MobileFormerConfig(blocks, **(settings | changes))


def small() -> MobileFormer:
    """Build a member with every kind of operation, for images of any even size."""
    return MobileFormer(small_config(groups=2))
