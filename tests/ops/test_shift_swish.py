"""shift_swish: reference == both circuits, C++ and RTL; golden values in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hyq_hls.errors import ConversionError, GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import ShiftSwish, Table
from hyq_hls.ops.shift_swish import shift_exp
from hyq_hls.stream.arguments import Rom
from hyq_hls.stream.circuits import circuit_of, circuits_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import (
    BIT_ACCURATE,
    FAST_COMPILE,
    random_codes,
    reference,
    saved_and_loaded,
)

ONE = np.array([1])
BYTE = Requantize(Quantization(8, True), np.array([10]), ONE)


def make_case(
    bits: int,
    zero: int,
    fraction: int,
    precision: int,
    *,
    circuit: str = "arithmetic",
    out_bits: int = 12,
    lanes: int = 2,
) -> Case[ShiftSwish]:
    """Input signed when ``zero`` is 0 or less; all codes fit on the input. Output fills its range.

    Arithmetic has an output scale per channel and multipliers.
    """
    q = Quantization(bits, zero <= 0, zero_point=(zero,))
    channels = 4
    out = Quantization(out_bits, True, zero_point=(-3 % out_bits,))
    shift = np.array([bits + precision - out_bits])
    multiplier = ONE
    if circuit == "arithmetic":
        shift, multiplier = shift[0] + np.arange(14, 18), np.array([1, 65535, 40000, 32769])
    operation = ShiftSwish(fraction, zero, precision, Requantize(out, shift, multiplier))
    x = TensorType(((1 << bits) // channels, channels), q)
    return Case(operation, [x], Folding(lanes, lanes), circuit)


CASES = [
    make_case(8, 83, 4, 12, lanes=1),
    make_case(8, 83, 4, 12, circuit="table"),
    make_case(8, 0, 0, 8, lanes=4),  # a sigmoid of exactly one
    make_case(5, -16, 0, 9, circuit="table"),
    make_case(10, 1023, 9, 20, circuit="table"),
    make_case(2, 3, 0, 8),
    make_case(16, 65535, 0, 8, out_bits=16),  # exponents far beyond every width
    make_case(16, 30000, 20, 20, out_bits=16),  # the widest quotient
    make_case(16, -32768, 12, 15, out_bits=16),
    make_case(6, 20, 44, 8),  # the longest fraction
]


def every_code(x: TensorType) -> NDArray[np.int64]:
    """All codes, each in one of the channels, then each in another one."""
    codes = np.arange(x.quantization.qmin, x.quantization.qmax + 1)
    return np.stack([codes.reshape(x.shape), codes[::-1].reshape(x.shape)])


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path, flags), CASES, strict=True):
        codes = every_code(*case.inputs)
        expected = case.operation.reference(codes)
        assert len(np.unique(expected)) > 1
        assert np.array_equal(csim(codes), expected), case


RTL_CASES = [
    make_case(6, 20, 4, 12),
    make_case(6, 20, 4, 12, circuit="table", lanes=4),
    make_case(6, 0, 0, 8, lanes=4),
    make_case(6, -5, 2, 20, lanes=1),
]


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    cases, rng = [*RTL_CASES, CASES[3], CASES[9]], np.random.default_rng(0)
    codes = [[random_codes(case.inputs[0], rng)] for case in cases]
    RtlBench(cases, tmp_path / "rtl").check(codes)


@pytest.mark.slow
def test_rtl_of_every_code(tmp_path: Path) -> None:
    cases = [CASES[0], CASES[1], CASES[3], CASES[6], CASES[7], CASES[9]]
    RtlBench(cases, tmp_path / "rtl").run([[every_code(*case.inputs)] for case in cases])


def golden(code: int, operation: ShiftSwish, channel: int) -> tuple[int, int]:
    """Accumulator and output code, in unbounded integers; one exponential is the constant 1."""
    x = code - operation.zero_point
    size = abs(x)
    exponent = size + -(-size // 2) - -(-size // 16)
    octaves, rest = divmod(exponent, 2**operation.fraction)
    one = 2 ** (operation.fraction + 1 + operation.precision)
    other = (2 ** (operation.fraction + 1) - rest) * 2**operation.precision // 2**octaves
    top = one if x >= 0 else other
    acc = x * (top * 2**operation.precision // (one + other))
    r = operation.requantize
    pick = {
        name: int(np.resize(getattr(r, name), channel + 1)[-1]) for name in ("shift", "multiplier")
    }
    scaled = 2 * acc * pick["multiplier"]  # doubled, so that half a step is an integer
    if pick["shift"] > 0:
        scaled = (scaled + 2 ** pick["shift"]) // 2 ** pick["shift"] // 2
    else:
        scaled = scaled * 2 ** -pick["shift"] // 2
    q = r.quantization
    return acc, min(max(scaled + q.zero_point[0], q.qmin), q.qmax)


@pytest.mark.parametrize("case", CASES)
def test_reference_equals_python_integers(case: Case[ShiftSwish]) -> None:
    (x,), operation = case.inputs, case.operation
    codes = every_code(x)[:, :: max(1, x.words // 256)]
    bounds = operation.accumulator(x)
    expected = np.empty_like(codes)
    for index, code in np.ndenumerate(codes):
        acc, expected[index] = golden(int(code), operation, index[-1])
        assert bounds.low <= acc <= bounds.high
    assert np.array_equal(operation.reference(codes), expected)


def test_is_close_to_swish() -> None:
    """Within 0.02 of the real function: two steps of eight bits on [-8, 8]."""
    out = Quantization(16, True, (2.0**-11,))
    operation = ShiftSwish(6, 0, 16, Requantize(out, np.array([6 + 16 - 11]), ONE))
    codes = np.arange(-512, 512).reshape(1, -1)
    real = codes / 64
    error = out.dequantize(operation.reference(codes)) - real / (1 + np.exp(-real))
    assert np.abs(error).max() < 0.02


@given(st.integers(0, 40), st.integers(8, 20), st.integers(0, 1 << 16))
def test_exponential(fraction: int, precision: int, size: int) -> None:
    d = -np.array([size, size + 1])
    first, second = shift_exp(d, fraction, precision).tolist()
    one = 1 << (fraction + 1 + precision)
    assert 0 <= second <= first <= one
    # log2(e) is off by 0.4 %, the straight line through an octave by 6.2 %, floors by 2 units.
    exponent = -1.4375 * size / 2**fraction
    slack = one * 2.0**-fraction * 2 + 1
    assert abs(first - one * 2.0**exponent) <= 0.0625 * one * 2.0**exponent + slack


@given(st.integers(0, 28), st.integers(8, 16), st.integers(0, (1 << 15) - 1))
def test_swish_of_both_signs_differs_by_the_argument(fraction: int, precision: int, x: int) -> None:
    """``x * s(x) - (-x) * s(-x) = x * (s(x) + s(-x))``; the last sum is one but for a rounding."""
    same_units = Requantize(Quantization(16, True), np.array([precision]), ONE)
    operation = ShiftSwish(fraction, 0, precision, same_units)
    positive, negative = operation.reference(np.array([x, -x])).tolist()
    assert x - x / 2**precision - 1 <= positive - negative <= x + 1
    assert negative <= 0 <= positive <= x


@pytest.mark.parametrize("signed", [False, True])
def test_circuits_have_the_same_integers(signed: bool) -> None:
    x = TensorType((64, 4), Quantization(8, signed, zero_point=(17,)))
    swish = ShiftSwish(4, 17, 12, BYTE)
    arithmetic, table = (circuit_of(swish, x, name=name) for name in ("arithmetic", "table"))
    (values,) = table.arguments(Folding(1, 1)).roms
    assert isinstance(values, Rom)
    lookup = Table(values.values, BYTE.quantization, x.quantization.qmin)
    codes = every_code(x)
    assert np.array_equal(swish.reference(codes), lookup.reference(codes))
    assert (arithmetic.module, table.module) == ("shift_swish", "table")
    for lanes in (1, 2, 4):
        folding = Folding(lanes, lanes)
        assert arithmetic.cycles(folding) == table.cycles(folding) == 256 // lanes
        assert (arithmetic.products(folding), table.products(folding)) == (lanes, 0)


@pytest.mark.parametrize("case", CASES[:2])
def test_saves_and_loads(case: Case[ShiftSwish], tmp_path: Path) -> None:
    graph = case.graph("swish")
    again = saved_and_loaded(graph, tmp_path)
    codes = every_code(*case.inputs)
    assert np.array_equal(reference(again, codes), reference(graph, codes))


@pytest.mark.parametrize(
    ("fraction", "precision", "message"),
    [
        (-1, 12, r"fraction >= 0, found -1"),
        (4, 7, r"precision 7 leaves \[8, 20\]"),
        (4, 21, r"precision 21 leaves \[8, 20\]"),
        (21, 20, "fraction 21 and precision 20 need 63 bits, 62 are supported"),
    ],
)
def test_bad_parameters(fraction: int, precision: int, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        ShiftSwish(fraction, 0, precision, BYTE)


PER_CHANNEL = Requantize(Quantization(8, True), np.array([10, 11, 12, 13]), ONE)


@pytest.mark.parametrize(
    ("quantization", "requantize"),
    [(Quantization(13, True), BYTE), (Quantization(8, True), PER_CHANNEL)],
    ids=["too many codes", "several output scales"],
)
def test_what_no_table_can_be(quantization: Quantization, requantize: Requantize) -> None:
    x, swish = TensorType((2, 4), quantization), ShiftSwish(4, 0, 12, requantize)
    assert list(circuits_of(swish, x)) == ["arithmetic"]
    with pytest.raises(ConversionError, match="'table' is wanted, this shift_swish has arithmetic"):
        circuit_of(swish, x, name="table")


@pytest.mark.parametrize(
    ("quantization", "message"),
    [
        (Quantization(8, True, zero_point=(1,)), r"zero points \(1,\)"),
        (Quantization(8, True, zero_point=(0, 0, 0, 1)), "zero points"),
        (Quantization(4, False, encoding="log2"), "log2 codes"),
    ],
)
def test_inputs_that_do_not_fit(quantization: Quantization, message: str) -> None:
    graph = Graph("x", TensorType((2, 4), quantization))
    with pytest.raises(GraphError, match=f"swish: .*{message}"):
        graph.add("swish", ShiftSwish(4, 0, 12, BYTE), "x")
