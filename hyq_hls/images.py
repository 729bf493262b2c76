"""Turn images as users have them into bytes (B, H, W, C), where every level starts."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import InputError, RoundedImagesWarning

#: A float image may miss ``byte / 255`` by this much and is still called a byte: float32 rounding.
_BYTE_TOLERANCE = 1e-3


def image_bytes(
    images: Any, shape: tuple[int, int, int] | None = None, channels: int | None = None
) -> NDArray[np.uint8]:
    """Check images and bring them to bytes (B, H, W, C).

    Args:
        images: numpy array or torch tensor: uint8 (B, H, W, C) or (B, C, H, W), or float
            (B, C, H, W) or (B, H, W, C) in [0, 1], bytes divided by 255. Other floats in [0, 1],
            such as images that were resized as floats, are rounded to bytes with a warning. One
            image without the batch axis is taken as a batch of one.
        shape: (H, W, C) that the network takes, when it is known.
        channels: without ``shape``, number of channels that the network takes. Otherwise, or where
            no axis has so many, channels are the axis of 1 or 3.

    Raises:
        InputError: empty, wrong shape or dtype, NaN, or floats outside [0, 1].
    """
    array = number_array(images)
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4:
        raise InputError(
            f"images of shape {array.shape} found; (batch, height, width, channels) or "
            "(batch, channels, height, width) is wanted"
        )
    if not array.size:
        raise InputError(f"no images: the set is empty, of shape {array.shape}; give at least one")
    if array.dtype.kind not in "uif":
        raise InputError(
            f"images of dtype {array.dtype} found; bytes (uint8), or floats in [0, 1], are wanted"
        )
    array = _channels_last(array, shape, channels)
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if np.issubdtype(array.dtype, np.floating):
        return _from_float(array)
    if array.min() >= 0 and array.max() <= 255:
        return np.ascontiguousarray(array.astype(np.uint8))
    raise InputError(
        f"images of dtype {array.dtype} in [{array.min()}, {array.max()}] found; bytes (uint8), or "
        "floats in [0, 1], are wanted"
    )


def number_array(values: Any) -> NDArray[Any]:
    """Return numbers as a numpy array; a tensor leaves its device, and bfloat16 becomes float32.

    Raises:
        InputError: they are no array, such as images of different sizes.
    """
    try:
        if hasattr(values, "detach"):
            values = values.detach().cpu()
            if "bfloat16" in str(values.dtype):  # numpy does not know it
                values = values.float()
        return np.asarray(values)
    except Exception as error:  # sparse tensors, ragged lists: each library has errors of its own
        raise InputError(f"images cannot be one array of numbers: {error}") from error


def _channels_last(
    array: NDArray[Any], shape: tuple[int, int, int] | None, channels: int | None
) -> NDArray[Any]:
    found = array.shape[1:]
    if shape is None:
        counts = (channels,) if channels in (found[0], found[2]) else (1, 3)
        wanted = f"an axis of {' or '.join(map(str, counts))} channels, first or last,"
        last, first = found[2] in counts, found[0] in counts
    else:
        height, width, depth = shape
        wanted = f"(batch, {height}, {width}, {depth}) or (batch, {depth}, {height}, {width})"
        last, first = found == shape, found == (depth, height, width)
    if last and first and found != (1, 1, 1):
        raise InputError(
            f"images of shape {array.shape}: either end could be the channels; use images of "
            "another size"
        )
    if not (last or first):
        raise InputError(f"images of shape {array.shape} found; {wanted} is wanted")
    return array if last else np.moveaxis(array, 1, 3)


def _from_float(array: NDArray[Any]) -> NDArray[np.uint8]:
    if not np.isfinite(array).all():
        raise InputError("images contain NaN or infinite values")
    scaled = array.astype(np.float64) * 255
    rounded = np.rint(scaled)
    if rounded.min() < 0 or rounded.max() > 255:
        found = f"float images in [{array.min():.4g}, {array.max():.4g}] found; [0, 1] is wanted"
        if array.min() >= 0 and array.max() <= 255:
            advice = "divide them by 255, or give bytes: images.astype(numpy.uint8)"
        else:
            advice = "for images that are normalized give their mean= and std= to quantize()"
        raise InputError(f"{found} (byte / 255); {advice}")
    distance = float(np.abs(scaled - rounded).max())
    if distance > 255 * _BYTE_TOLERANCE:
        warnings.warn(
            f"float images are not bytes divided by 255 (up to {distance:.2f} of a byte away); "
            "they are rounded to the nearest byte, because the hardware takes bytes: resize before "
            "the images become floats, or give uint8",
            RoundedImagesWarning,
            stacklevel=3,
        )
    return np.ascontiguousarray(rounded.astype(np.uint8))
