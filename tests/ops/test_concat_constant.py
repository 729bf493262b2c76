"""concat_constant: reference == C++ == RTL over foldings; the rest of the codes is requantized."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls.errors import GraphError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import ConcatConstant, RequantizeTensor
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
)

ONE = np.array([1])
BYTE = Quantization(8, True)
SAME = Requantize(BYTE, np.array([0]), ONE)
TOKENS = TensorType((1, 5, 6), BYTE)
#: Shapes without channels: tokens, those of several pixels, one token, a vector per position.
SHAPES = [(1, 5), (2, 3), (1, 1), (4,)]


def random_case(seed: int) -> Case[ConcatConstant]:
    """Random widths, zero points and lanes; one to three constants before or behind."""
    rng = np.random.default_rng(seed)
    channels = int(rng.choice([1, 2, 6]))
    q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    zero = tuple(rng.integers(q.qmin, q.qmax + 1, rng.choice([1, channels])).tolist())
    x = TensorType((*SHAPES[seed % len(SHAPES)], channels), replace(q, zero_point=zero))
    out = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    zeros = rng.integers(out.qmin, out.qmax + 1, rng.choice([1, channels]))
    out = replace(out, zero_point=tuple(zeros.tolist()))
    shift, multiplier = q.bits - out.bits + rng.integers(-1, 2, rng.choice([1, channels])), ONE
    if rng.integers(2):
        multiplier, shift = rng.integers(1 << 14, 1 << 16, channels), shift + 15
    constant = rng.integers(out.qmin, out.qmax + 1, (int(rng.integers(1, 4)), channels))
    operation = ConcatConstant(
        constant, bool(rng.integers(2)), zero, Requantize(out, shift, multiplier)
    )
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


CASES = [random_case(seed) for seed in range(12)]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path / "c", flags), CASES, strict=True):
        codes = random_codes(case.inputs[0], np.random.default_rng(0))
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Every case, stalled and not, with a reset between; ``cycles`` and ``latency`` are exact."""
    codes = [[random_codes(case.inputs[0], np.random.default_rng(0))] for case in CASES]
    RtlBench(CASES, tmp_path / "rtl").check(codes)


def test_the_cases_have_constants_on_both_sides() -> None:
    assert {case.operation.first for case in CASES} == {False, True}
    assert {len(case.operation.constant) for case in CASES} == {1, 2, 3}


@pytest.mark.parametrize("case", CASES)
def test_positions_are_constants_or_requantized(case: Case[ConcatConstant]) -> None:
    operation, (x,) = case.operation, case.inputs
    codes = random_codes(x, np.random.default_rng(1))
    found = operation.reference(codes)
    count = len(operation.constant)
    constant, tensor = found[..., :count, :], found[..., count:, :]
    if not operation.first:
        tensor, constant = found[..., :-count, :], found[..., -count:, :]
    assert (constant == operation.constant).all()
    alone = RequantizeTensor(operation.zero_point, operation.requantize)
    assert np.array_equal(tensor, alone.reference(codes))
    assert found.shape[1:] == case.output.shape
    assert case.output.quantization == operation.requantize.quantization


def test_written_out_values() -> None:
    out = Quantization(8, False, zero_point=(100,))
    operation = ConcatConstant(np.array([[1, 2]]), True, (10,), Requantize(out, np.array([1]), ONE))
    codes = np.array([[[[10, 13], [9, 10]]]])
    # (0, 3) / 2 and (-1, 0) / 2, half up, plus 100.
    assert operation.reference(codes).tolist() == [[[[1, 2], [100, 102], [100, 100]]]]


def test_a_stream_waits_while_constants_leave() -> None:
    operation = ConcatConstant(np.zeros((2, 6), np.int64), True, (0,), SAME)
    circuit = circuit_of(operation, TOKENS)
    assert circuit.foldings == [Folding(n, n) for n in (1, 2, 3, 6)]
    assert [circuit.cycles(f) for f in circuit.foldings] == [42, 21, 14, 7]
    assert circuit.positions_waiting == 4
    assert operation.accumulator(TOKENS) == Bounds(-128, 127)


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    graph = CASES[4].graph("op")
    codes = random_codes(graph.input_type, np.random.default_rng(2))
    again = saved_and_loaded(graph, tmp_path)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


@pytest.mark.parametrize(
    ("constant", "message"),
    [
        (np.zeros((0, 6), np.int64), r"constants of shape \(0, 6\); at least one position"),
        (np.full((1, 6), 128), r"constants in \[128, 128\] are no codes of the output"),
        (np.zeros(6, np.int64), "integers with 2 axes are wanted"),
        (np.zeros((1, 6)), "integers with 2 axes are wanted"),
    ],
)
def test_bad_constants(constant: Any, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        ConcatConstant(constant, True, (0,), SAME)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (TensorType((1, 5, 4), BYTE), r"positions with 6 channels are wanted, found .* \(1, 5, 4"),
        (TensorType((6,), BYTE), r"positions with 6 channels are wanted, found an input \(6,\)"),
        (TensorType((1, 5, 6), Quantization(8, True, zero_point=(3,))), r"zero points \(3,\)"),
        (TensorType((1, 5, 6), Quantization(4, False, encoding="log2")), "log2 codes"),
    ],
)
def test_inputs_that_do_not_fit(tensor: TensorType, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        ConcatConstant(np.zeros((1, 6), np.int64), True, (0,), SAME).output_type(tensor)
