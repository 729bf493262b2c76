"""maximum: reference == C++ == RTL over foldings; golden values from exact fractions."""

from __future__ import annotations

import math
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Add, Maximum
from tests.ops import test_add
from tests.ops.direct import Case, compile_cases
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


def larger(case: Case[Add]) -> Case[Maximum]:
    """The maximum of the operands that ``case`` adds."""
    values = {field.name: getattr(case.operation, field.name) for field in fields(Add)}
    return Case(Maximum(**values), case.inputs, case.folding)


def random_case(seed: int) -> Case[Maximum]:
    """Random shapes, widths, zero points and lanes; powers of two in even cases."""
    return larger(test_add.random_case(seed))


CASES = [*map(random_case, range(6)), larger(test_add.widest_case())]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path, flags), CASES, strict=True):
        codes = test_add.extreme_codes(case.inputs, 0)
        expected = case.operation.reference(*codes)
        assert len(np.unique(expected)) > 1
        assert np.array_equal(csim(*codes), expected), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Every case, stalled and not, with a reset between; ``cycles`` and ``latency`` are exact."""
    codes = [test_add.extreme_codes(case.inputs, 0) for case in CASES]
    RtlBench(CASES, tmp_path / "rtl").check(codes)


@pytest.mark.parametrize("case", CASES)
def test_reference_equals_exact_fractions(case: Case[Maximum]) -> None:
    codes = test_add.extreme_codes(case.inputs, 1)
    operation, r = case.operation, case.operation.requantize
    q, expected = r.quantization, np.empty_like(codes[0])
    for index in np.ndindex(*expected.shape):
        c, found = index[-1], []
        operands = zip(codes, operation.multipliers, operation.zero_points, strict=True)
        for x, factor, zero in operands:
            code = int(x.reshape(expected.shape)[index])
            found.append(int(factor[c % factor.size]) * (code - zero[c % len(zero)]))
        scaled = Fraction(max(found) * int(r.multiplier[c % r.multiplier.size]))
        step = Fraction(2) ** int(r.shift[c % r.shift.size])
        code = math.floor(scaled / step + Fraction(1, 2)) + q.zero_point[0]
        expected[index] = min(max(code, q.qmin), q.qmax)
    assert np.array_equal(operation.reference(*codes), expected)


def test_bounds_hold_both_terms() -> None:
    """The smaller term never leaves, but the circuit has it too."""
    a = TensorType((3, 2), Quantization(4, True))
    b = TensorType((3, 2), Quantization(8, False, zero_point=(3,)))
    out = Requantize(Quantization(8, True), np.array([3]), ONE)
    operation = Maximum((np.array([5, 2]), np.array([4])), ((0,), (3,)), out)
    assert operation.accumulator(a, b) == Bounds(-40, 4 * 252)


@given(st.integers(0, 2**32 - 1))
def test_order_of_inputs_does_not_matter(seed: int) -> None:
    case = random_case(seed)
    codes = test_add.extreme_codes(case.inputs, seed)
    first = case.operation
    turned = Maximum(first.multipliers[::-1], first.zero_points[::-1], first.requantize)
    found = turned.reference(*codes[::-1]).reshape(codes[0].shape)
    assert np.array_equal(first.reference(*codes), found)


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    case = CASES[2]
    graph = several_inputs(case.operation, case.inputs, rng)
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, rng)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


def test_what_does_not_fit() -> None:
    out = Requantize(Quantization(8, True), np.array([2]), ONE)
    with pytest.raises(GraphError, match="maximum: multipliers for 2 inputs are wanted, found 1"):
        Maximum((ONE,), ((0,), (0,)), out)
    with pytest.raises(GraphError, match=r"maximum: .* positive integers, found int64 \[0\]"):
        Maximum((ONE, np.array([0])), ((0,), (0,)), out)
    operation = Maximum((ONE, ONE), ((0,), (0,)), out)
    a, b = (TensorType(shape, Quantization(8, True)) for shape in ((2, 2), (3, 2)))
    with pytest.raises(GraphError, match=r"one shape are wanted, found \(2, 2\) and \(3, 2\)"):
        operation.output_type(a, b)
    with pytest.raises(GraphError, match="op: maximum takes 2 inputs, found 1"):
        Graph("x", a).add("op", operation, "x")
