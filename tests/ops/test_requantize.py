"""requantize: reference == C++ == RTL over foldings; the normal form of the entries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import RequantizeTensor
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.circuits.requantization import requantize_rom
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


def random_case(seed: int) -> Case[RequantizeTensor]:
    """Random shapes, widths, zero points, factors and lanes; shifts to the left too."""
    rng = np.random.default_rng(seed)
    c = int(rng.integers(1, 9))
    shape = (*rng.integers(1, 5, rng.integers(0, 3)).tolist(), c)
    q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    zero = tuple(rng.integers(q.qmin, q.qmax + 1, rng.choice([1, c])).tolist())
    out = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    out_zero = tuple(rng.integers(out.qmin, out.qmax + 1, rng.choice([1, c])).tolist())
    shift = q.bits - out.bits + rng.integers(-2, 2, rng.choice([1, c]))
    multiplier = ONE
    if seed % 2:
        multiplier, shift = rng.integers(1, 1 << 16, rng.choice([1, c])), shift + 15
    operation = RequantizeTensor(
        zero, Requantize(replace(out, zero_point=out_zero), shift, multiplier)
    )
    x = TensorType(shape, replace(q, zero_point=zero))
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


def extreme_case(shift: list[int], bits: int, out_bits: int) -> Case[RequantizeTensor]:
    """Shifts far beyond the widths of codes, at the largest distance between channels."""
    x = TensorType((3, len(shift)), Quantization(bits, False, zero_point=(0,)))
    out = Quantization(out_bits, True, zero_point=(-1,))
    operation = RequantizeTensor((0,), Requantize(out, np.array(shift), ONE))
    return Case(operation, [x], Folding(1, 1))


CASES = [
    *(random_case(seed) for seed in range(8)),
    extreme_case([-40, 6], 6, 2),  # a shift to the left of 40
    extreme_case([30, 62], 16, 8),  # nothing is left
    extreme_case([1], 2, 16),
    extreme_case([16, 15, 17], 16, 4),  # exactly one half rounds up
]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path, flags), CASES, strict=True):
        codes = random_codes(case.inputs[0], np.random.default_rng(0), samples=16)
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = [[random_codes(case.inputs[0], rng)] for case in CASES]
    RtlBench(CASES, tmp_path / "rtl").check(codes)


@given(st.integers(0, 2**32 - 1))
def test_normal_form_has_the_same_integers(seed: int) -> None:
    """Entries as a circuit takes them, against the definition."""
    case = random_case(seed)
    x, requantize = case.inputs[0], case.operation.requantize
    rom = requantize_rom(requantize, 1)
    (zero_point, zero_bits, _), (delta, delta_bits, _), (multiplier, factor_bits, _) = rom.columns
    assert rom.base >= 1
    assert rom.left == 0 or rom.base == 1
    assert delta.max() < 1 << delta_bits
    assert -(1 << (zero_bits - 1)) <= zero_point.min() <= zero_point.max() < 1 << (zero_bits - 1)
    acc = random_codes(x, np.random.default_rng(seed)) - np.asarray(case.operation.zero_point)
    scaled = acc * multiplier if factor_bits else acc
    y = ((scaled << rom.left) >> (rom.base - 1)) >> delta
    q = requantize.quantization
    codes = np.clip(((y + 1) >> 1) + zero_point, q.qmin, q.qmax)
    assert np.array_equal(codes, requantize(acc))


def test_reference_equals_written_out_values() -> None:
    out = Quantization(4, False, zero_point=(3,))
    operation = RequantizeTensor((10,), Requantize(out, np.array([1, -1]), ONE))
    codes = np.array([[13, 13], [9, 9], [7, 15], [255, 0]])
    # Halves of 3, -1, -3 and 245, rounded up; twice 3, -1, 5 and -10; all plus 3, in [0, 15].
    assert operation.reference(codes).tolist() == [[5, 9], [3, 1], [2, 13], [15, 0]]


@given(st.integers(2, 16), st.booleans(), st.integers(0, 2**32 - 1))
def test_same_grid_changes_nothing(bits: int, signed: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    q = Quantization(bits, signed)
    q = replace(q, zero_point=(int(rng.integers(q.qmin, q.qmax + 1)),))
    operation = RequantizeTensor(q.zero_point, Requantize(q, np.array([0]), ONE))
    codes = random_codes(TensorType((3, 2), q), rng)
    assert np.array_equal(operation.reference(codes), codes)


def test_saves_and_loads(tmp_path: Path) -> None:
    case = CASES[1]
    graph = case.graph("requantize")
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, np.random.default_rng(0))
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


def test_foldings() -> None:
    x = TensorType((5, 6), Quantization(8, True))
    byte = Requantize(Quantization(8, True), np.array([1]), ONE)
    operation = RequantizeTensor((0,), byte)
    circuit = circuit_of(operation, x)
    assert [f.outputs for f in circuit.foldings] == [1, 2, 3, 6]
    assert [circuit.cycles(f) for f in circuit.foldings] == [30, 15, 10, 5]
    with pytest.raises(
        GraphError, match=r"folding 4 x 4 .* does not divide this requantize; legal"
    ):
        circuit.check_folding(Folding(4, 4))


@pytest.mark.parametrize(
    ("quantization", "message"),
    [
        (Quantization(8, True, zero_point=(1,)), r"input has zero points \(1,\)"),
        (Quantization(8, True), "requantization has 3 entries for 2 channels"),
    ],
)
def test_inputs_that_do_not_fit(quantization: Quantization, message: str) -> None:
    graph = Graph("x", TensorType((4, 2), quantization))
    three = Requantize(Quantization(8, True), np.array([4, 5, 6]), ONE)
    with pytest.raises(GraphError, match=message):
        graph.add("grid", RequantizeTensor((0,), three), "x")
