"""concat: reference == C++ == RTL over foldings; every half is a requantization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
from hyq_hls.ops import Concat, RequantizeTensor
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
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


def unchanged(quantization: Quantization) -> Requantize:
    return Requantize(quantization, np.array([0]), ONE)


BYTE = unchanged(Quantization(8, True))
SEVEN = unchanged(Quantization(7, True))
UNSIGNED = unchanged(Quantization(8, False))


def random_case(seed: int) -> Case[Concat]:
    """Random shapes, widths, zero points, factors and lanes; an input may need shifts only."""
    rng = np.random.default_rng(seed)
    lanes = int(rng.integers(1, 4))
    shape = rng.integers(1, 6, rng.integers(0, 3)).tolist()
    out = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    out = replace(out, zero_point=(int(rng.integers(out.qmin, out.qmax + 1)),))
    inputs, parts = [], []
    for _ in range(2):
        c = lanes * int(rng.integers(1, 4))
        q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
        zero = tuple(rng.integers(q.qmin, q.qmax + 1, rng.choice([1, c])).tolist())
        inputs.append(TensorType((*shape, c), replace(q, zero_point=zero)))
        shift = q.bits - out.bits + rng.integers(-1, 2, rng.choice([1, c]))
        multiplier = ONE
        if rng.integers(2):
            multiplier = rng.integers(1 << 14, 1 << 16, rng.choice([1, c]))
            shift = shift + 15
        mine = out
        if rng.integers(2):  # codes of every channel have a zero point and a scale of their own
            zeros = tuple(rng.integers(out.qmin, out.qmax + 1, c).tolist())
            mine = replace(out, zero_point=zeros, scale=tuple(rng.uniform(0.1, 2, c).tolist()))
        parts.append(Requantize(mine, shift, multiplier))
    (a, b), (first, second) = inputs, parts
    operation = Concat((first, second), (a.quantization.zero_point, b.quantization.zero_point))
    return Case(operation, inputs, Folding(lanes, lanes))


def uneven_case() -> Case[Concat]:
    """A wide input with a right shift beside a narrow one that is shifted left by 50."""
    a = TensorType((3, 2), Quantization(16, False, zero_point=(65535,)))
    b = TensorType((3, 1), Quantization(2, True))
    out = Quantization(16, True)
    parts = (Requantize(out, np.array([3]), ONE), Requantize(out, np.array([-50]), ONE))
    return Case(Concat(parts, ((65535,), (0,))), [a, b])


CASES = [*(random_case(seed) for seed in range(6)), uneven_case()]


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
    """The stalls of every input are its own, so that both come at different times too."""
    cases = [*CASES, *(random_case(seed) for seed in range(50, 57))]
    codes = [extreme_codes(case.inputs, 0) for case in cases]
    RtlBench(cases, tmp_path / "rtl").check(codes)


def test_output_has_the_scales_of_its_parts() -> None:
    a, b = (TensorType((5, c), Quantization(8, True)) for c in (2, 3))

    def output(first: Requantize, second: Requantize) -> Quantization:
        return Concat((first, second), ((0,), (0,))).output_type(a, b).quantization

    assert output(BYTE, BYTE) == BYTE.quantization
    double = unchanged(Quantization(8, True, (2.0,), (7,)))
    joined = output(BYTE, double)
    assert joined.scale == (1.0, 1.0, 2.0, 2.0, 2.0)
    assert joined.zero_point == (0, 0, 7, 7, 7)
    channels = unchanged(Quantization(8, True, (3.0, 4.0)))
    assert output(channels, BYTE).scale == (3.0, 4.0, 1.0, 1.0, 1.0)


def test_foldings_divide_both_inputs() -> None:
    a, b = (TensorType((5, c), Quantization(8, True)) for c in (6, 9))
    operation = Concat((BYTE, BYTE), ((0,), (0,)))
    circuit = circuit_of(operation, a, b)
    assert circuit.foldings == [Folding(1, 1), Folding(3, 3)]
    assert [circuit.cycles(f) for f in circuit.foldings] == [5 * 15, 5 * 5]


@given(st.integers(0, 2**32 - 1))
def test_halves_are_requantizations(seed: int) -> None:
    case = random_case(seed)
    operation = case.operation
    codes = extreme_codes(case.inputs, seed)
    joined = operation.reference(*codes)
    border = case.inputs[0].channels
    halves = joined[..., :border], joined[..., border:]
    for i, half in enumerate(halves):
        alone = RequantizeTensor(operation.zero_points[i], operation.requantize[i])
        assert np.array_equal(half, alone.reference(codes[i]))
        assert half.shape[1:] == alone.output_type(case.inputs[i]).shape
    assert case.output.shape == joined.shape[1:]


def test_reference_equals_written_out_values() -> None:
    out = Quantization(8, False, zero_point=(100,))
    parts = (
        Requantize(out, np.array([1]), ONE),
        Requantize(out, np.array([-1, 2]), np.array([1, 3])),
    )
    operation = Concat(parts, ((10,), (0, 4)))
    a, b = np.array([[10, 13, 9]]), np.array([[7, 5]])
    # (0, 3, -1) / 2 half up; 7 * 2 and (5 - 4) * 3 / 4 half up; all plus 100.
    assert operation.reference(a, b).tolist() == [[100, 102, 100, 114, 101]]


def test_accumulator_holds_both_inputs() -> None:
    case = uneven_case()
    assert case.operation.accumulator(*case.inputs) == Bounds(-65535, 1)


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    case = CASES[1]
    graph = several_inputs(case.operation, case.inputs, rng)
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, rng)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


@pytest.mark.parametrize(
    ("parts", "zero_points", "message"),
    [
        ((BYTE,), ((0,),), "two requantizations and two zero points are wanted, found 1 and 1"),
        (
            (BYTE, BYTE),
            ((0,),),
            "two zero points are wanted, found 2 and 1",
        ),
        ((BYTE, SEVEN), ((0,), (0,)), "both inputs must go to codes of the same width"),
        (
            (BYTE, UNSIGNED),
            ((0,), (0,)),
            "both inputs must go to codes of the same width",
        ),
    ],
)
def test_bad_parameters(
    parts: tuple[Requantize, ...], zero_points: tuple[tuple[int], ...], message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        Concat(parts, zero_points)  # type: ignore[arg-type]  # lengths are checked when it runs


@pytest.mark.parametrize(
    ("shape", "quantization", "message"),
    [
        ((3, 2), Quantization(8, True), r"differ in the last axis only, found \(2, 2\), \(3, 2\)"),
        ((2, 5), Quantization(8, True, zero_point=(1,)), r"input b has zero points \(1,\)"),
        ((2, 5), Quantization(8, False, encoding="log2"), "input b has log2 codes"),
    ],
)
def test_inputs_that_do_not_fit(
    shape: tuple[int, ...], quantization: Quantization, message: str
) -> None:
    inputs = (TensorType((2, 2), Quantization(8, True)), TensorType(shape, quantization))
    with pytest.raises(GraphError, match=message):
        Concat((BYTE, BYTE), ((0,), (0,))).output_type(*inputs)


def test_entries_must_fit_the_channels() -> None:
    inputs = [TensorType((2, c), Quantization(8, True)) for c in (2, 3)]
    two = Requantize(BYTE.quantization, np.array([0, 1]), ONE)
    with pytest.raises(GraphError, match="requantization has 2 entries for 3 channels"):
        Concat((two, two), ((0,), (0,))).output_type(*inputs)


def test_takes_two_inputs() -> None:
    graph = Graph("x", TensorType((2,), Quantization(8, True)))
    with pytest.raises(GraphError, match="join: concat takes 2 inputs, found 1"):
        graph.add("join", Concat((BYTE, BYTE), ((0,), (0,))), "x")
