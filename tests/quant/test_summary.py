"""The line after quantization names nodes by the error that lives on behind them."""

from __future__ import annotations

import re

import numpy as np
import torch
from torch import nn

from hyq_hls import quantize
from hyq_hls.quant.summary import ratios_of_nodes, summary

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 3), dtype=np.uint8)


class Branches(nn.Module):
    """A convolution that only a ReLU reads, and one that a sum reads as well."""

    def __init__(self) -> None:
        super().__init__()
        self.alone = nn.Conv2d(3, 8, 3)
        self.shared = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 4)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits (B, 4)."""
        y = self.shared(self.relu(self.alone(x)))
        logits: torch.Tensor = self.head((y + torch.relu(y)).mean((2, 3)))
        return logits


def least_exact(model: nn.Module) -> dict[str, float]:
    qmodel = quantize(model.eval(), IMAGES, progress=False)
    nodes = summary(qmodel, IMAGES).partition("least exact nodes: ")[2]
    return {name: float(db) for name, db in re.findall(r"(\S+) (-?[\d.]+) dB", nodes)}


def test_what_a_relu_drops_is_no_error() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU6()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)),
    )
    found = least_exact(model)
    assert set(found) <= {"1", "3", "4", "6"}
    assert len(found) == 3
    assert min(found.values()) > 30


def test_nodes_with_another_reader_and_results_are_judged_themselves() -> None:
    torch.manual_seed(0)
    qmodel = quantize(Branches().eval(), IMAGES, progress=False)
    assert "alone" not in ratios_of_nodes(qmodel, IMAGES)
    assert {"shared", "head"} <= set(ratios_of_nodes(qmodel, IMAGES))
