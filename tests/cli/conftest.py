"""A model in a Python file, images in a numpy file, a network quantized; a folder of digits."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.cli import main
from hyq_hls.models import digits
from tests.cli.evaluation import PER_CLASS, TINY, write_digits

MODEL = """
import torch
from torch import nn

from widths import WIDTH  # a module beside this one


def small():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, WIDTH, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(WIDTH, 5),
    ).eval()


def other():
    return nn.Sequential(
        nn.Conv2d(3, WIDTH, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, 5)
    ).eval()


def fails():
    raise RuntimeError("the checkpoint is missing")


def number():
    return 3


NOT_A_FUNCTION = 5
"""


def run(*arguments: object) -> int:
    """The command in this process; the folders where it looked for models are forgotten."""
    path = list(sys.path)
    try:
        return main([str(a) for a in arguments])
    finally:
        sys.path[:] = path


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``model.py``, ``images.npy`` and ``images.npz``; not to be changed."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "model.py").write_text(MODEL)
    (folder / "widths.py").write_text("WIDTH = 6\n")
    pixels = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 3), dtype=np.uint8)
    np.save(folder / "images.npy", pixels)
    np.savez(folder / "images.npz", images=pixels, labels=np.arange(12) % 5)
    return folder


@pytest.fixture(scope="session")
def network(workplace: Path) -> Path:
    """The quantized network; not to be changed."""
    path = workplace / "small.hyq"
    model = f"{workplace / 'model.py'}:small"
    images = workplace / "images.npy"
    assert run("quantize", "--model", model, "--images", images, "--output", path) == 0
    return path


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train/`` and ``val/`` of digits as PNG files, distorted ones in val; not to be changed."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder / "train", digits.train(), 2)
    write_digits(folder / "val", digits.distorted(1), PER_CLASS)
    (folder / "tiny.py").write_text(TINY)
    return folder
