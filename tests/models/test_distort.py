"""Distortion: whole pixels, turns, sizes and contrast by hand; the same bytes for a seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from hyq_hls.errors import ShapeError
from hyq_hls.models.distort import Distortion, distort

NOTHING = Distortion(rotation=0, shift=0, scale=0, shear=0, contrast=0)


@pytest.fixture
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (6, 9, 12, 2), dtype=np.uint8)


class Fixed:
    """In place of a generator: the six numbers of every image, in -1..1."""

    def __init__(self, numbers: Mapping[str, float]) -> None:
        order = ("rotation", "zoom", "shear", "down", "right", "gain")
        self.numbers = [numbers.get(name, 0.0) for name in order]

    def uniform(self, low: float, high: float, size: tuple[int, int]) -> NDArray[np.float64]:
        assert (low, high, size[0]) == (-1.0, 1.0, 6)
        return np.repeat(np.array(self.numbers)[:, None], size[1], axis=1)


def fixed(**numbers: float) -> np.random.Generator:
    """A generator of these numbers, as far as ``distort`` uses one."""
    return cast(np.random.Generator, Fixed(numbers))


def test_no_distortion_is_the_identity(images: NDArray[np.uint8]) -> None:
    before = images.copy()
    assert np.array_equal(distort(images, np.random.default_rng(0), NOTHING), images)
    assert np.array_equal(images, before)


def test_same_seed_same_bytes_other_seed_others(images: NDArray[np.uint8]) -> None:
    first, again, other = (distort(images, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first.dtype == np.uint8
    assert first.shape == images.shape
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_shift_moves_whole_pixels_and_fills_with_zeros(images: NDArray[np.uint8]) -> None:
    moved = distort(images, fixed(down=1, right=-1), Distortion(shift=1 / 3))
    expected = np.zeros_like(images)
    expected[:, :6, 4:] = images[:, 3:, :8]
    assert np.array_equal(moved, expected)


def test_quarter_turn_and_double_size(images: NDArray[np.uint8]) -> None:
    square = images[:, :, :9]
    turned = distort(square, fixed(rotation=1), Distortion(rotation=90))
    assert np.array_equal(turned, np.rot90(square, axes=(1, 2), k=-1))
    flat = np.full((1, 8, 8, 1), 200, dtype=np.uint8)
    assert (distort(flat, fixed(zoom=1), Distortion(scale=1)) == 200).all()
    half = distort(flat, fixed(zoom=-1), Distortion(scale=0.5))
    assert (half[0, 2:6, 2:6] == 200).all()
    assert not half[0, :2].any()
    assert not half[0, :, 6:].any()


def test_contrast_saturates() -> None:
    grey = np.array([0, 10, 100, 250], dtype=np.uint8).reshape(1, 2, 2, 1)
    assert distort(grey, fixed(gain=1), Distortion(contrast=0.5)).ravel().tolist() == [
        0,
        15,
        150,
        255,
    ]


@pytest.mark.parametrize("wrong", [np.zeros((2, 4, 4, 1)), np.zeros((4, 4, 1), dtype=np.uint8)])
def test_other_than_a_batch_of_bytes_is_refused(wrong: NDArray[Any]) -> None:
    with pytest.raises(ShapeError, match="uint8 images"):
        distort(wrong, np.random.default_rng(0))
