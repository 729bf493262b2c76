"""table: reference == C++ == RTL over foldings, for every input code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import Table
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


def random_case(bits: int, out_bits: int, signed: bool, out_signed: bool) -> Case[Table]:
    """A random function of ``bits``-bit codes, on an input that can show all of them."""
    rng = np.random.default_rng(bits)
    q, out = Quantization(bits, signed), Quantization(out_bits, out_signed)
    values = rng.integers(out.qmin, out.qmax + 1, 1 << bits)
    values[:2] = out.qmin, out.qmax
    channels = int(rng.integers(1, 7))
    words = -(-(1 << bits) // channels)
    operation, x = Table(values, out, q.qmin), TensorType((words, channels), q)
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


CASES = [
    random_case(2, 16, True, False),
    random_case(5, 2, False, True),
    random_case(8, 8, True, True),
    random_case(9, 15, False, False),
    random_case(16, 16, True, True),
]
#: g++ needs minutes for 65536 constants of type ap_int.
FEW_ENTRIES = CASES[:-1]


def every_code(x: TensorType) -> NDArray[np.int64]:
    """All codes in ascending order, the last ones repeated to fill the shape."""
    q = x.quantization
    return np.minimum(q.qmin + np.arange(x.size), q.qmax).reshape(1, *x.shape)


def every_and_random_codes(x: TensorType) -> NDArray[np.int64]:
    return np.concatenate([every_code(x), random_codes(x, np.random.default_rng(1), 1)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "cases"),
    [(FAST_COMPILE, CASES), (BIT_ACCURATE, FEW_ENTRIES)],
    ids=["native", "bit_accurate"],
)
def test_csim_equals_reference(
    flags: tuple[str, ...], cases: list[Case[Table]], tmp_path: Path
) -> None:
    for csim, case in zip(compile_cases(cases, tmp_path, flags), cases, strict=True):
        codes = every_and_random_codes(case.inputs[0])
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    codes = [[every_and_random_codes(case.inputs[0])] for case in FEW_ENTRIES]
    RtlBench(FEW_ENTRIES, tmp_path / "rtl").check(codes)


@pytest.mark.parametrize("case", CASES)
def test_every_code_has_its_value(case: Case[Table]) -> None:
    outputs = case.operation.reference(every_code(case.inputs[0])).ravel()
    assert outputs[: case.operation.values.size].tolist() == case.operation.values.tolist()


@given(st.integers(2, 16), st.booleans(), st.integers(0, 2**32 - 1))
def test_tables_compose(bits: int, signed: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    q = Quantization(bits, signed)
    order = q.qmin + rng.permutation(1 << bits)
    forward = Table(order, q, q.qmin)
    inverse = Table(q.qmin + np.argsort(order - q.qmin), q, q.qmin)
    codes = rng.integers(q.qmin, q.qmax + 1, (2, 3, 4))
    assert np.array_equal(inverse.reference(forward.reference(codes)), codes)


def test_saves_and_loads(tmp_path: Path) -> None:
    case = CASES[2]
    graph = case.graph("table")
    again = saved_and_loaded(graph, tmp_path)
    codes = every_code(*case.inputs)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


def test_output_may_be_exponents() -> None:
    operation = Table(np.arange(4), Quantization(2, False, encoding="log2"))
    x = TensorType((3, 2), Quantization(2, False))
    assert operation.output_type(x).quantization.encoding == "log2"
    circuit = circuit_of(operation, x)
    assert circuit.cycles(Folding(1, 1)) == 6
    assert circuit.cycles(Folding(2, 2)) == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(3, int), "2\\*\\*bits values are wanted, one per input code, found 3"),
        (np.zeros(0, int), "2\\*\\*bits values are wanted, one per input code, found 0"),
        (np.zeros((2, 2), int), "table values: integers with 1 axes"),
        (np.zeros(4), "table values: integers with 1 axes are wanted, found float64"),
        (np.array([0, 255, 256, 0]), r"values in \[0, 256\] leave the output range \[0, 255\]"),
        (np.array([0, 255, -1, 0]), r"values in \[-1, 255\] leave the output range \[0, 255\]"),
    ],
)
def test_bad_values(values: NDArray[np.int64], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Table(values, Quantization(8, False))


@pytest.mark.parametrize(
    ("bits", "signed", "found"),
    [(8, True, r"\[-128, 127\]"), (7, False, r"\[0, 127\]"), (9, False, r"\[0, 511\]")],
)
def test_every_input_code_needs_a_value(bits: int, signed: bool, found: str) -> None:
    graph = Graph("x", TensorType((4,), Quantization(bits, signed)))
    message = rf"table: the table answers codes \[0, 255\], the input has {found}"
    with pytest.raises(GraphError, match=message):
        graph.add("table", Table(np.zeros(256, int), Quantization(8, False)), "x")
