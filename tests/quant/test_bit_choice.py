"""The integer program of widths against every choice there is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyq_hls.quant.judge.bit_choice import BitChoice, WidthUsage, choose_bits, narrowest
from hyq_hls.quant.judge.sensitivity import Sensitivity


def every_choice(sensitivities: list[Sensitivity]) -> list[BitChoice]:
    keys = [s.key for s in sensitivities]
    return [
        BitChoice.of(sensitivities, dict(zip(keys, bits, strict=True)))
        for bits in product(*(s.errors for s in sensitivities))
    ]


_ERRORS = st.lists(st.sampled_from([0.0, 1e-9, 3e-6, 1e-4, 0.7, 2.0]), min_size=3, max_size=3)
_ITEMS = st.lists(st.tuples(st.integers(1, 10**6), _ERRORS), min_size=2, max_size=5)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(_ITEMS, st.floats(4, 8), st.integers(0, 2**32 - 1))
def test_no_choice_within_average_and_resources_is_better(
    items: list[tuple[int, list[float]]], average: float, seed: int
) -> None:
    """Errors fall with bits here, as the program assumes; pairs cost what no sum of two does."""
    rng = np.random.default_rng(seed)
    found = [
        Sensitivity(f"n{i}", "weights", count, dict(zip((4, 6, 8), sorted(e)[::-1], strict=True)))
        for i, (count, e) in enumerate(items)
    ]
    keys = [s.key for s in found]
    single = {
        key: {b: rng.integers(0, 9, 2) * np.float64(10 * b) for b in (4, 6, 8)} for key in keys[1:]
    }
    both = list(product((4, 6, 8), repeat=2))
    pairs = {
        (keys[0], keys[1]): {(a, b): rng.integers(0, 9, 2) * np.float64(a * b) for a, b in both}
    }
    usage = WidthUsage(np.array([7.0, 9.0]), single, pairs)
    limits = np.array([rng.integers(200, 1500) + 0.5, np.inf])
    choice = choose_bits(found, average, usage, limits)

    def narrowest(c: BitChoice) -> bool:
        return all(
            s.errors[c.bits[s.key]] < s.errors[b]
            for s in found
            for b in s.errors
            if b < c.bits[s.key]
        )

    allowed = [
        c
        for c in every_choice(found)
        if c.average_bits <= average and (usage.total(c.bits) <= limits).all() and narrowest(c)
    ]
    if choice is None:
        assert not allowed
        return
    assert choice.average_bits <= average
    assert (usage.total(choice.bits) <= limits).all()
    best = min(c.predicted_error for c in allowed)
    # The solver counts in tenths of the least error, or of the largest where the least is zero.
    unit = sum(min(s.errors.values()) for s in found) or max(max(s.errors.values()) for s in found)
    assert best <= choice.predicted_error <= best * 1.0011 + 2e-7 * unit


@pytest.mark.parametrize(("average", "bits"), [(5.99, [4, 4]), (6.0, [4, 8]), (8.0, [8, 8])])
def test_the_average_is_kept_to_the_last_bit(average: float, bits: list[int]) -> None:
    """Layers of 10 million weights: a solver's tolerance must not let one bit too many pass."""
    found = [
        Sensitivity("a", "weights", 10_000_000, {4: 2.0, 8: 1.0}),
        Sensitivity("b", "activations", 10_000_000, {4: 3.0, 8: 1.0}),
    ]
    choice = choose_bits(found, average)
    assert choice is not None
    assert list(choice.bits.values()) == bits
    almost = [Sensitivity("c", "weights", 1, {4: 1.0, 5: 0.5}), *found]
    choice = choose_bits(almost, 6.0)
    assert choice is not None
    assert choice.average_bits <= 6.0
    assert list(choice.bits.values()) == [5, 4, 8]


def test_no_choice_at_all() -> None:
    found = [Sensitivity("a", "weights", 3, {4: 2.0, 8: 1.0})]
    assert choose_bits(found, 3.9) is None
    usage = WidthUsage(np.array([9.0]), {("a", "weights"): {4: np.array([-3.0]), 8: np.zeros(1)}})
    assert choose_bits(found, None, usage, np.array([5.0])) is None
    choice = choose_bits(found, None, usage, np.array([6.0]))
    assert choice == narrowest(found)
    assert choice == BitChoice({("a", "weights"): 4}, 4.0, 2.0)
