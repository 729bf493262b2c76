"""The evaluate command on small folders of digits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

from hyq_hls.models import digits

PER_CLASS = 3


#: Quantized in no time, where numbers do not matter.
TINY = """
import torch
from torch import nn


def tiny():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10)
    )
"""


def write_digits(folder: Path, data: digits.Digits, per_class: int) -> None:
    for label in range(10):
        (folder / f"n{label}").mkdir(parents=True)
        for i, image in enumerate(data.images[data.labels == label][:per_class]):
            Image.fromarray(image).save(folder / f"n{label}" / f"{i}.png")


def evaluate(data: Path, output: Path, *more: object, presets: str = "minmax") -> list[object]:
    """The command, on the trained network; later options win."""
    size = ("--size", 32, "--resize", 32, "--calibration", 8, "--batch", 7)
    source = ("--model", "mobilevit_digits", "--data", data, "--output", output)
    return ["evaluate", *source, *size, "--presets", presets, *more]


def tiny(data: Path, output: Path, *more: object) -> list[object]:
    """The command, on the network that is quick; its file lies beside ``train`` and ``val``."""
    folder = data if (data / "tiny.py").exists() else data.parent
    return evaluate(data, output, "--model", f"{folder / 'tiny.py'}:tiny", *more)


def results(output: Path) -> dict[str, Any]:
    """``evaluate.json`` without what time it took."""
    (path,) = output.glob("*/evaluate.json")
    found: dict[str, Any] = json.loads(path.read_text())
    for row in (found["float"], *found["recipes"]):
        row.pop("seconds")
        row.pop("quantize_seconds", None)
    return found
