"""Statistics that calibration keeps of a tensor: exact ranges per channel, a sample of values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hyq_hls.errors import QuantizationError
from hyq_hls.quant.scales.sampling import sampled_rows

Array = NDArray[np.float64]

#: Values that are kept of each tensor for objectives and percentiles.
SAMPLE_SIZE = 1 << 16
#: Standard deviations above the mean that calibration need not have seen.
_DEVIATIONS = 3.0

#: Values that are squared at once.
_BLOCK = 1 << 24


def _nothing() -> Array:
    return np.empty(0)


def _square_sums(rows: NDArray[Any]) -> Array:
    """Return the sums (C,) of the squares of rows (n, C), in float64 and little memory."""
    step = max(1, _BLOCK // rows.shape[1])
    blocks = (rows[start : start + step] for start in range(0, len(rows), step))
    sums = [(block.astype(np.float64) ** 2).sum(axis=0) for block in blocks]
    return np.asarray(sum(sums[1:], sums[0]))


@dataclass
class TensorStatistics:
    """Statistics of one tensor.

    The statistics are updated batch by batch.

    Attributes:
        name: name of the tensor, for messages.
        momentum: weight of a new batch in the moving averages.
        batches: number of batches to come, so that each leaves its share of rows.
        low, high: exact ends of the range per channel (C,).
        mean_low, mean_high: moving averages (C,) of the ends of the batches' ranges.
    """

    name: str
    momentum: float
    batches: int
    low: Array = field(default_factory=_nothing)
    high: Array = field(default_factory=_nothing)
    mean_low: Array = field(default_factory=_nothing)
    mean_high: Array = field(default_factory=_nothing)
    _squares: Array = field(default_factory=_nothing)
    _count: int = 0
    _batch: int = 0
    _rows: list[Array] = field(default_factory=list)
    _weights: list[Array] = field(default_factory=list)
    _sampled: slice | NDArray[np.int64] = field(default_factory=partial(slice, None))

    def update(self, value: torch.Tensor) -> None:
        """Add a batch (B, ..., C); raise ``QuantizationError`` when a value is not finite."""
        flat = value.detach().reshape(-1, value.shape[-1]).numpy()
        low = flat.min(axis=0).astype(np.float64)
        high = flat.max(axis=0).astype(np.float64)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise QuantizationError(
                f"{self.name}: calibration produced NaN or infinite values; check the images and "
                "the trained weights"
            )
        squares = _square_sums(flat)
        if not self._count:
            self.low, self.high, self._squares = low, high, squares
            self.mean_low, self.mean_high = low, high
        else:
            self.low, self.high = np.minimum(self.low, low), np.maximum(self.high, high)
            self._squares = self._squares + squares
            m = self.momentum
            self.mean_low = (1 - m) * self.mean_low + m * low
            self.mean_high = (1 - m) * self.mean_high + m * high
        self._count += len(flat)
        wanted = SAMPLE_SIZE // (self.batches * flat.shape[1])
        self._sampled = sampled_rows(value.shape[:-1], wanted, self._batch, self.batches)
        self._rows.append(flat[self._sampled].astype(np.float64))
        self._batch += 1

    def weigh(self, weights: torch.Tensor) -> None:
        """Say how much a squared error of every element of the last batch (B, ..., C) counts."""
        flat = weights.detach().reshape(-1, weights.shape[-1]).numpy()
        self._weights.append(flat[self._sampled].astype(np.float64))

    @property
    def power(self) -> Array:
        """Mean square per channel (C,)."""
        return self._squares / self._count

    @property
    def likely_high(self) -> Array:
        """A value per channel (C,) that other images may reach, whatever these ones reached."""
        return np.asarray(self.rows.mean(axis=0) + _DEVIATIONS * self.rows.std(axis=0))

    def misses(self, likely: Array) -> NDArray[np.bool_]:
        """Return for each channel whether the images did not even reach half of a likely value."""
        return np.asarray(self.high < likely / 2)

    def above(self, least: float) -> TensorStatistics:
        """Return the statistics of the tensor with smaller values replaced by ``least``."""
        return replace(
            self,
            low=np.maximum(self.low, least),
            high=np.maximum(self.high, least),
            mean_low=np.maximum(self.mean_low, least),
            mean_high=np.maximum(self.mean_high, least),
            _rows=[np.maximum(rows, least) for rows in self._rows],
        )

    def channel(self, index: int) -> TensorStatistics:
        """Return the statistics of one channel alone."""
        one = slice(index, index + 1)
        return replace(
            self,
            low=self.low[one],
            high=self.high[one],
            mean_low=self.mean_low[one],
            mean_high=self.mean_high[one],
            _squares=self._squares[one],
            _rows=[rows[:, one] for rows in self._rows],
            _weights=[weights[:, one] for weights in self._weights],
        )

    def divided(self, factors: Array) -> TensorStatistics:
        """Return the statistics of the tensor with channels divided by positive factors (C,)."""
        return replace(
            self,
            low=self.low / factors,
            high=self.high / factors,
            mean_low=self.mean_low / factors,
            mean_high=self.mean_high / factors,
            _squares=self._squares / factors**2,
            _rows=[rows / factors for rows in self._rows],
            _weights=[weights * factors**2 for weights in self._weights],
        )

    @property
    def rows(self) -> Array:
        """Sampled rows (n, C): whole rows, of all parts of the maps."""
        if len(self._rows) > 1:
            self._rows = [np.concatenate(self._rows)]
        return self._rows[0]

    @property
    def weights(self) -> Array | None:
        """Weights (n, C) of the squared errors of :attr:`rows`; None where all count the same."""
        if len(self._weights) > 1:
            self._weights = [np.concatenate(self._weights)]
        return self._weights[0] if self._weights else None
