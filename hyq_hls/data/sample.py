"""Find images and labels in a sample or a batch, however a loader or a list holds them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import InputError
from hyq_hls.images import number_array

if TYPE_CHECKING:
    from PIL import Image

#: Names under which data sets keep images and labels, the likeliest first.
IMAGE_KEYS = ("image", "images", "pixel_values", "img", "imgs", "x", "input", "inputs", "data")
LABEL_KEYS = ("label", "labels", "target", "targets", "y", "class", "fine_label")
#: Modes of Pillow whose bytes are the channels; other images are made RGB.
_PLAIN_MODES = ("L", "RGB", "RGBA")


def images_of(item: Any) -> list[NDArray[Any]]:
    """Return the images of a sample, of a batch, or of a list of either.

    Of a tuple the first entry counts, as in ``(images, labels)``. A list holds images, samples or
    batches; only when its first entry is a batch or an image and another is neither, it is what
    PyTorch collates from tuples, and the first entry counts.

    Returns:
        Arrays with four axes, the first of which counts images.

    Raises:
        InputError: there are no images in it.
    """
    if isinstance(item, Mapping):
        return images_of(item[_key(item, IMAGE_KEYS, "images")])
    if _is_pillow(item):
        return [_of_pillow(item)]
    if _is_array(item):
        return [_with_batch_axis(number_array(item))]
    if isinstance(item, tuple | list) and len(item):
        if _is_nested_numbers(item):
            return [_with_batch_axis(number_array(item))]
        if _is_labelled(item):
            first = item[0]
            return images_of(list(first) if isinstance(first, tuple) else first)
        return [images for entry in item for images in images_of(entry)]
    raise InputError(
        f"no images in {_short(item)}; an array, an image, a tuple (images, labels) or a dict with "
        f"one of {', '.join(IMAGE_KEYS)} is wanted"
    )


def labels_of(item: Any) -> Any:
    """Return the labels of a sample or a batch: the second entry, or that of a usual name.

    Raises:
        InputError: there are none.
    """
    if isinstance(item, Mapping):
        return item[_key(item, LABEL_KEYS, "labels")]
    if isinstance(item, tuple | list) and len(item) > 1 and _is_labelled(item):
        return item[1]
    if isinstance(item, list) and item and isinstance(item[0], tuple | list | Mapping):
        return [labels_of(sample) for sample in item]
    raise InputError(
        f"no labels in {_short(item)}; a tuple (images, labels) or a dict with one of "
        f"{', '.join(LABEL_KEYS)} is wanted"
    )


def _is_labelled(item: tuple[Any, ...] | list[Any]) -> bool:
    """Whether the first entry holds the images and the others something else."""
    if isinstance(item, tuple):
        return True
    axes = [_axes(entry) for entry in item]
    return axes[0] >= 3 and any(other < 3 or other < axes[0] for other in axes[1:])


def _axes(entry: Any) -> int:
    """Return the number of axes of an array or an image; 3 for a container, 0 for a label."""
    if isinstance(entry, tuple | list) and _is_nested_numbers(entry):
        return int(number_array(entry).ndim)
    if isinstance(entry, Mapping | tuple | list) or _is_pillow(entry):
        return 3
    return int(getattr(entry, "ndim", 0))


def _is_pillow(item: Any) -> bool:
    """Whether it is an image of Pillow; who has one has imported Pillow."""
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(item, pillow.Image)


def _is_array(item: Any) -> bool:
    return hasattr(item, "ndim") and hasattr(item, "dtype")


def _is_nested_numbers(item: Any) -> bool:
    while isinstance(item, tuple | list) and len(item):
        item = item[0]
    return isinstance(item, int | float)


def _with_batch_axis(array: NDArray[Any]) -> NDArray[Any]:
    if array.ndim == 3:
        return array[None]
    if array.ndim != 4:
        raise InputError(
            f"images of shape {array.shape} found; (batch, height, width, channels) or "
            "(batch, channels, height, width) is wanted"
        )
    return array


def _of_pillow(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode not in _PLAIN_MODES:
        image = image.convert("RGB")
    array = np.asarray(image)
    return array.reshape(1, *array.shape[:2], -1)


def _key(item: Mapping[Any, Any], usual: tuple[str, ...], what: str) -> Any:
    for name in usual:
        if name in item:
            return name
    raise InputError(
        f"a dict with the keys {', '.join(map(str, item))} found; {what} are looked for under "
        f"{', '.join(usual)}: rename the key, or give the {what} themselves"
    )


def _short(item: Any) -> str:
    text = repr(item) if isinstance(item, str | int | float | None) else type(item).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."
