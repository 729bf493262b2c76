"""Cluttered digits: the same bytes everywhere, and what an image is made of."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hyq_hls.errors import ShapeError
from hyq_hls.models import MobileViT, MobileViTConfig, digits
from hyq_hls.models.clutter import SIDES, Difficulty, calibration, cluttered, held_out
from hyq_hls.models.train import TrainConfig, fit_drawn

#: A digit of one pixel per pixel of its canvas, on a flat background, and nothing else.
BARE = Difficulty(
    pieces=0,
    size=(1.0, 1.0),
    shift=0,
    rotation=0,
    shear=0,
    ink=(64.0, 64.0),
    background=(100.0, 100.0),
    gradient=0,
    texture=0,
    noise=0,
)


Split = Literal["train", "test"]


def sha(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def doubled(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Linear interpolation (B, 32, 32) -> (B, 64, 64), zeros outside, halves rounded up."""
    places = (np.arange(64) + 0.5) / 2 - 0.5
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(32)))
    larger: NDArray[np.float64] = weights @ images @ weights.T
    return np.floor(larger + 0.5).astype(np.int64)


def strongest(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """What the channel that has all the ink adds to the background, (B, H, W)."""
    away: NDArray[np.int64] = images.astype(np.int64) - 100
    channel = np.abs(away).max(axis=(1, 2)).argmax(axis=1)
    return np.take_along_axis(away, channel[:, None, None, None], axis=3)[..., 0]


def inked(digit: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """What a dark digit adds, and what a bright one does."""
    return [(digit * ink + 128) >> 8 for ink in (-64, 64)]


@pytest.mark.parametrize(
    ("split", "side", "images_sha", "labels_sha"),
    [
        ("train", 32, "b640b1bcf218144c", "d4f1d8644d77e515"),
        ("train", 64, "4453e5dc8fe627f5", "d4f1d8644d77e515"),
        ("test", 32, "26b8c772f0005315", "76cf60f2157386d9"),
        ("test", 96, "0af7e8011ee23da2", "76cf60f2157386d9"),
    ],
)
def test_bytes_are_the_same_everywhere(
    split: Split, side: int, images_sha: str, labels_sha: str
) -> None:
    images, labels = cluttered(split, 100, side, 7)
    assert images.shape == (100, side, side, 3)
    assert images.dtype == np.uint8
    assert labels.shape == (100,)
    assert labels.dtype == np.int64
    assert sha(images) == images_sha
    assert sha(labels) == labels_sha


@pytest.mark.slow
@pytest.mark.parametrize("side", SIDES)
def test_the_first_images_do_not_depend_on_their_number(side: int) -> None:
    few, many = cluttered("test", 70, side, 3), cluttered("test", 150, side, 3)
    assert np.array_equal(many.images[:70], few.images)
    assert np.array_equal(many.labels[:70], few.labels)
    assert len(np.unique(many.images, axis=0)) == 150


def test_other_seeds_and_splits_give_other_images() -> None:
    first, seed, split = (
        cluttered(*key).images
        for key in (("test", 64, 32, 0), ("test", 64, 32, 1), ("train", 64, 32, 0))
    )
    both = np.concatenate([first, seed, split])
    assert len(np.unique(both, axis=0)) == 3 * 64


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "test"])
def test_digit_is_one_of_its_split_with_its_label(split: Split) -> None:
    """Shown bare, each image is an interpolated digit of that split and of that label."""
    own, other = digits.train(), digits.test()
    if split == "test":
        own, other = other, own
    shown, labels = cluttered(split, 128, 64, 0, BARE)
    label_of, foreign = (
        {
            ink.tobytes(): label
            for digit, label in zip(doubled(data.images[..., 0]), data.labels, strict=True)
            for ink in inked(digit)
        }
        for data in (own, other)
    )
    found = [ink.tobytes() for ink in strongest(shown)]
    assert [label_of[ink] for ink in found] == labels.tolist()
    assert not set(found) & set(foreign)
    assert set(labels.tolist()) == set(range(10))


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "test"])
def test_pieces_are_halves_and_wholes_of_digits_of_the_split(split: Split) -> None:
    piece = {"pieces": 1, "piece_size": (1.0, 1.0), "piece_distance": (0.0, 0.0)}
    alone = Difficulty(**{**vars(BARE), **piece, "piece_ink": (64.0, 64.0), "ink": (0.0, 0.0)})
    kept = (np.s_[:], np.s_[:32], np.s_[32:], np.s_[:, :32], np.s_[:, 32:])

    def cuts(data: digits.Digits) -> dict[bytes, set[int]]:
        """Which cuts of digits of the data an image may be."""
        fits: dict[bytes, set[int]] = {}
        for digit in doubled(data.images[..., 0]):
            for number, part in enumerate(kept):
                piece = np.zeros_like(digit)
                piece[part] = digit[part]
                for ink in inked(piece):
                    fits.setdefault(ink.tobytes(), set()).add(number)
        return fits

    own, other = digits.train(), digits.test()
    if split == "test":
        own, other = other, own
    found = [ink.tobytes() for ink in strongest(cluttered(split, 64, 64, 0, alone).images)]
    known, foreign = cuts(own), cuts(other)
    assert all(ink in known for ink in found)
    assert not any(ink in foreign for ink in found)
    assert set.union(*(known[ink] for ink in found)) == {0, 1, 2, 3, 4}


