"""Random affine maps and contrast on byte images, in integers so that every machine agrees.

Random numbers are drawn as floats, rounded to fixed point once, and from there on everything is
integer arithmetic: the last bit of a sine cannot reach a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hyq_hls.errors import ShapeError

Bytes = npt.NDArray[np.uint8]

_AFFINE_BITS = 16
_GAIN_BITS = 8


@dataclass(frozen=True)
class Distortion:
    """Ranges of a distortion; every quantity is uniform in +-range, independently.

    Attributes:
        rotation: degrees.
        shift: shift along each axis, as a fraction of the side.
        scale: factor of the size, about 1.
        shear: shear of one axis along the other, as a slope.
        contrast: factor of the bytes, about 1; results saturate at 255.
    """

    rotation: float = 15.0
    shift: float = 0.12
    scale: float = 0.15
    shear: float = 0.15
    contrast: float = 0.25


def distort(images: Bytes, rng: np.random.Generator, distortion: Distortion | None = None) -> Bytes:
    """Distort each image differently: bilinear sampling, zeros outside, then contrast.

    Args:
        images: uint8 ``(B, H, W, C)``, unchanged.
        rng: source of all randomness; six numbers are drawn for each image.
        distortion: the ranges, ``Distortion()`` if None.

    Returns:
        uint8 ``(B, H, W, C)``.

    Raises:
        ShapeError: images are not uint8 with four axes.
    """
    if images.dtype != np.uint8 or images.ndim != 4:
        raise ShapeError(
            f"distort takes uint8 images (B, H, W, C), found {images.dtype} {images.shape}"
        )
    ranges = distortion or Distortion()
    batch, height, width, _ = images.shape
    rotation, zoom, shear, down, right, gain = rng.uniform(-1.0, 1.0, (6, batch))
    sampled = _sample(
        images,
        _matrices(
            np.deg2rad(ranges.rotation * rotation),
            1.0 + ranges.scale * zoom,
            ranges.shear * shear,
        ),
        _fixed(ranges.shift * np.stack((down * height, right * width)), _AFFINE_BITS),
    )
    gains = _fixed(1.0 + ranges.contrast * gain, _GAIN_BITS).reshape(batch, 1, 1)
    stretched: npt.NDArray[np.int64] = (sampled * gains + (1 << (_GAIN_BITS - 1))) >> _GAIN_BITS
    return stretched.clip(max=255).astype(np.uint8).reshape(images.shape)


def _fixed(values: npt.NDArray[np.float64], bits: int) -> npt.NDArray[np.int64]:
    return np.rint(values * (1 << bits)).astype(np.int64)


def _matrices(
    angle: npt.NDArray[np.float64], scale: npt.NDArray[np.float64], shear: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Return matrices ``(2, 2, B)`` from target to source offsets over (row, column).

    They have ``_AFFINE_BITS`` fraction bits.
    """
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    return _fixed(np.array([[cos, cos * shear - sin], [sin, sin * shear + cos]]), _AFFINE_BITS)


def _sample(
    images: Bytes, matrices: npt.NDArray[np.int64], shifts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int32]:
    """Sample ``(B, H * W, C)`` bilinearly at ``matrix @ target + shift`` from the centre."""
    batch, height, width, channels = images.shape
    # Offsets from the centre are halves, so twice the offset is whole.
    rows, columns = np.indices((height, width)).reshape(2, 1, -1) * 2 - np.array(
        [height - 1, width - 1]
    ).reshape(2, 1, 1)
    corners, weights = [], []
    for axis, side in enumerate((height, width)):
        to_row, to_column = matrices[axis][..., None]
        twice = to_row * rows + to_column * columns + 2 * shifts[axis][:, None]
        twice = twice + ((side - 1) << _AFFINE_BITS)
        whole = twice >> (_AFFINE_BITS + 1)
        part = (twice >> (_AFFINE_BITS - 7)) & 255
        # Each side has a border of zeros: index 0 of the padded image is coordinate -1.
        corners.append([np.clip(whole + step, -1, side) + 1 for step in (0, 1)])
        weights.append([256 - part, part])
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0))).reshape(batch, -1, channels)
    each = np.arange(batch)[:, None]
    # Sums are at most 255 * 2**16 and a half, so 32 bits do.
    total = np.full((batch, height * width, channels), 1 << 15, dtype=np.int32)
    for row, row_weight in zip(corners[0], weights[0], strict=True):
        for column, column_weight in zip(corners[1], weights[1], strict=True):
            pixels = padded[each, row * (width + 2) + column]
            total += pixels * (row_weight * column_weight).astype(np.int32)[..., None]
    return total >> 16
