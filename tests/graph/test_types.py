"""Quantization and TensorType: ranges, zero points, lengths, round trips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.graph import Quantization, TensorType

BYTE = Quantization(8, False)


@st.composite
def affine(draw: st.DrawFn) -> Quantization:
    bits, signed = draw(st.integers(2, 16)), draw(st.booleans())
    low = -(1 << (bits - 1)) if signed else 0
    zero = st.integers(low, low + (1 << bits) - 1)
    scale = st.one_of(
        st.integers(-30, 30).map(lambda f: 2.0**-f), st.floats(1e-6, 1e6, allow_nan=False)
    )
    channels = draw(st.integers(1, 4))
    several = st.tuples(*[zero] * channels), st.tuples(*[scale] * channels)
    return Quantization(bits, signed, draw(several[1]), draw(several[0]))


@pytest.mark.parametrize(
    ("bits", "signed", "low", "high"),
    [
        (2, True, -2, 1),
        (2, False, 0, 3),
        (8, True, -128, 127),
        (8, False, 0, 255),
        (16, True, -32768, 32767),
        (16, False, 0, 65535),
    ],
)
def test_code_range(bits: int, signed: bool, low: int, high: int) -> None:
    q = Quantization(bits, signed)
    assert (q.qmin, q.qmax) == (low, high)
    assert np.array_equal(q.codes(), range(low, high + 1))


@given(affine())
def test_every_code_survives_dequantize_and_quantize(q: Quantization) -> None:
    codes = q.codes()
    channels = max(len(q.scale), len(q.zero_point))
    codes = np.repeat(codes[:, None], channels, axis=1)
    assert np.array_equal(q.quantize(q.dequantize(codes)), codes)


@pytest.mark.slow
@given(affine(), st.lists(st.floats(-2, 3), min_size=1, max_size=20))
def test_quantize_is_the_nearest_code(q: Quantization, shares: list[float]) -> None:
    """Values anywhere in and around the range: no other code is nearer."""
    low, high = q.dequantize([q.qmin]), q.dequantize([q.qmax])
    values = low + np.asarray(shares)[:, None] * (high - low)
    codes = q.quantize(values)
    assert codes.dtype == np.int64
    assert codes.min() >= q.qmin
    assert codes.max() <= q.qmax
    steps = values / q.scale + q.zero_point
    tolerance = 1e-9 * np.abs(steps).max()
    error = np.abs(steps - codes)
    for other in (np.maximum(codes - 1, q.qmin), np.minimum(codes + 1, q.qmax)):
        assert (error <= np.abs(steps - other) + tolerance).all()


def test_constants_are_rounded_half_to_even() -> None:
    q = Quantization(8, True)
    found = q.quantize([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert np.array_equal(found, [-2, -2, 0, 0, 2, 2])


@given(st.integers(2, 8))
def test_log2_codes_survive_and_the_largest_is_zero(bits: int) -> None:
    q = Quantization(bits, False, encoding="log2")
    codes = np.arange(q.qmax + 1)
    values = q.dequantize(codes)
    assert values[0] == 1
    assert values[1] == 0.5
    assert values[-1] == 0
    assert np.array_equal(q.quantize(values), codes)
    assert np.array_equal(q.quantize([-1.0, 3.0]), [q.qmax, 0])


def test_per_channel_values_use_their_own_scale_and_zero_point() -> None:
    q = Quantization(8, False, (0.5, 2.0), (10, 3))
    assert q.per_channel
    assert np.array_equal(q.dequantize([[12, 12], [10, 3]]), [[1.0, 18.0], [0.0, 0.0]])
    assert np.array_equal(q.quantize([[1.0, 18.0]]), [[12, 12]])
    assert not BYTE.per_channel


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bits": 1}, "1 bits; 2 to 16"),
        ({"bits": 17}, "17 bits; 2 to 16"),
        ({"bits": 8.0}, "integers, found"),
        ({"zero_point": (256,)}, r"zero points \(256,\) leave the code range \[0, 255\]"),
        ({"zero_point": (-1,)}, "leave the code range"),
        ({"signed": True, "zero_point": (128,)}, r"\[-128, 127\]"),
        ({"zero_point": (0, 0, 999)}, "leave the code range"),
        ({"zero_point": (0.5,)}, "integers, found"),
        ({"zero_point": ()}, "needs a scale and a zero point"),
        ({"scale": ()}, "needs a scale and a zero point"),
        ({"scale": (0.0,)}, "scales must be positive"),
        ({"scale": (-1.0,)}, "scales must be positive"),
        ({"scale": (float("nan"),)}, "scales must be positive and finite"),
        ({"scale": (1.0, float("inf"))}, "scales must be positive and finite"),
        ({"encoding": "log10"}, "unknown encoding 'log10'"),
        ({"encoding": "log2", "signed": True}, "unsigned codes, but signed=True"),
    ],
)
def test_quantization_refuses(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Quantization(**{"bits": 8, "signed": False, **arguments})  # type: ignore[arg-type]


def test_numpy_integers_become_python_integers() -> None:
    """They could not be saved as JSON otherwise."""
    q = Quantization(np.int64(8), False, zero_point=(np.int64(3),))
    assert type(q.bits) is int
    assert type(q.zero_point[0]) is int


def test_tensor_type_counts() -> None:
    t = TensorType((4, 5, 6), BYTE)
    assert (t.channels, t.words, t.size) == (6, 20, 120)
    assert TensorType((7,), BYTE).words == 1


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (3, -1)])
def test_a_shape_needs_positive_dimensions(shape: tuple[int, ...]) -> None:
    with pytest.raises(GraphError, match="positive dimensions"):
        TensorType(shape, BYTE)


@pytest.mark.parametrize("dimension", [2.0, 1.5, "2", None])
def test_a_shape_needs_integers(dimension: object) -> None:
    with pytest.raises(GraphError, match="a shape needs integers"):
        TensorType((dimension, 3), BYTE)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [2, 4])
def test_per_channel_lengths_must_be_the_channels(count: int) -> None:
    for q in (
        Quantization(8, False, scale=(1.0,) * count),
        Quantization(8, False, zero_point=(0,) * count),
    ):
        with pytest.raises(GraphError, match=f"{count} scales or zero points on 3 channels"):
            TensorType((2, 3), q)
        assert TensorType((2, count), q).channels == count


def test_check_names_tensor_and_fault() -> None:
    t = TensorType((2, 3), Quantization(4, True))
    t.check(np.zeros((5, 2, 3), np.int64), "x")
    t.check(np.zeros((0, 2, 3), np.int64), "x")
    with pytest.raises(GraphError, match="x: integers are wanted, found dtype float64"):
        t.check(np.zeros((1, 2, 3)), "x")
    with pytest.raises(GraphError, match=r"x: shape \(batch, 2, 3\) is wanted, found \(2, 3\)"):
        t.check(np.zeros((2, 3), np.int64), "x")
    for code in (-9, 8):
        with pytest.raises(GraphError, match=r"x: codes in .* leave the range \[-8, 7\]"):
            t.check(np.full((1, 2, 3), code), "x")
