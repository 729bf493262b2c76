"""The schedule of the C++ line buffer against its loop told iteration by iteration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hyq_hls.stream.circuits.process import PIPELINE_LATENCY
from tests.stream.circuits.tap_model import Taps, random_taps

#: A 3 x 3 window on a map of one pixel, one on a map that is far too small, and usual ones.
ONE_PIXEL = Taps(1, 1, (1, 1), (1, 1), (0, 0), (1, 1), 1, 1, 1)
TINY = Taps(1, 1, (3, 3), (1, 1), (1, 1), (1, 1), 1, 1, 1)
ALL_BORDER = Taps(2, 2, (2, 2), (2, 2), (2, 2), (1, 1), 1, 1, 1)
USUAL = Taps(8, 8, (3, 3), (1, 1), (1, 1), (1, 1), 1, 9, 12)
DEPTHWISE = Taps(16, 16, (3, 3), (2, 2), (1, 1), (1, 1), 4, 1, 1)


def check(taps: Taps) -> None:
    """Look at every word: it is written, then read, then overwritten."""
    schedule, written = taps.schedule, taps.writes()
    circle = (taps.operation.extent[0] + taps.stride[0]) * taps.row_words
    assert len(written) == taps.height * taps.row_words, "the whole map is taken"
    assert written[-1] < schedule.iterations
    assert schedule.distance >= 1
    for iteration, word in taps.reads():
        if 0 <= word < len(written):
            assert iteration - written[word] >= schedule.distance
            if word + circle < len(written):  # An iteration reads before it writes.
                assert iteration <= written[word + circle]


@pytest.mark.parametrize("taps", [ONE_PIXEL, TINY, ALL_BORDER, USUAL, DEPTHWISE])
def test_chosen_maps(taps: Taps) -> None:
    check(taps)


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_random_maps(first: int) -> None:
    for seed in range(first, first + 20):
        check(random_taps(np.random.default_rng(seed)))


def test_windows_begin_while_their_last_row_comes() -> None:
    """Two rows of 120 words come first. Of the second one, 36 words are the first window's."""
    slack = 120 - 36 + 1 + 2 * 36
    assert USUAL.schedule.lead == 240 - (slack - PIPELINE_LATENCY)
    assert USUAL.schedule.distance == PIPELINE_LATENCY
    assert USUAL.schedule.period == 8 * 9 * 9 * 12
    assert USUAL.schedule.iterations == USUAL.schedule.lead + 8 * USUAL.schedule.period


def test_windows_of_a_narrow_map_wait_for_its_first_rows() -> None:
    assert TINY.schedule.lead == 3
    assert TINY.schedule.distance == 1 + 3  # The first kernel row lies in the border.
    assert ONE_PIXEL.schedule == (1, 1, 2, 1)
    assert ALL_BORDER.schedule.lead == 0


def test_words_that_no_window_hides_take_the_period() -> None:
    wide = replace(DEPTHWISE, stride=(4, 4), kernel=(1, 1), padding=(0, 0))
    assert wide.schedule.period == 4 * 16 * 4 > 4 * 4
    assert wide.schedule.lead == 16 * 4, "no iteration is left that could write more words"
