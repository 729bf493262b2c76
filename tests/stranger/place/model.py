"""A network of one's own: convolutions, then attention over the tokens of an 8x8 digit."""

from __future__ import annotations

import torch
from digits import load_digits  # the module beside this one
from torch import nn

EPOCHS = 12
BATCH = 64


class Hybrid(nn.Module):
    """Two convolutions, one transformer block over 16 tokens, a classifier."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, num_heads=2, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.head = nn.Linear(width, 10)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the logits of images (N, 1, 8, 8) with values from 0 to 1."""
        tokens = self.stem(image).flatten(2).transpose(1, 2)
        query = self.norm1(tokens)
        tokens = tokens + self.attention(query, query, query, need_weights=False)[0]
        tokens = tokens + self.mlp(self.norm2(tokens))
        logits: torch.Tensor = self.head(tokens.mean(1))
        return logits


def trained() -> nn.Module:
    """Return the network after some seconds of training; the same one at every call."""
    torch.manual_seed(0)
    model = Hybrid()
    images, labels = load_digits("train")
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    classes = torch.from_numpy(labels)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(pixels)).split(BATCH):
            loss = nn.functional.cross_entropy(model(pixels[chosen]), classes[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()
