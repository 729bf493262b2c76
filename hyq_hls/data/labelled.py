"""Batches of images with their labels, for accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hyq_hls.data.sample import images_of, labels_of
from hyq_hls.errors import HyqError, InputError
from hyq_hls.images import number_array

#: Samples of a dataset that are taken together.
_BATCH = 64


def labelled_batches(
    data: Any, labels: Any = None
) -> Iterator[tuple[NDArray[Any], NDArray[np.int64]]]:
    """Yield images (B, ...) with labels (B,), int64.

    Args:
        data: images with ``labels``; or ``(images, labels)``, an iterable of such batches or of
            samples, or a dataset of samples, where dicts do as well as tuples.
        labels: the labels of ``data``.

    Raises:
        InputError: there are no labels, they are no integers, or not as many as images.
    """
    if labels is not None:
        yield _checked(images_of(data), labels)
        return
    if isinstance(data, tuple | dict):
        yield _checked(images_of(data), labels_of(data))
        return
    try:
        for items in _batches(data):
            images = [array for item in items for array in images_of(item)]
            found = [np.atleast_1d(_integers(labels_of(item))) for item in items]
            yield _checked(images, np.concatenate(found))
    except HyqError:
        raise
    except Exception as error:  # whatever the user's dataset or transform raises
        raise InputError(
            f"reading images and labels from a {type(data).__name__} failed "
            f"({type(error).__name__}: {error}); it must give them when it is read by itself"
        ) from error


def _batches(data: Any) -> Iterator[list[Any]]:
    """Yield entries of an iterable one by one, and samples of a dataset together."""
    if not isinstance(data, list) and hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        for start in range(0, len(data), _BATCH):
            yield [data[i] for i in range(start, min(start + _BATCH, len(data)))]
    elif isinstance(data, Iterable) and not isinstance(data, str):
        for item in data:
            yield [item]
    else:
        raise InputError(
            f"images and labels are wanted, found {type(data).__name__}; give both, or a "
            "DataLoader or Dataset of (images, labels)"
        )


def _checked(images: list[NDArray[Any]], labels: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
    array = images[0] if len(images) == 1 else np.concatenate(images)
    found = _integers(labels)
    if found.shape != array.shape[:1]:
        more = "; one-hot labels? give labels.argmax(1)" if found.ndim == 2 else ""
        raise InputError(f"{len(array)} images but labels of shape {found.shape}{more}")
    return array, found


def _integers(labels: Any) -> NDArray[np.int64]:
    found = number_array(labels)
    if found.size and found.dtype.kind not in "ui":
        kind = "text" if found.dtype.kind in "USO" else str(found.dtype)
        raise InputError(
            f"labels of {kind} found; integers are wanted, each the place of its class among the "
            "logits: translate names by the list of classes with which the model was trained"
        )
    return found.astype(np.int64)
