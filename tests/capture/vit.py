"""A small vision transformer as PyTorch's own layers make it."""

from __future__ import annotations

import torch
from torch import nn


class VisionTransformer(nn.Module):
    """Patches, a class token, a position embedding, pre-norm blocks, a head on the class token.

    Args:
        image: height and width of the image.
        patch: side of a patch.
        dim: channels of a token.
        depth: number of blocks.
        classes: number of classes.
    """

    def __init__(
        self,
        image: tuple[int, int] = (8, 12),
        patch: int = 4,
        dim: int = 8,
        depth: int = 2,
        classes: int = 5,
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, dim, patch, patch)
        count = (image[0] // patch) * (image[1] // patch)
        self.class_token = nn.Parameter(0.5 * torch.randn(1, 1, dim))
        self.position = nn.Parameter(0.2 * torch.randn(1, count + 1, dim))
        layer = nn.TransformerEncoderLayer(
            dim, 2, 2 * dim, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(
            layer, depth, norm=nn.LayerNorm(dim), enable_nested_tensor=False
        )
        self.head = nn.Linear(dim, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(x), -1, -1), tokens], dim=1)
        result: torch.Tensor = self.head(self.blocks(tokens + self.position)[:, 0])
        return result
