"""Requantization equals exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.graph import Bounds, Quantization
from hyq_hls.graph.requantize import Requantize

BYTE = Quantization(8, False)
INT8 = Quantization(8, True)


def exact(acc: int, multiplier: int, shift: int, zero_point: int, q: Quantization) -> int:
    """The definition, in rationals: floor(x + 1/2), then the zero point, then saturation."""
    rounded = floor(Fraction(acc * multiplier) / Fraction(2) ** shift + Fraction(1, 2))
    return min(max(rounded + zero_point, q.qmin), q.qmax)


@st.composite
def case(draw: st.DrawFn) -> tuple[Requantize, Bounds, int]:
    """Any requantization that the guard lets pass, with the bounds and the number of channels."""
    channels = draw(st.integers(1, 4))
    length = st.sampled_from([1, channels])
    bits, signed = draw(st.integers(2, 16)), draw(st.booleans())
    low = -(1 << (bits - 1)) if signed else 0

    def some(values: st.SearchStrategy[int]) -> tuple[int, ...]:
        return tuple(draw(st.lists(values, min_size=(n := draw(length)), max_size=n)))

    zero_point = some(st.integers(low, low + (1 << bits) - 1))
    q = Quantization(bits, signed, zero_point=zero_point)
    multiplier = some(draw(st.sampled_from([st.just(1), st.integers(1, (1 << 16) - 1)])))
    shift = some(st.integers(-20, 62))
    requantize = Requantize(q, np.array(shift), np.array(multiplier))
    width = draw(st.integers(1, 62))
    bounds = Bounds(-(1 << (width - 1)), (1 << (width - 1)) - 1)
    return requantize, bounds, channels


@given(case(), st.data())
def test_equals_exact_rationals(drawn: tuple[Requantize, Bounds, int], data: st.DataObject) -> None:
    """Whatever the guard accepts is exact over the whole range of the accumulator."""
    r, bounds, channels = drawn
    try:
        r.check(bounds, channels)
    except GraphError:
        assume(False)
    inside = st.integers(bounds.low, bounds.high)
    row = st.lists(inside, min_size=channels, max_size=channels)
    rows = [
        *data.draw(st.lists(row, max_size=4)),
        [bounds.low] * channels,
        [bounds.high] * channels,
    ]
    vectors = (r.multiplier, r.shift, np.array(r.quantization.zero_point))
    entries = zip(*(np.broadcast_to(v, channels).tolist() for v in vectors), strict=True)
    factors = [(m, s, z) for m, s, z in entries]
    expected = [
        [exact(a, *f, r.quantization) for a, f in zip(row, factors, strict=True)] for row in rows
    ]
    assert np.array_equal(r(np.array(rows, dtype=np.int64)), expected)


@pytest.mark.slow
@given(case())
def test_scaled_bits_hold_every_intermediate(drawn: tuple[Requantize, Bounds, int]) -> None:
    """The width that the C++ gets for its scaled accumulator is enough, at both ends."""
    r, bounds, channels = drawn
    width = r.scaled_bits(bounds)
    for c in range(channels):
        m, s = (int(v[c if v.size > 1 else 0]) for v in (r.multiplier, r.shift))
        for acc in (bounds.low, bounds.high):
            scaled = (acc * m) << max(-s, 0)
            for value in (scaled, scaled + ((1 << (s - 1)) if s > 0 else 0)):
                assert -(1 << (width - 1)) <= value < 1 << (width - 1)


@pytest.mark.parametrize(
    ("shift", "multiplier", "acc", "expected"),
    [
        (1, 1, [-5, -3, -1, 1, 3, 5], [-2, -1, 0, 1, 2, 3]),  # halves go up
        (2, 1, [-6, -2, 2, 6, 5, 7], [-1, 0, 1, 2, 1, 2]),
        (0, 1, [-128, 127, 128, -129], [-128, 127, 127, -128]),  # saturation, no rounding
        (-3, 1, [1, -1, 15, 16, -16, -17], [8, -8, 120, 127, -128, -128]),  # left
        (2, 3, [2, -2, 1, -1], [2, -1, 1, -1]),  # 1.5, -1.5, 0.75, -0.75
        (-1, 3, [1, -2, 100], [6, -12, 127]),
    ],
)
def test_known_values(shift: int, multiplier: int, acc: list[int], expected: list[int]) -> None:
    r = Requantize(INT8, np.array([shift]), np.array([multiplier]))
    assert np.array_equal(r(np.array(acc)[:, None])[:, 0], expected)


def test_zero_point_comes_after_rounding_and_before_saturation() -> None:
    q = Quantization(8, False, zero_point=(200,))
    r = Requantize(q, np.array([1]), np.array([1]))
    assert np.array_equal(
        r(np.array([[-401], [-1], [1], [109], [110], [999]]))[:, 0], [0, 200, 201, 255, 255, 255]
    )


def test_overflow_guard() -> None:
    q = Quantization(16, True)
    wide = Bounds(-(1 << 47), (1 << 47) - 1)  # 48 bits
    full, one = np.array([(1 << 16) - 1]), np.array([1])
    Requantize(q, np.array([-15]), one).check(wide, 3)  # 48 + 15 + 1 = 64
    Requantize(q, np.array([30]), np.array([(1 << 15) - 1])).check(wide, 3)
    for shift, multiplier in ((-16, one), (30, full)):
        r = Requantize(q, np.array([shift]), multiplier)
        with pytest.raises(GraphError, match="48-bit accumulator needs 65 bits, beyond 64"):
            r.check(wide, 3)


@pytest.mark.parametrize("field", ["shift", "multiplier", "zero_point"])
def test_channels_must_fit(field: str) -> None:
    three = np.array([1, 2, 3])
    shift, multiplier = (three if field == f else np.array([1]) for f in ("shift", "multiplier"))
    q = Quantization(8, False, zero_point=(1, 2, 3) if field == "zero_point" else (0,))
    r = Requantize(q, shift, multiplier)
    acc = Bounds(0, 255)
    r.check(acc, 3)
    for channels in (1, 2, 4):
        with pytest.raises(GraphError, match=f"3 entries for {channels} channels"):
            r.check(acc, channels)


@pytest.mark.parametrize(
    ("shift", "multiplier", "message"),
    [
        ([63], [1], r"shifts .*leave \[-62, 62\]"),
        ([-63], [1], "leave"),
        ([np.iinfo(np.int64).min], [1], "leave"),
        ([1, 99], [1], "leave"),
        ([1], [0], r"multipliers leave \[1, 65535\]: \[0, 0\]"),
        ([1], [-1], "multipliers leave"),
        ([1], [1, 1 << 16], "multipliers leave"),
        ([1.0], [1], "shift: a vector of integers"),
        ([1], [True], "multiplier: a vector of integers"),
        ([[1]], [1], "shift: a vector of integers"),
        ([1, 2], [1, 2, 3], "2 shifts, 3 multipliers"),
        (np.zeros(0, np.int64), [1], "shift"),
        ([1], np.zeros(0, np.int64), "multiplier"),
    ],
)
def test_refuses(shift: list[int], multiplier: list[int], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Requantize(BYTE, np.array(shift), np.array(multiplier))


def test_lengths_of_zero_points_count_too() -> None:
    q = Quantization(8, False, zero_point=(1, 2))
    with pytest.raises(GraphError, match="2 zero points"):
        Requantize(q, np.array([1, 2, 3]), np.array([1]))


def test_log2_output_is_refused() -> None:
    with pytest.raises(GraphError, match="log2 codes come from a softmax"):
        Requantize(Quantization(4, False, encoding="log2"), np.array([1]), np.array([1]))


def test_parameters_are_copied_and_frozen() -> None:
    shift = np.array([1])
    r = Requantize(BYTE, shift, np.array([1]))
    shift[0] = 5
    assert r.shift[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        r.shift[0] = 2
