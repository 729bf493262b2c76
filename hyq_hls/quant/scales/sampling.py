"""Which rows of a batch calibration keeps."""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray


def sampled_rows(
    shape: tuple[int, ...], wanted: int, batch: int, batches: int
) -> slice | NDArray[np.int64]:
    """Return about ``wanted`` rows of a batch, as an index of its flattened rows.

    They are evenly spaced. A step that shares a factor with the width of a map meets the same
    columns in every row of it, and a border differs from the rest: where evenly spaced rows would
    miss rows or columns, one row is drawn from each interval, by a generator with a fixed seed.

    Args:
        shape: that of the batch without channels: images, then the positions of a map.
        wanted: number of rows of this batch.
        batch: number of this batch, from 0.
        batches: number of batches.
    """
    rows = prod(shape)
    step = max(1, rows // max(1, wanted))
    if _meets_all(shape, step, batches):
        return slice(_offset(batch, step), None, step)
    drawn = np.random.default_rng(batch).integers(0, step, rows // step)
    return np.arange(rows // step) * step + drawn


@lru_cache(maxsize=1024)
def _meets_all(shape: tuple[int, ...], step: int, batches: int) -> bool:
    """Return whether evenly spaced rows meet every row and every column, or as many as they are."""
    starts = (np.arange(_offset(batch, step), prod(shape), step) for batch in range(batches))
    met = np.unravel_index(np.concatenate(list(starts)), shape)
    return all(
        np.unique(index).size == min(size, index.size)
        for index, size in zip(met[1:], shape[1:], strict=True)
    )


def _offset(batch: int, step: int) -> int:
    """Return the first row; a prime for each batch leads to other positions."""
    return (7 * batch) % step
