"""Exponentials in fewer bits, where no probability of any row changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hyq_hls.graph.operation import Codes

#: Most levels of log2 codes whose thresholds are computed, in 64 bits.
_MOST_LEVELS = 15
#: Most sums of exponentials that are looked at.
_MOST_SUMS = 1 << 20


def narrowed(exponentials: Codes, width: int, length: int, kind: str, top: int) -> Codes:
    """Return exponentials of ``width`` bits that give the same probabilities, or else wider ones.

    A power of two that all have in common changes no quotient and no comparison. Rows of few codes
    may also lose low bits that decide no comparison, which all possible rows show.

    Args:
        exponentials: int64 (distances,), of the distances from the maximum of a row.
        width: how many bits are wanted.
        length: codes of a row.
        kind: kind of the softmax.
        top: the largest probability code.
    """
    union = int(np.bitwise_or.reduce(exponentials))
    exact: Codes = exponentials // (union & -union)
    surplus = int(exact.max()).bit_length() - width
    if surplus <= 0 or kind == "uniform" or top > _MOST_LEVELS:
        return exact
    rounded = np.maximum(exact >> surplus, np.minimum(exact, 1))
    return rounded if _same_codes(exact, rounded, length, kind, top) else exact


def _same_codes(e: Codes, f: Codes, length: int, kind: str, top: int) -> bool:
    """Return whether two tables of exponentials give all rows of a length the same log2 codes."""
    pairs = np.unique(np.stack([e, f]), axis=1)
    sums = np.zeros((2, 1), np.int64)
    for _ in range(length - 2):
        if pairs.shape[1] * sums.shape[1] > _MOST_SUMS:
            return False
        sums = np.unique((sums[:, :, None] + pairs[:, None]).reshape(2, -1), axis=1)
    # A row has its maximum, another code, and the others; the first two are judged.
    found = []
    for table, peak in zip(pairs, (e[0], f[0]), strict=True):
        base = peak + table
        least = _thresholds(np.stack([table, np.full_like(table, peak)]), kind, top)
        found.append((least - base).ravel())
    low, high = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    reached = np.searchsorted(sums[0], found[0])
    behind = np.minimum.accumulate(np.append(sums[1], high)[::-1])[::-1]
    before = np.maximum.accumulate(np.insert(sums[1], 0, low))
    return bool(((before[reached] < found[1]) & (found[1] <= behind[reached])).all())


def _thresholds(e: Codes, kind: str, top: int) -> NDArray[np.int64]:
    """Return the least sums of a row (top, *shape) that add one to the code of an exponential."""
    found = [(3 * e * (1 << n) + 1) >> 1 for n in range(top)]
    if kind == "log2_rounded":
        found[1:2] = [(5 * e >> 1) + 1]
        found[2:] = [((3 * (1 << n) - 1) * e + 1) >> 1 for n in range(2, top)]
    return np.stack(found)
