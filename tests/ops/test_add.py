"""add: reference == C++ == RTL over foldings; golden values from exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Add
from hyq_hls.stream.arguments import Rom
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import (
    BIT_ACCURATE,
    FAST_COMPILE,
    random_codes,
    reference,
    saved_and_loaded,
    several_inputs,
)

ONE = np.array([1])
BYTE = Requantize(Quantization(8, True), np.array([2]), ONE)


def random_case(seed: int) -> Case[Add]:
    """Random shapes, widths, zero points and lanes; powers of two in even cases.

    Sums fill the output. The second input of a vector is a map of one position in some cases.
    """
    rng = np.random.default_rng(seed)
    c = int(rng.integers(1, 6))
    shape = (*rng.integers(1, 6, rng.integers(0, 3)).tolist(), c)
    inputs, multipliers, reach = [], [], 0
    vector = len(shape) == 1 and seed % 4 > 1
    for own in (shape, (1, 1, c) if vector else shape):
        q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
        zero = tuple(rng.integers(q.qmin, q.qmax + 1, rng.choice([1, c])).tolist())
        inputs.append(TensorType(own, replace(q, zero_point=zero)))
        factor = 1 << rng.integers(0, 9, rng.choice([1, c]))
        multipliers.append(factor if seed % 2 == 0 else rng.integers(1, 1 << 14, factor.size))
        reach += int(multipliers[-1].max()) << q.bits
    out_bits = int(rng.integers(2, 17))
    shift = reach.bit_length() - out_bits + rng.integers(-1, 1, rng.choice([1, c]))
    multiplier = ONE
    if seed % 3 == 0:
        multiplier, shift = rng.integers(1 << 14, 1 << 16, rng.choice([1, c])), shift + 15
    out = Quantization(out_bits, bool(rng.integers(2)))
    out = replace(out, zero_point=((out.qmin + out.qmax) // 2,))
    zeros = tuple(x.quantization.zero_point for x in inputs)
    operation = Add(tuple(multipliers), zeros, Requantize(out, shift, multiplier))
    return Case(operation, inputs, random_folding(rng, circuit_of(operation, *inputs)))


def widest_case() -> Case[Add]:
    """A sum of 62 bits, the widest that a graph takes."""
    x = TensorType((2,), Quantization(16, False, zero_point=(65535, 0)))
    multipliers = (np.array([1 << 44, (1 << 44) - 1]), np.array([(1 << 44) + 1]))
    out = Requantize(Quantization(16, True), np.array([46]), ONE)
    return Case(Add(multipliers, ((65535, 0),) * 2, out), [x, x])


CASES = [*(random_case(seed) for seed in range(6)), widest_case()]


def extreme_codes(inputs: Sequence[TensorType], seed: int) -> list[NDArray[np.int64]]:
    """Random codes, then all four pairs of all-smallest and all-largest operands."""
    rng = np.random.default_rng(seed)
    a, b = (random_codes(x, rng) for x in inputs)
    return [np.concatenate([a, a[-2:]]), np.concatenate([b, b[:-3:-1]])]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path, flags), CASES, strict=True):
        codes = extreme_codes(case.inputs, 0)
        expected = case.operation.reference(*codes)
        assert len(np.unique(expected)) > 2
        assert np.array_equal(csim(*codes), expected), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    cases = [*CASES, random_case(50), random_case(54)]
    codes = [extreme_codes(case.inputs, 0) for case in cases]
    RtlBench(cases, tmp_path / "rtl").check(codes)


def test_powers_of_two_need_no_multiplier() -> None:
    x = TensorType((2, 3), Quantization(8, True))
    operation = Add((np.array([1, 8, 4]), np.array([6])), ((0,), (0,)), BYTE)
    roms = {rom.name: rom for rom in circuit_of(operation, x, x).arguments(Folding(3, 3)).roms}
    found = {
        name: rom.values.tolist()
        for name, rom in roms.items()
        if isinstance(rom, Rom) and name[:-2] in ("multiplier", "exponent")
    }
    assert found == {
        "multiplier_a": [1],
        "exponent_a": [0, 3, 2],
        "multiplier_b": [6],
        "exponent_b": [0],
    }
    assert (roms["exponent_a"].lanes, roms["multiplier_a"].lanes) == (3, 1)


def exact_sum(operation: Add, codes: list[int], c: int) -> int:
    """Accumulator of channel ``c`` in unbounded integers."""
    total = 0
    for code, factor, zero in zip(codes, operation.multipliers, operation.zero_points, strict=True):
        total += int(factor[c % factor.size]) * (code - zero[c % len(zero)])
    return total


@pytest.mark.parametrize("case", CASES)
def test_accumulator_bounds_are_reached(case: Case[Add]) -> None:
    """Each bound is the sum of some channel when both codes are at an end."""
    channels, sums = case.inputs[0].channels, []
    for c, ends in product(range(channels), ("qmin", "qmax")):
        total = 0
        terms = zip(
            case.inputs, case.operation.multipliers, case.operation.zero_points, strict=True
        )
        for x, factor, zero in terms:
            centred = getattr(x.quantization, ends) - int(np.resize(zero, channels)[c])
            total += int(np.resize(factor, channels)[c]) * centred
        sums.append(total)
    assert case.operation.accumulator(*case.inputs) == Bounds(min(sums), max(sums))


def test_some_vector_meets_a_map_of_one_position() -> None:
    shapes = [{x.shape for x in case.inputs} for case in CASES]
    assert any(len(found) == 2 for found in shapes)


def test_widest_sum_has_62_bits() -> None:
    case = widest_case()
    assert case.operation.accumulator(*case.inputs).bits == 62


@pytest.mark.parametrize("case", CASES[:4])
def test_reference_equals_exact_fractions(case: Case[Add]) -> None:
    codes = extreme_codes(case.inputs, 1)
    operation, r = case.operation, case.operation.requantize
    expected = np.empty_like(codes[0])
    for index in np.ndindex(*expected.shape):
        c = index[-1]
        total = Fraction(0)
        for x, factor, zero in zip(
            codes, operation.multipliers, operation.zero_points, strict=True
        ):
            code = int(x.reshape(expected.shape)[index])
            total += int(factor[c % factor.size]) * (code - zero[c % len(zero)])
        step = Fraction(2) ** int(r.shift[c % r.shift.size])
        scaled = total * int(r.multiplier[c % r.multiplier.size]) / step
        code = math.floor(scaled + Fraction(1, 2))
        q = r.quantization
        expected[index] = min(max(code + q.zero_point[0], q.qmin), q.qmax)
    assert np.array_equal(operation.reference(*codes), expected)


@given(st.integers(0, 2**32 - 1))
def test_order_of_inputs_does_not_matter(seed: int) -> None:
    case = random_case(seed)
    operation = case.operation
    turned = replace(
        operation, multipliers=operation.multipliers[::-1], zero_points=operation.zero_points[::-1]
    )
    codes = extreme_codes(case.inputs, seed)
    found = turned.reference(*codes[::-1]).reshape(codes[0].shape)
    assert np.array_equal(operation.reference(*codes), found)


@given(st.integers(2, 16), st.integers(-3, 3), st.integers(0, 2**32 - 1))
def test_adding_zero_changes_nothing(bits: int, zero: int, seed: int) -> None:
    q = Quantization(bits, True, zero_point=(max(zero, -(1 << (bits - 1))) if zero < 2 else 1,))
    same = Requantize(q, np.array([0]), ONE)
    operation = Add((ONE, np.array([7])), (q.zero_point, (0,)), same)
    codes = random_codes(TensorType((3, 2), q), np.random.default_rng(seed))
    assert np.array_equal(operation.reference(codes, np.zeros_like(codes)), codes)


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    case = CASES[2]
    graph = several_inputs(case.operation, case.inputs, rng)
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, rng)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


@pytest.mark.parametrize(
    ("multipliers", "zero_points", "message"),
    [
        ((ONE,), ((0,), (0,)), "multipliers for 2 inputs are wanted, found 1"),
        ((ONE, ONE), ((0,),), "zero_points for 2 inputs are wanted, found 1"),
        ((ONE, np.array([0])), ((0,), (0,)), "positive integers, found int64 \\[0\\]"),
        ((ONE, np.array([0.5])), ((0,), (0,)), "positive integers, found float64"),
        ((ONE, np.ones((1, 1), int)), ((0,), (0,)), "vectors of positive integers"),
    ],
)
def test_bad_parameters(
    multipliers: tuple[NDArray[np.int64], ...], zero_points: tuple[tuple[int]], message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        Add(multipliers, zero_points, BYTE)


@pytest.mark.parametrize(
    ("shape", "quantization", "multiplier", "message"),
    [
        ((3, 2), Quantization(8, True), ONE, r"one shape are wanted, found \(2, 2\) and \(3, 2\)"),
        (
            (2, 2),
            Quantization(8, True),
            np.ones(3, int),
            "b has 3 multipliers for 2 channels",
        ),
        ((2, 2), Quantization(8, True, zero_point=(1,)), ONE, r"input b has zero points \(1,\)"),
        ((2, 2), Quantization(8, False, encoding="log2"), ONE, "input b has log2 codes"),
        ((2, 2), Quantization(8, True), np.array([1 << 60]), "use fewer weight or activation bits"),
    ],
)
def test_inputs_that_do_not_fit(
    shape: tuple[int, ...],
    quantization: Quantization,
    multiplier: NDArray[np.int64],
    message: str,
) -> None:
    inputs = (TensorType((2, 2), Quantization(8, True)), TensorType(shape, quantization))
    with pytest.raises(GraphError, match=message):
        Add((ONE, multiplier), ((0,), (0,)), BYTE).output_type(*inputs)


def test_takes_two_inputs() -> None:
    graph = Graph("x", TensorType((2,), Quantization(8, True)))
    with pytest.raises(GraphError, match="sum: add takes 2 inputs, found 1"):
        graph.add("sum", Add((ONE, ONE), ((0,), (0,)), BYTE), "x")
