"""The digits data: the same bytes everywhere, a fair split, exact enlarging."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from hyq_hls.errors import ShapeError
from hyq_hls.models import digits


def sha(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("name", "count", "images_sha", "labels_sha"),
    [
        ("train", 1437, "ef67dc53f7b50435", "c1281028e5251b91"),
        ("test", 360, "5b6ba788a8f9aec9", "4493b2052e7b4258"),
        ("distorted", 3600, "18b26c4ed1bc48dc", "46eba1299c2473b8"),
    ],
)
def test_bytes_are_the_same_everywhere(
    name: str, count: int, images_sha: str, labels_sha: str
) -> None:
    images, labels = getattr(digits, name)()
    assert images.shape == (count, 32, 32, 3)
    assert images.dtype == np.uint8
    assert labels.shape == (count,)
    assert labels.dtype == np.int64
    assert sha(images) == images_sha
    assert sha(labels) == labels_sha


def test_split_is_stratified_and_disjoint() -> None:
    training, held_out = digits.train(), digits.test()
    shares = np.bincount(held_out.labels) / np.bincount(
        np.concatenate([training.labels, held_out.labels])
    )
    assert np.abs(shares - 360 / 1797).max() < 0.005
    assert len(np.unique(np.concatenate([training.images, held_out.images]), axis=0)) == 1797


def test_enlarged_images_keep_range_and_mean() -> None:
    images = np.concatenate([digits.train().images, digits.test().images])
    assert images.min() == 0
    assert images.max() == 255
    assert abs(images.mean() - load_digits().images.mean() * 255 / 16) < 2.0  # overshoot is cut
    assert (images == images[..., :1]).all()


def test_enlarging_is_exact_on_constants_and_ramps() -> None:
    flat = digits._enlarge(np.full((1, 8, 8), 7.0))
    assert (flat == round(7 * 255 / 16)).all()
    weights = digits._bicubic(8, 32)
    inner = weights[6:-6] @ np.arange(8)
    assert np.array_equal(inner, (np.arange(6, 26) + 0.5) / 4 - 0.5)


def test_distorted_copies_do_not_depend_on_their_number() -> None:
    two, one = digits.distorted(2), digits.distorted(1)
    assert np.array_equal(two.images[:360], one.images)
    assert not np.array_equal(two.images[:360], two.images[360:])
    assert np.array_equal(two.labels, np.tile(digits.test().labels, 2))
    with pytest.raises(ShapeError, match="at least 1 copy, found copies=0"):
        digits.distorted(0)


def test_calibration_is_a_growing_set_of_training_images() -> None:
    small, large = digits.calibration(16), digits.calibration(64)
    assert small.shape == (16, 32, 32, 3)
    assert small.dtype == np.uint8
    assert np.array_equal(large[:16], small)
    assert sha(large) == "c5de96e38842cf7e"
    training = {image.tobytes() for image in digits.train().images}
    assert {image.tobytes() for image in digits.calibration(1437)} == training
    for wrong in (0, 1438):
        with pytest.raises(ShapeError, match=f"1 to 1437 images, found n={wrong}"):
            digits.calibration(wrong)


def test_results_are_copies() -> None:
    digits.test().images[:] = 0
    digits.test().labels[:] = -1
    assert sha(digits.test().images) == "5b6ba788a8f9aec9"
    assert digits.test().labels.min() == 0


def test_input_is_byte_over_255() -> None:
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    images[..., 1] = 7
    tensor = digits.as_input(images)
    assert tensor.shape == (1, 3, 16, 16)
    assert tensor.dtype == torch.float32
    assert tensor[0, 0].ravel().tolist() == [float(np.float32(n / 255)) for n in range(256)]
    assert (tensor[0, 1] == 7 / 255).all()
    with pytest.raises(ShapeError, match="as_input takes uint8"):
        digits.as_input(images[0])
    with pytest.raises(ShapeError, match="as_input takes uint8"):
        digits.as_input(images.astype(np.float32))
