"""The rows that calibration keeps stand for the whole map."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hyq_hls.quant.scales.sampling import sampled_rows
from hyq_hls.quant.scales.statistics import TensorStatistics


def positions(shape: tuple[int, ...], wanted: int, batches: int) -> list[NDArray[np.int64]]:
    """Return the indices along every axis of the rows of all batches."""
    rows = np.arange(np.prod(shape))
    kept = [rows[sampled_rows(shape, wanted, b, batches)] for b in range(batches)]
    return list(np.unravel_index(np.concatenate(kept), shape))


@pytest.mark.parametrize("batches", [1, 2, 16])
@pytest.mark.parametrize("shape", [(8, 32, 32), (8, 28, 28), (2, 4, 64), (32, 16, 16), (3, 7, 9)])
def test_a_sample_meets_every_row_and_column(shape: tuple[int, ...], batches: int) -> None:
    """With one batch, a step of a map's width would meet one column alone: a border."""
    _, y, x = positions(shape, 256, batches)
    assert np.unique(y).size == shape[1]
    assert np.unique(x).size == shape[2]
    share = np.mean(x == 0)
    assert share < 2.5 / shape[2], f"{share:.0%} of the sample are column 0"


@given(st.integers(1, 9), st.integers(1, 40), st.integers(1, 40), st.integers(0, 300))
def test_a_sample_has_about_the_wanted_size(images: int, high: int, wide: int, wanted: int) -> None:
    rows = images * high * wide
    kept = np.arange(rows)[sampled_rows((images, high, wide), wanted, 0, 1)]
    assert min(rows, max(wanted, 1)) <= kept.size <= max(2 * wanted, 1)
    assert np.all(np.diff(kept) > 0)
    again = np.arange(rows)[sampled_rows((images, high, wide), wanted, 0, 1)]
    assert np.array_equal(kept, again)


def test_ranges_of_channels_see_more_than_a_border() -> None:
    """The sample of 256 channels on one batch of 32 x 32 maps takes every 32nd row."""
    value = torch.arange(32.0).reshape(1, 1, 32, 1).expand(8, 32, 32, 256)
    statistics = TensorStatistics("map", 0.1, batches=1)
    statistics.update(value)
    assert len(statistics.rows) == 256
    assert statistics.rows.min() == 0
    assert statistics.rows.max() == 31
