"""Measures of a quantized network against its float network: top-1, agreement, SQNR."""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hyq_hls.errors import InputError
from hyq_hls.verify import sqnr_db


@dataclass(frozen=True)
class Accuracy:
    """The answers of a quantized network, counted against the labels and the float network.

    Attributes:
        images: number of images.
        right: images that the quantized network classifies correctly.
        float_right: images that the float network classifies correctly.
        agreeing: images to which both networks give the same class.
    """

    images: int
    right: int
    float_right: int
    agreeing: int

    @property
    def top1(self) -> float:
        """Top-1 accuracy of the quantized network in percent."""
        return 100 * self.right / self.images

    @property
    def float_top1(self) -> float:
        """Top-1 accuracy of the float network in percent."""
        return 100 * self.float_right / self.images

    @property
    def drop(self) -> float:
        """Points of top-1 that quantization costs; negative where it gains."""
        return self.float_top1 - self.top1

    @property
    def agreement(self) -> float:
        """Images with the same class in both networks, in percent."""
        return 100 * self.agreeing / self.images


def accuracy(found: ArrayLike, wanted: ArrayLike, labels: ArrayLike) -> Accuracy:
    """Compare the classes of a quantized network with those of the float network.

    Args:
        found: classes (B,) of the quantized network.
        wanted: classes (B,) of the float network.
        labels: the right classes (B,).

    Raises:
        InputError: there is no image, or the lengths differ.
    """
    found, wanted, labels = np.asarray(found), np.asarray(wanted), np.asarray(labels)
    if not (found.ndim == 1 and found.size and found.shape == wanted.shape == labels.shape):
        raise InputError(
            f"classes {found.shape} and {wanted.shape} with labels {labels.shape}: three arrays "
            "(B,) of at least one image are wanted"
        )
    return Accuracy(
        images=len(labels),
        right=int((found == labels).sum()),
        float_right=int((wanted == labels).sum()),
        agreeing=int((found == wanted).sum()),
    )


def logit_metrics(
    found_logits: NDArray[np.floating[Any]],
    wanted_logits: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
) -> dict[str, float | None]:
    """Compare the logits of a quantized network with those of the float network.

    Args:
        found_logits: (B, classes) of the quantized network.
        wanted_logits: (B, classes) of the float network.
        labels: the right classes (B,).

    Returns:
        Rounded plain values for a record: ``top1``, ``drop`` and ``agreement`` as in
        :class:`Accuracy`, and ``sqnr_db``, the signal-to-quantization-noise ratio of all logits in
        dB, which is None where they are equal.

    Raises:
        InputError: the shapes do not fit, there is no image, or a logit is not finite.
    """
    found = np.asarray(found_logits, dtype=np.float64)
    wanted = np.asarray(wanted_logits, dtype=np.float64)
    if found.ndim != 2 or found.shape != wanted.shape or labels.shape != found.shape[:1]:
        raise InputError(
            f"logits {found.shape} and {wanted.shape} with labels {labels.shape}: "
            "(B, classes) twice and (B,) are wanted"
        )
    if found.size == 0 or not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        raise InputError("logits of at least one image are wanted, all of them finite")
    counts = accuracy(found.argmax(axis=1), wanted.argmax(axis=1), labels)
    ratio = sqnr_db(wanted, found)
    return {
        "top1": round(counts.top1, 3),
        "drop": round(counts.drop, 3),
        "sqnr_db": None if isinf(ratio) and ratio > 0 else round(ratio, 2),
        "agreement": round(counts.agreement, 3),
    }
