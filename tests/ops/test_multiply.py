"""multiply: reference == C++ == RTL over foldings; golden values from exact fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Multiply
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
BYTE = Requantize(Quantization(8, True), np.array([8]), ONE)
#: Shapes of both operands: alike, a row for several positions, a vector, one channel, one number.
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((3, 2, 4), (3, 2, 4)),
    ((2, 3, 6), (2, 1, 6)),
    ((2, 4, 4), (4,)),
    ((3, 3, 4), (3, 3, 1)),
    ((2, 3, 4), (2, 1, 1)),
    ((6,), (6,)),
    ((2, 5, 1), (1,)),
]


def random_case(seed: int) -> Case[Multiply]:
    """Random widths, zero points and lanes; products fill the output."""
    rng = np.random.default_rng(seed)
    inputs = []
    for shape in SHAPES[seed % len(SHAPES)]:
        q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
        zero = rng.integers(q.qmin, q.qmax + 1, rng.choice([1, shape[-1]]))
        inputs.append(TensorType(shape, replace(q, zero_point=tuple(zero.tolist()))))
    c = inputs[0].channels
    out = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    out = replace(out, zero_point=((out.qmin + out.qmax) // 2,))
    reach = sum(x.quantization.bits for x in inputs)
    shift, multiplier = reach - out.bits - rng.integers(0, 3, rng.choice([1, c])), ONE
    if seed % 3 == 0:
        multiplier, shift = rng.integers(1 << 14, 1 << 16, rng.choice([1, c])), shift + 15
    zeros = tuple(x.quantization.zero_point for x in inputs)
    operation = Multiply(zeros, Requantize(out, shift, multiplier))
    return Case(operation, inputs, random_folding(rng, circuit_of(operation, *inputs)))


def gate_case(lanes: int) -> Case[Multiply]:
    """A squeeze-excitation: one vector for all positions of a map."""
    x = TensorType((4, 3, 8), Quantization(8, False, zero_point=(17,)))
    gate = TensorType((8,), Quantization(8, False))
    out = Requantize(Quantization(8, False, zero_point=(17,)), np.array([8]), ONE)
    return Case(Multiply(((17,), (0,)), out), [x, gate], Folding(lanes, lanes))


CASES = [*(random_case(seed) for seed in range(14)), *(gate_case(lanes) for lanes in (2, 8))]


def extreme_codes(inputs: Sequence[TensorType], seed: int) -> list[NDArray[np.int64]]:
    """Random codes, then all four pairs of all-smallest and all-largest operands."""
    rng = np.random.default_rng(seed)
    a, b = (random_codes(x, rng) for x in inputs)
    return [np.concatenate([a, a[-2:]]), np.concatenate([b, b[:-3:-1]])]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path / "c", flags), CASES, strict=True):
        codes = extreme_codes(case.inputs, 0)
        expected = case.operation.reference(*codes)
        assert len(np.unique(expected)) > 2
        assert np.array_equal(csim(*codes), expected), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Every case, stalled and not, with a reset between; ``cycles`` and ``latency`` are exact."""
    codes = [extreme_codes(case.inputs, 0) for case in CASES]
    RtlBench(CASES, tmp_path / "rtl").check(codes)


