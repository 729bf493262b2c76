"""Images of one's own: the 8x8 digits of scikit-learn, as files that ``hyq-hls`` reads.

``python digits.py`` writes ``train.npz`` and ``test.npz`` beside this file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import sklearn.datasets
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
#: Every fifth image is held out.
HELD_OUT = 5


def load_digits(split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return images (N, 8, 8, 1) and labels of a split, ``train`` or ``test``."""
    digits = sklearn.datasets.load_digits()
    held_out = np.arange(len(digits.target)) % HELD_OUT == 0
    chosen = held_out if split == "test" else ~held_out
    pixels = np.rint(digits.images[chosen] * (255 / 16)).astype(np.uint8)
    return pixels[..., None], digits.target[chosen].astype(np.int64)


if __name__ == "__main__":
    for name in ("train", "test"):
        images, labels = load_digits(name)
        np.savez(HERE / f"{name}.npz", images=images, labels=labels)
        print(f"{name}.npz: {len(images)} images of {'x'.join(map(str, images.shape[1:]))}")
