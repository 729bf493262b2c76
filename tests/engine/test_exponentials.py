"""Narrower exponentials give every possible row the same probabilities, or are not taken."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from hyq_hls import ops
from hyq_hls.engine.forms import SoftmaxRows
from hyq_hls.engine.forms.exponentials import narrowed
from hyq_hls.engine.forms.softmax import softmax
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.graph.operation import Codes
from hyq_hls.ops.table_softmax import SoftmaxOutput

KINDS: tuple[SoftmaxOutput, ...] = ("log2", "log2_rounded", "uniform")


def every_row(distances: int, length: int) -> Codes:
    return np.array(list(product(range(distances), repeat=length)))


def line(distances: int, bits: int) -> Codes:
    """Exponentials as HyQ makes them: eleven down to seven, and again in the next octave."""
    octave, rest = np.divmod(np.arange(distances), 5)
    found: Codes = ((11 - rest) << (bits - 4)) >> octave
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_common_power_of_two_goes(kind: SoftmaxOutput) -> None:
    rng = np.random.default_rng(0)
    wide = (2 * rng.integers(0, 1 << 30, 256) + 1) << 9
    operation = ops.TableSoftmax(wide, 4, kind)
    form = softmax(operation, TensorType((1, 20, 1, 30), Quantization(8, False)))
    assert np.array_equal(form.exponentials, wide >> 9)
    codes = rng.integers(0, 256, (500, 30))
    assert np.array_equal(form.execute(codes), operation.reference(codes))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS[:2])
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_narrow_exponentials_change_no_row(kind: SoftmaxOutput, length: int) -> None:
    rng = np.random.default_rng(length)
    rows, taken = every_row(8, length), []
    tables = [line(8, 24), line(8, 20) | 1, line(8, 9)]
    tables += [np.sort(rng.integers(1, 1 << bits, 8))[::-1] for bits in (6, 8, 12, 20)]
    for wide in tables:
        for width in (3, 6, 12):
            found = narrowed(wide, width, length, kind, 15)
            before, behind = (SoftmaxRows(kind, 4, e).execute(rows) for e in (wide, found))
            assert np.array_equal(before, behind)
            taken.append(int(found.max()).bit_length() <= width)
    assert set(taken) == {True, False}


def test_what_would_change_a_row_stays() -> None:
    wide = np.array([8, 7, 1, 1])
    found = narrowed(wide, 3, 4, "log2", 15)
    assert np.array_equal(found, wide)


@pytest.mark.parametrize(
    ("length", "kind", "bits"), [(5, "log2", 4), (4, "uniform", 4), (4, "log2", 5)]
)
def test_where_nothing_shows_it_the_softmax_is_refused(
    length: int, kind: SoftmaxOutput, bits: int
) -> None:
    operation = ops.TableSoftmax(line(256, 38), bits, kind)
    x = TensorType((1, length, 1, length), Quantization(8, False))
    with pytest.raises(ConversionError, match="exponentials of 38 bits; the engine's have 32"):
        softmax(operation, x)
    if (kind, bits) == ("log2", 4):
        softmax(operation, TensorType((1, 4, 1, 4), Quantization(8, False)))
