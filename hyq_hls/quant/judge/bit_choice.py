"""The choice of widths as an integer program: the least error for an average, or for a part.

Every free layer and tensor takes one width::

    minimize    sum of error[key, bits] * x[key, bits]
    subject to  sum of x[key, .] = 1
                sum of count[key] * bits * x[key, bits] <= average * sum of count
                usage at the widest + sum of change[key, bits] * x[key, bits]
                  + sum of change[pair, bits, bits] * y[pair, bits, bits] <= limit, per resource
                sums of y over one side of a pair = x of the other side

HiGHS solves it through scipy. A width is no choice where a narrower one has no larger error, so
that layers and tensors that do not matter get the fewest bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from hyq_hls.errors import QuantizationError
from hyq_hls.quant.judge.sensitivity import Key, Sensitivity

Array = NDArray[np.float64]

#: Relative distance to the best choice at which the solver may stop, where resources are limited.
GAP = 1e-3
#: Sum of the coefficients of the average. The tolerance of the solver is a millionth.
_ROW = 1000
#: Seconds after which the solver returns the best choice that it has found.
TIME_LIMIT = 60.0


@dataclass(frozen=True)
class BitChoice:
    """A width for everything that has a choice.

    Attributes:
        bits: width by node and kind.
        average_bits: average over all weights and all elements of activations together.
        predicted_error: error of the logits, relative to their power: the sum of sensitivities.
    """

    bits: Mapping[Key, int]
    average_bits: float
    predicted_error: float

    @classmethod
    def of(cls, sensitivities: Iterable[Sensitivity], bits: Mapping[Key, int]) -> BitChoice:
        """Return the choice with its average and its error."""
        found = list(sensitivities)
        return cls(
            bits,
            average_bits(found, bits),
            float(sum(s.errors[bits[s.key]] for s in found)),
        )


@dataclass(frozen=True, eq=False)
class WidthUsage:
    """Usage of some resources by width, as changes against the widest.

    Attributes:
        widest: usage when everything is as wide as it may be.
        single: change by the width of one key.
        pairs: change by the widths of two keys together.
    """

    widest: Array
    single: Mapping[Key, Mapping[int, Array]]
    pairs: Mapping[tuple[Key, Key], Mapping[tuple[int, int], Array]] = field(default_factory=dict)

    def total(self, bits: Mapping[Key, int]) -> Array:
        """Return the usage of a choice."""
        total = self.widest + sum(c[bits[key]] for key, c in self.single.items())
        return np.asarray(total + sum(c[bits[a], bits[b]] for (a, b), c in self.pairs.items()))


def average_bits(sensitivities: Iterable[Sensitivity], bits: Mapping[Key, int]) -> float:
    """Return the bits per weight and element of activations; see :class:`BitChoice`."""
    found = list(sensitivities)
    return sum(s.count * bits[s.key] for s in found) / max(1, sum(s.count for s in found))


def narrowest(sensitivities: Iterable[Sensitivity]) -> BitChoice:
    """Return the choice of the fewest bits everywhere."""
    found = list(sensitivities)
    return BitChoice.of(found, {s.key: min(s.errors) for s in found})


def choose_bits(
    sensitivities: Sequence[Sensitivity],
    average: float | None = None,
    usage: WidthUsage | None = None,
    limits: Array | None = None,
) -> BitChoice | None:
    """Return the widths of the smallest sum of errors; None where no choice keeps the limits.

    Args:
        sensitivities: sensitivities of everything that has a choice.
        average: most bits per weight and element of activations; None sets no limit.
        usage: usage of resources, given together with ``limits``.
        limits: most of every resource; infinite where there is no limit.

    Raises:
        QuantizationError: the solver found nothing within its time limit.
    """
    program = _Program(sensitivities, usage, limits)
    total = sum(s.count for s in sensitivities)
    allowed = None if average is None else floor(Fraction(average) * total)
    room = allowed
    while True:
        bits = program.solve(room)
        if bits is None or allowed is None or room is None:
            break
        excess = sum(s.count * bits[s.key] for s in sensitivities) - allowed
        if excess <= 0:
            break
        room -= excess  # The solver counts in floating point, to about a millionth.
    return None if bits is None else BitChoice.of(sensitivities, bits)


def error_front(sensitivities: Sequence[Sensitivity], averages: Iterable[float]) -> list[BitChoice]:
    """Return the best choice for every average; fewer bits never have a smaller error.

    Args:
        sensitivities: result of :func:`~hyq_hls.quant.judge.sensitivity.sensitivity_curve`.
        averages: bits per weight and element of activations.

    Raises:
        QuantizationError: an average is below the narrowest width.
    """
    found = []
    for average in averages:
        choice = choose_bits(sensitivities, average)
        if choice is None:
            raise QuantizationError(
                f"average of {average:g} bits: the narrowest widths have more on average; give a "
                "larger average or smaller choices"
            )
        found.append(choice)
    return found


class _Program:
    """The integer program. Its columns are widths of keys, then pairs of widths."""

    def __init__(
        self, sensitivities: Sequence[Sensitivity], usage: WidthUsage | None, limits: Array | None
    ) -> None:
        self.usage, self.limits = usage, limits
        self.columns: list[tuple[Key, int]] = []
        self.of: dict[Key, dict[int, int]] = {}
        errors, counts = [], []
        for s in sensitivities:
            mine = self.of[s.key] = {}
            for bits in _worthwhile(s.errors):
                mine[bits] = len(self.columns)
                self.columns.append((s.key, bits))
                errors.append(s.errors[bits])
                counts.append(s.count * bits)
        self.rows: list[tuple[list[int], list[int], float]] = [
            (list(mine.values()), [], 1.0) for mine in self.of.values()
        ]
        self.changes: list[Array] = []
        if usage is not None:
            none = np.zeros_like(usage.widest)
            self.changes = [usage.single.get(k, {}).get(b, none) for k, b in self.columns]
            for (a, b), change in usage.pairs.items():
                self._pair(self.of[a], self.of[b], change)
        count = len(self.changes) or len(self.columns)
        self.errors, self.counts = np.zeros(count), np.zeros(count)
        self.errors[: len(errors)], self.counts[: len(counts)] = errors, counts
        self.weights = sum(s.count for s in sensitivities)

    def _pair(
        self,
        first: Mapping[int, int],
        second: Mapping[int, int],
        change: Mapping[tuple[int, int], Array],
    ) -> None:
        start = len(self.changes)
        names = [(a, b) for a in first for b in second]
        self.changes += [change[name] for name in names]
        for side, columns in enumerate((first, second)):
            for bits, column in columns.items():
                mine = [start + i for i, name in enumerate(names) if name[side] == bits]
                self.rows.append((mine, [column], 0.0))

    def solve(self, room: int | None) -> dict[Key, int] | None:
        """Return widths by key with at most ``room`` bits in all; None where that is impossible."""
        count = len(self.errors)
        entries = [
            (row, column, sign)
            for row, (plus, minus, _) in enumerate(self.rows)
            for columns, sign in ((plus, 1.0), (minus, -1.0))
            for column in columns
        ]
        if not entries:
            return {}
        rows, columns, values = zip(*entries, strict=True)
        equations = coo_array((values, (rows, columns)), shape=(len(self.rows), count))
        sums = [total for *_, total in self.rows]
        constraints = [LinearConstraint(equations.tocsr(), sums, sums)]
        if room is not None:
            # Sums of counts are integers: half a count more allows no further choice, and exceeds
            # the rounding.
            scale = _ROW / self.weights
            counts = (self.counts * scale)[None]
            constraints.append(LinearConstraint(counts, -np.inf, (room + 0.5) * scale))
        limited = self.usage is not None and self.limits is not None
        if self.usage is not None and self.limits is not None:
            keep = np.isfinite(self.limits)
            unit = np.maximum(np.abs(self.limits[keep]), 1.0)
            change = np.array(self.changes)[:, keep] / unit
            left = (self.limits - self.usage.widest)[keep] / unit
            constraints.append(LinearConstraint(change.T, -np.inf, left))
        integral = np.zeros(count)
        integral[: len(self.columns)] = 1  # The pairs follow from the keys.
        result = milp(
            self.errors * self._unit(),
            integrality=integral,
            bounds=Bounds(0, 1),
            constraints=constraints,
            options={"mip_rel_gap": GAP if limited else 0.0, "time_limit": TIME_LIMIT},
        )
        if result.x is None and result.status == 1:
            raise QuantizationError(
                f"no choice of bits was found within {TIME_LIMIT:g} s; give fewer choices or more "
                "room"
            )
        if result.x is None:
            return None
        return {
            key: bits
            for (key, bits), x in zip(self.columns, result.x[: len(self.columns)], strict=True)
            if x > 0.5
        }

    def _unit(self) -> float:
        """Return the unit of errors, so that the absolute tolerance of HiGHS, 1e-6, is small.

        The unit is a tenth of the smallest sum. Where that is zero, it is a tenth of the largest
        error.
        """
        best = sum(min(self.errors[list(mine.values())]) for mine in self.of.values())
        return 10 / best if best > 0 else 10 / max(self.errors.max(), 1e-300)


def _worthwhile(errors: Mapping[int, float]) -> list[int]:
    """Return the widths, ascending, whose error is below that of every narrower one."""
    found: list[int] = []
    for bits in sorted(errors):
        if not found or errors[bits] < errors[found[-1]]:
            found.append(bits)
    return found
