"""Handwritten digits made hard: one labelled digit of low contrast among pieces of other digits.

The digits are those of ``hyq_hls.models.digits``, with the same split: images of the train split
show training digits alone, in the pieces too, and images of the test split held-out digits alone.
Random numbers are drawn as floats, rounded to fixed point once, and from there on everything is
integer arithmetic, so that every machine makes the same bytes.

Cluttered digits as a test go back to V. Mnih et al., "Recurrent Models of Visual Attention"
(arXiv 1406.6247).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from hyq_hls.errors import ShapeError
from hyq_hls.models import digits

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]

SIDES = (32, 64, 80, 96)
CHANNELS = 3
_SPLITS = ("train", "test")
_SEED = 40_000
_TEST_SEED, _CALIBRATION_SEED = 0, 1_000_000
#: Images that one generator makes; image k is the same however many are asked for.
_BLOCK = 64
#: Side of an enlarged digit, and of its canvas with zeros around it.
_DIGIT, _CANVAS = 64, 72
#: A digit cut off below, above, right, left, or whole.
_CUTS = 5
_AFFINE_BITS = 16
#: Squares along a side of the background's texture.
_PATCHES = 4


@dataclass(frozen=True)
class Difficulty:
    """The difficulty of the images; a pair is a range from which numbers are drawn uniformly.

    Attributes:
        pieces: how many pieces of other digits lie around the digit.
        size: size of the digit's 8x8 grid, as a fraction of the side.
        piece_size: the same size of a piece, before it is cut.
        shift: shift of the digit from the centre along each axis, +- a fraction of the side.
        piece_distance: distance from the centre of the image to that of a piece, in sides.
        rotation: rotation of digit and pieces, +- degrees.
        shear: shear of one axis along the other, +- a slope.
        ink: what the digit's strongest channel adds to the background, in bytes of either sign;
            the other two channels have the same sign and from a quarter to all of it.
        piece_ink: the same ink of a piece.
        background: level of each channel, in bytes.
        gradient: gradient of the background over half a side, +- bytes, for each axis and channel.
        texture: texture of squares of a quarter of the side, +- bytes, for each channel.
        noise: noise of each byte on its own, +- bytes.
    """

    pieces: int = 6
    size: tuple[float, float] = (0.55, 0.75)
    piece_size: tuple[float, float] = (0.3, 0.55)
    shift: float = 0.08
    piece_distance: tuple[float, float] = (0.4, 0.6)
    rotation: float = 18.0
    shear: float = 0.2
    ink: tuple[float, float] = (45.0, 115.0)
    piece_ink: tuple[float, float] = (30.0, 80.0)
    background: tuple[float, float] = (70.0, 185.0)
    gradient: float = 20.0
    texture: float = 8.0
    noise: int = 12

    def __post_init__(self) -> None:
        if self.pieces < 0 or not 0 <= self.noise <= 127:
            raise ShapeError(
                f"Difficulty takes pieces >= 0 and noise in 0..127, found {self.pieces} and "
                f"{self.noise}"
            )
        # Sizes from 0.1 keep the fixed point of the affine maps within 32 bits.
        limits = {"size": 0.1, "piece_size": 0.1}
        for name, value in vars(self).items():
            least = limits.get(name, 0)
            if isinstance(value, tuple) and not least <= value[0] <= value[1] <= 255:
                raise ShapeError(f"Difficulty.{name} is no range within {least}..255: {value}")


def cluttered(
    split: Literal["train", "test"],
    count: int,
    side: int,
    seed: int,
    difficulty: Difficulty | None = None,
) -> digits.Digits:
    """Make cluttered digits; the first n are the same whatever ``count`` is.

    Args:
        split: "train" shows training digits only, "test" held-out ones only.
        count: how many images.
        side: side of the images in pixels, one of ``SIDES``.
        seed: seed of all randomness, at least 0; other seeds, and other splits, give other images.
        difficulty: ``Difficulty()`` if None.

    Returns:
        Images uint8 ``(count, side, side, 3)`` and labels int64 ``(count,)``.

    Raises:
        ShapeError: the split or the side is unknown, count is below 1 or seed below 0.
    """
    if split not in _SPLITS:
        raise ShapeError(f"cluttered takes split {' or '.join(_SPLITS)}, found {split!r}")
    if side not in SIDES:
        raise ShapeError(f"cluttered makes images of side {SIDES}, found side={side}")
    if count < 1 or seed < 0:
        raise ShapeError(
            f"cluttered needs count of at least 1 and seed of at least 0, found {count} and {seed}"
        )
    difficulty = difficulty or Difficulty()
    images = np.empty((count, side, side, CHANNELS), dtype=np.uint8)
    labels = np.empty(count, dtype=np.int64)
    for start in range(0, count, _BLOCK):
        rng = np.random.default_rng([_SEED, _SPLITS.index(split), seed, start // _BLOCK])
        made = _block(split, side, rng, difficulty)
        stop = min(start + _BLOCK, count)
        images[start:stop], labels[start:stop] = (array[: stop - start] for array in made)
    return digits.Digits(images, labels)


def held_out(count: int = 2000, side: int = 32) -> digits.Digits:
    """Return held-out images, always the same, on which networks are judged.

    Raises:
        ShapeError: the side is unknown, or count is below 1.
    """
    return cluttered("test", count, side, _TEST_SEED)


def calibration(count: int = 256, side: int = 32) -> Bytes:
    """Return images of the train split, always the same, for calibration.

    Raises:
        ShapeError: the side is unknown, or count is below 1.
    """
    return cluttered("train", count, side, _CALIBRATION_SEED).images


def _block(
    split: str, side: int, rng: np.random.Generator, difficulty: Difficulty
) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """Return a whole block of images ``(_BLOCK, side, side, 3)`` and labels."""
    sources, labels = _sources(split)
    layers = difficulty.pieces + 1  # the last one is the digit
    chosen = rng.integers(len(labels), size=(layers, _BLOCK))
    cuts = rng.integers(_CUTS, size=(layers, _BLOCK))
    cuts[-1] = 0
    inks = _inks(rng, difficulty)
    placed = _placed(rng, side, difficulty)
    image = _background(rng, side, difficulty)
    for layer in range(layers):
        drawn = _draw(sources.reshape(-1), chosen[layer] * _CUTS + cuts[layer], placed[layer], side)
        for channel in range(CHANNELS):
            image[:, channel] += (drawn * inks[layer, :, channel, None, None] + 128) >> 8
    noise = rng.integers(
        -difficulty.noise, difficulty.noise, image.shape, dtype=np.int8, endpoint=True
    )
    return np.clip(image + noise, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1), labels[chosen[-1]]


def _inks(rng: np.random.Generator, difficulty: Difficulty) -> Integers:
    """Return what full ink adds to a byte, ``(layers, _BLOCK, 3)``.

    One channel has all the strength.
    """
    mix = rng.uniform(0.25, 1.0, (difficulty.pieces + 1, _BLOCK, CHANNELS))
    mix /= mix.max(axis=2, keepdims=True)
    mix *= rng.choice([-1.0, 1.0], mix.shape[:2])[..., None]
    strength = _ranges(rng, difficulty.piece_ink, difficulty.ink, difficulty.pieces)
    return _fixed(mix * strength[..., None], 0).astype(np.int32)


def _ranges(
    rng: np.random.Generator, piece: tuple[float, float], digit: tuple[float, float], pieces: int
) -> Floats:
    """Draw numbers ``(pieces + 1, _BLOCK)``; the last row is from the range of the digit."""
    low, high = np.array([piece] * pieces + [digit]).T[..., None]
    return rng.uniform(low, high, (pieces + 1, _BLOCK))


def _placed(rng: np.random.Generator, side: int, difficulty: Difficulty) -> npt.NDArray[np.int64]:
    """Return affine maps ``(layers, 2, 3, _BLOCK)`` from a pixel to the canvas, fixed point.

    Axis 1 is row and column of the canvas; axis 2 what they take of the pixel's row, of its column,
    and of neither.
    """
    layers = difficulty.pieces + 1
    turn, shear, down, right = rng.uniform(-1.0, 1.0, (4, layers, _BLOCK))
    angle = np.deg2rad(difficulty.rotation * turn)
    size = _ranges(rng, difficulty.piece_size, difficulty.size, difficulty.pieces)
    distance = rng.uniform(*difficulty.piece_distance, (layers, _BLOCK))
    around = np.pi * down
    # Pieces lie on a ring; the digit lies in a square around the centre.
    centre = np.stack((distance * np.sin(around), distance * np.cos(around)))
    centre[:, -1] = difficulty.shift * np.stack((down, right))[:, -1]
    zoom = _DIGIT / (size * side)
    cos, sin, slope = np.cos(angle) * zoom, np.sin(angle) * zoom, difficulty.shear * shear
    matrix = np.array([[cos, cos * slope - sin], [sin, sin * slope + cos]])
    middle = (side - 1) / 2 + side * centre
    # With half a pixel more, shifting out the fraction rounds to the nearest pixel.
    offset = _CANVAS / 2 - (matrix * middle).sum(axis=1)
    maps = np.concatenate((matrix, offset[:, None]), axis=1)
    return np.moveaxis(_fixed(maps, _AFFINE_BITS), 2, 0)


def _background(rng: np.random.Generator, side: int, difficulty: Difficulty) -> Integers:
    """Return the sum of level, gradient and squares, ``(_BLOCK, 3, side, side)``."""
    shape = (_BLOCK, CHANNELS)
    level = _fixed(rng.uniform(*difficulty.background, shape), 0)[..., None, None]
    slopes = _fixed(rng.uniform(-difficulty.gradient, difficulty.gradient, (2, *shape)), 0)
    along = np.arange(side) * 2 - (side - 1)
    down, right = slopes[..., None] * along // side
    squares = _fixed(
        rng.uniform(-difficulty.texture, difficulty.texture, (*shape, _PATCHES, _PATCHES)), 0
    )
    repeats = side // _PATCHES
    texture = squares.repeat(repeats, axis=2).repeat(repeats, axis=3)
    total: Integers = (level + down[..., None] + right[..., None, :] + texture).astype(np.int32)
    return total


def _draw(sources: Bytes, which: npt.NDArray[np.int64], maps: Integers, side: int) -> Integers:
    """Return the nearest samples ``(_BLOCK, side, side)`` of canvases, 0..255.

    The rim of a canvas is 0.
    """
    pixels = np.arange(side, dtype=np.int32)
    index = (which * _CANVAS**2).astype(np.int32)[:, None, None]
    for (down, right, offset), stride in zip(maps.astype(np.int32), (_CANVAS, 1), strict=True):
        along_rows = down[:, None] * pixels + offset[:, None]
        place = along_rows[:, :, None] + (right[:, None] * pixels)[:, None]
        place >>= _AFFINE_BITS
        index = index + np.clip(place, 0, _CANVAS - 1) * stride
    return sources[index].astype(np.int32)


@cache
def _sources(split: str) -> tuple[Bytes, npt.NDArray[np.int64]]:
    """Return the canvases ``(B, 5, _CANVAS, _CANVAS)``, whole and cut; shared, never handed out."""
    data = digits.train() if split == "train" else digits.test()
    rim = (_CANVAS - _DIGIT) // 4
    # The zeros around a digit come first: strokes at its edge end softly.
    padded = np.pad(data.images[..., 0], ((0, 0), (rim, rim), (rim, rim))).astype(np.int32)
    whole = (_doubled(_doubled(padded, 1), 2) + 8) >> 4
    cuts = np.repeat(whole[:, None].astype(np.uint8), _CUTS, axis=1)
    half = _CANVAS // 2
    cuts[:, 1, half:] = 0
    cuts[:, 2, :half] = 0
    cuts[:, 3, :, half:] = 0
    cuts[:, 4, :, :half] = 0
    return cuts, data.labels


def _doubled(images: Integers, axis: int) -> Integers:
    """Interpolate linearly to twice the size along an axis; the result is four times too large."""
    before, after = np.roll(images, 1, axis), np.roll(images, -1, axis)
    pairs = np.stack((before + 3 * images, 3 * images + after), axis=axis + 1)
    return pairs.reshape(*images.shape[:axis], -1, *images.shape[axis + 1 :])


def _fixed(values: Floats, bits: int) -> npt.NDArray[np.int64]:
    rounded: Floats = np.rint(values * (1 << bits))
    return rounded.astype(np.int64)
