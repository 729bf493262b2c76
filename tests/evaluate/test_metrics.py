"""Measures of accuracy, computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hyq_hls.errors import InputError
from hyq_hls.evaluate import Accuracy, accuracy, logit_metrics

WANTED = np.array([[3.0, 1.0], [0.0, 2.0], [1.0, 4.0], [2.0, 0.0]])  # answers 0, 1, 1, 0
LABELS = np.array([0, 1, 0, 0])


def test_accuracy_by_hand() -> None:
    found = accuracy([0, 1, 2, 2, 1, 0, 0, 0], [0, 1, 2, 0, 0, 0, 1, 1], [0, 1, 2, 2, 1, 0, 1, 1])
    assert found == Accuracy(images=8, right=6, float_right=6, agreeing=4)
    assert (found.top1, found.float_top1, found.drop, found.agreement) == (75, 75, 0, 50)
    gained = Accuracy(images=4, right=3, float_right=1, agreeing=0)
    assert (gained.top1, gained.float_top1, gained.drop, gained.agreement) == (75, 25, -50, 0)


@pytest.mark.parametrize(
    ("found", "wanted", "labels"),
    [([], [], []), ([1], [1, 2], [1, 2]), ([1, 2], [1, 2], [1]), ([[1]], [[1]], [[1]])],
)
def test_classes_that_cannot_be_compared(
    found: list[Any], wanted: list[Any], labels: list[Any]
) -> None:
    with pytest.raises(InputError, match=r"three arrays \(B,\) of at least one image"):
        accuracy(found, wanted, labels)


def test_metrics_by_hand() -> None:
    found = WANTED.copy()
    found[0] = [3.0, 3.5]  # now wrong
    found[2] = [1.0, 0.5]  # now right, where float is wrong
    found[3] = [2.0, 1.0]  # still right
    # 35 / (2.5**2 + 3.5**2 + 1**2) = 1.795 is 2.54 dB
    wanted = {"top1": 75.0, "drop": 0.0, "sqnr_db": 2.54, "agreement": 50.0}
    assert logit_metrics(found, WANTED, LABELS) == wanted
    found[3] = [0.0, 1.0]
    assert logit_metrics(found, WANTED, LABELS)["drop"] == 25.0


def test_equal_logits_have_no_noise() -> None:
    wanted = {"top1": 75.0, "drop": 0.0, "sqnr_db": None, "agreement": 100.0}
    assert logit_metrics(WANTED.astype(np.float32), WANTED, LABELS) == wanted


@pytest.mark.parametrize(
    ("found", "labels", "message"),
    [
        (WANTED[:3], LABELS, r"\(3, 2\) and \(4, 2\)"),
        (WANTED, LABELS[:3], r"labels \(3,\)"),
        (WANTED * np.nan, LABELS, "finite"),
        (WANTED - np.inf, LABELS, "finite"),
    ],
)
def test_logits_that_cannot_be_compared(
    found: NDArray[np.float64], labels: NDArray[np.int64], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        logit_metrics(found, WANTED, labels)


def test_no_image_is_refused() -> None:
    with pytest.raises(InputError, match="at least one image"):
        logit_metrics(WANTED[:0], WANTED[:0], LABELS[:0])
