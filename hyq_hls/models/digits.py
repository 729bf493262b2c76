"""Real handwritten digits as 32x32 byte images, without a download.

Source: the digits bundled with scikit-learn, 1797 images of 8x8 in 17 grey levels (E. Alpaydin,
C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository). They
are split once, 1437 to train and 360 held out with equal shares of each class, enlarged to 32x32
and repeated on three channels.

Images are uint8 ``(B, 32, 32, 3)``, labels int64 ``(B,)`` in 0..9. A network sees a byte over 255,
see ``as_input``. Enlarging and distorting give the same bytes on every machine.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from hyq_hls.errors import ShapeError
from hyq_hls.models.distort import distort
from hyq_hls.support import needs

Bytes = npt.NDArray[np.uint8]

SIDE = 32
CLASSES = 10
HELD_OUT = 360
_SPLIT_SEED = 0
_DISTORTED_SEED = 20_000
_CALIBRATION_SEED = 30_000


class Digits(NamedTuple):
    """Images and their labels.

    Attributes:
        images: uint8 ``(B, 32, 32, 3)``.
        labels: int64 ``(B,)``.
    """

    images: Bytes
    labels: npt.NDArray[np.int64]


def train() -> Digits:
    """Return the 1437 training images, as they are."""
    images, labels = _split()[0]
    return Digits(_on_channels(images), labels.copy())


def test() -> Digits:
    """Return the 360 held-out images, as they are."""
    images, labels = _split()[1]
    return Digits(_on_channels(images), labels.copy())


def distorted(copies: int = 10) -> Digits:
    """Return fixed distorted copies of the held-out images, the harder test.

    Args:
        copies: number of copies of each image; copy ``k`` is the same whatever ``copies`` is.

    Returns:
        ``copies * 360`` images: all of copy 0 in the order of ``test()``, then copy 1, and so on.

    Raises:
        ShapeError: copies is less than 1.
    """
    if copies < 1:
        raise ShapeError(f"distorted needs at least 1 copy, found copies={copies}")
    images, labels = _split()[1]
    parts = [distort(images, np.random.default_rng([_DISTORTED_SEED, k])) for k in range(copies)]
    return Digits(_on_channels(np.concatenate(parts)), np.tile(labels, copies))


def calibration(n: int = 256) -> Bytes:
    """Return ``n`` different training images, always the same, for calibration.

    They are the first n of one fixed shuffle, so a larger set contains every smaller one.

    Raises:
        ShapeError: n is not in 1..1437.
    """
    images, _ = _split()[0]
    if not 1 <= n <= len(images):
        raise ShapeError(f"calibration takes 1 to {len(images)} images, found n={n}")
    order = np.random.default_rng(_CALIBRATION_SEED).permutation(len(images))
    return _on_channels(images[order[:n]])


def as_input(images: Bytes) -> torch.Tensor:
    """Turn bytes ``(B, H, W, C)`` into the float32 tensor ``(B, C, H, W)`` of byte / 255.

    Raises:
        ShapeError: images are not uint8 with four axes.
    """
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ShapeError(
            f"as_input takes uint8 images (B, H, W, C), found {images.dtype} {images.shape}"
        )
    # numpy rounds the quotient correctly; a device may multiply by a rounded 1 / 255 instead.
    scaled = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).astype(np.float32)
    return torch.from_numpy(scaled / np.float32(255))


def _on_channels(images: Bytes) -> Bytes:
    return np.repeat(images, 3, axis=3)


@cache
def _split() -> tuple[Digits, Digits]:
    """Return the grey training and held-out images ``(B, 32, 32, 1)``; shared, never handed out."""
    needs("sklearn")
    from sklearn.datasets import load_digits  # noqa: PLC0415  (only the data needs it)
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    raw = load_digits()
    labels = raw.target.astype(np.int64)
    chosen = train_test_split(
        np.arange(len(labels)), test_size=HELD_OUT, stratify=labels, random_state=_SPLIT_SEED
    )
    images = _enlarge(raw.images)[..., None]
    training, held_out = (Digits(images[index], labels[index]) for index in chosen)
    return training, held_out


def _enlarge(images: npt.NDArray[np.float64]) -> Bytes:
    """Enlarge 8x8 images to 32x32 bicubically, and grey levels 0..16 to bytes 0..255.

    The weights of a fourfold enlargement are multiples of 2**-10, so every float64 product and
    sum is exact, and their order does not matter.
    """
    weights = _bicubic(images.shape[1], SIDE)
    grey: npt.NDArray[np.float64] = weights @ images @ weights.T * 255 / 16
    rounded: npt.NDArray[np.float64] = np.floor(grey.clip(0, 255) + 0.5)
    return rounded.astype(np.uint8)


def _bicubic(small: int, large: int) -> npt.NDArray[np.float64]:
    """Return the matrix ``(large, small)`` of Catmull-Rom interpolation (a = -1/2).

    Pixels at the edge are repeated.
    """
    weights = np.zeros((large, small))
    for row in range(large):
        centre = (row + 0.5) * small / large - 0.5
        base = int(np.floor(centre))
        for tap in range(base - 1, base + 3):
            t = abs(centre - tap)
            inner, outer = 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
            weights[row, min(max(tap, 0), small - 1)] += inner if t <= 1 else outer
    return weights