@pytest.mark.parametrize("case", CASES)
def test_reference_equals_exact_fractions(case: Case[Multiply]) -> None:
    codes = extreme_codes(case.inputs, 1)
    a, b = (x.reshape(len(x), -1, x.shape[-1]).tolist() for x in codes)
    zero_a, zero_b = case.operation.zero_points
    r, q = case.operation.requantize, case.operation.requantize.quantization
    repeats, channels = case.inputs[0].words // case.inputs[1].words, case.inputs[0].channels
    expected = np.empty((len(a), case.inputs[0].words, channels), np.int64)
    for frame, position, c in np.ndindex(*expected.shape):
        row = b[frame][position // repeats]
        factor = row[c % len(row)] - zero_b[c % len(zero_b)]
        acc = (a[frame][position][c] - zero_a[c % len(zero_a)]) * factor
        scaled = Fraction(acc * int(r.multiplier[c % r.multiplier.size]))
        step = Fraction(2) ** int(r.shift[c % r.shift.size])
        code = math.floor(scaled / step + Fraction(1, 2)) + q.zero_point[0]
        expected[frame, position, c] = min(max(code, q.qmin), q.qmax)
    assert np.array_equal(case.operation.reference(*codes), expected.reshape(codes[0].shape))


@pytest.mark.parametrize("case", CASES)
def test_bounds_are_reached_or_close(case: Case[Multiply]) -> None:
    """With one zero point for each operand, the bounds are products of two ends."""
    ends = []
    for x in case.inputs:
        q = x.quantization
        ends.append([q.qmin - max(q.zero_point), q.qmax - min(q.zero_point)])
    products = [x * y for x in ends[0] for y in ends[1]]
    assert case.operation.accumulator(*case.inputs) == Bounds(min(products), max(products))


def test_the_second_operand_is_kept_in_a_memory_where_it_is_repeated() -> None:
    case = gate_case(2)
    circuit = case.circuit
    assert (circuit.input_lanes(case.folding), circuit.dsps(case.folding)) == ((2, 2), 2)
    kept = circuit.memories(case.folding)[-1]
    assert (kept.width, kept.depth, kept.constant) == (16, 4, False)
    assert all(memory.constant for memory in circuit.memories(Folding(8, 8)))
    (x, _), out = case.inputs, case.operation.requantize
    one = TensorType((4, 3, 1), Quantization(8, False))
    assert circuit_of(Multiply(((17,), (0,)), out), x, one).input_lanes(Folding(4, 4)) == (4, 1)
    wide = TensorType((4, 3, 8), Quantization(16, False, zero_point=(0,)))
    assert circuit_of(Multiply(((0,), (0,)), out), wide, wide).dsps(Folding(4, 4)) == 4


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    case = random_case(0)
    graph = several_inputs(case.operation, case.inputs, rng)
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, rng)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


@pytest.mark.parametrize(
    ("shape", "changes", "zero_points", "message"),
    [
        ((2, 2, 2), {}, ((0,), (0,)), r"with 4 channels or one, .* found \(2, 2, 4\) and \(2, 2,"),
        ((3, 4), {}, ((0,), (0,)), r"positions divide the 4 of the first, .* and \(3, 4\)"),
        ((4,), {"zero_point": (1,)}, ((0,), (0,)), r"input b has zero points \(1,\)"),
        ((4,), {}, ((3,), (0,)), r"input a has zero points \(0,\)"),
        ((4,), {"signed": False, "encoding": "log2"}, ((0,), (0,)), "input b has log2 codes"),
    ],
)
def test_inputs_that_do_not_fit(
    shape: tuple[int, ...],
    changes: dict[str, Any],
    zero_points: tuple[tuple[int, ...], ...],
    message: str,
) -> None:
    a = TensorType((2, 2, 4), Quantization(8, True))
    b = TensorType(shape, replace(Quantization(8, True), **changes))
    with pytest.raises(GraphError, match=message):
        Multiply(zero_points, BYTE).output_type(a, b)


def test_bad_parameters() -> None:
    with pytest.raises(GraphError, match="multiply: zero_points for 2 inputs are wanted, found 1"):
        Multiply(((0,),), BYTE)
    entries = Requantize(Quantization(8, True), np.array([8, 8, 8]), ONE)
    a = TensorType((2, 4), Quantization(8, True))
    with pytest.raises(GraphError, match="has 3 entries for 4 channels"):
        Multiply(((0,), (0,)), entries).output_type(a, a)
    graph = Graph("x", a)
    with pytest.raises(GraphError, match="op: multiply takes 2 inputs, found 1"):
        graph.add("op", Multiply(((0,), (0,)), BYTE), "x")