def test_pieces_lie_around_the_digit() -> None:
    around = Difficulty(
        ink=(0.0, 0.0),
        piece_size=(0.2, 0.2),
        piece_distance=(0.45, 0.5),
        background=(100.0, 100.0),
        gradient=0,
        texture=0,
        noise=0,
    )
    images = cluttered("train", 64, 96, 0, around).images
    assert (images[:, 32:64, 32:64] == 100).all()
    assert (images != 100).any(axis=(1, 2, 3)).all()


def test_ink_has_either_sign_and_its_range_and_channels_differ() -> None:
    images = cluttered("train", 256, 64, 1, BARE).images.astype(np.int64) - 100
    darkest, lightest = images.min(axis=(1, 2)), images.max(axis=(1, 2))
    assert ((darkest == 0) | (lightest == 0)).all()
    assert 64 < (lightest.max(axis=1) > 0).sum() < 192
    deepest = np.maximum(-darkest, lightest)
    assert deepest.max() == 64
    assert deepest.max(axis=1).min() > 50
    assert 12 < deepest.min() < 20
    assert (deepest[:, 0] != deepest[:, 1]).mean() > 0.9


def test_background_is_level_gradient_texture_and_noise() -> None:
    flat = {**vars(BARE), "ink": (0.0, 0.0)}
    assert (cluttered("test", 2, 32, 0, Difficulty(**flat)).images == 100).all()
    for name, value in (("gradient", 20.0), ("texture", 8.0), ("noise", 12)):
        away = cluttered("test", 64, 32, 0, Difficulty(**{**flat, name: value})).images - 100.0
        bound = 2 * value + 2 if name == "gradient" else value
        assert 0.9 * bound < np.abs(away).max() <= bound
        assert abs(away.mean()) < value / 4
    textured = cluttered("test", 4, 32, 0, Difficulty(**{**flat, "texture": 8.0})).images
    squares = textured.reshape(4, 4, 8, 4, 8, 3)
    assert (squares == squares[:, :, :1, :, :1]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("held out", 1, 32, 0), "split train or test, found 'held out'"),
        (("test", 1, 48, 0), r"side \(32, 64, 80, 96\), found side=48"),
        (("test", 0, 32, 0), "at least 1 and seed of at least 0, found 0 and 0"),
        (("test", 1, 32, -1), "at least 1 and seed of at least 0, found 1 and -1"),
    ],
)
def test_wrong_arguments_are_refused(arguments: tuple[Any, int, int, int], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        cluttered(*arguments)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"noise": 128}, "noise in 0..127, found 6 and 128"),
        ({"pieces": -1}, "found -1 and 12"),
        ({"ink": (50.0, 40.0)}, r"Difficulty.ink is no range within 0..255: \(50.0, 40.0\)"),
        ({"size": (0.0, 1.0)}, r"size is no range within 0.1..255: \(0.0, 1.0\)"),
    ],
)
def test_impossible_difficulties_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        Difficulty(**wrong)


def test_sets_of_the_notebooks_are_drawn_apart() -> None:
    images, labels = held_out(3)
    wanted = cluttered("test", 3, 32, seed=0)
    assert np.array_equal(images, wanted.images)
    assert np.array_equal(labels, wanted.labels)
    assert np.array_equal(calibration(2, 64), cluttered("train", 2, 64, 1_000_000).images)


@pytest.mark.slow
def test_training_takes_new_images_in_each_epoch_and_an_extra_term() -> None:
    epochs = []

    def draw(epoch: int) -> digits.Digits:
        epochs.append(epoch)
        return cluttered("train", 33, 32, epoch)

    config = TrainConfig(epochs=2, batch_size=16)
    losses = []
    for extra in (None, lambda: torch.tensor(100.0)):
        torch.manual_seed(0)
        model = MobileViT(MobileViTConfig.digits())
        losses.append(fit_drawn(model, draw, 33, config, extra=extra))
        assert not model.training
    assert epochs == [0, 1, 0, 1]
    assert np.array(losses[1]) == pytest.approx(np.array(losses[0]) + 100, rel=1e-5)
    with pytest.raises(ShapeError, match="epoch 0 has 33 images, 34 were announced"):
        fit_drawn(model, draw, 34, config)
