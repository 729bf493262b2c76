"""global_average_pool: reference == C++ == RTL over foldings; golden values from torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import GlobalAveragePool
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
BYTE = Requantize(Quantization(8, True), np.array([4]), ONE)


def random_case(seed: int) -> Case[GlobalAveragePool]:
    """Random maps, widths, zero points, factors and lanes; random sums spread over the output."""
    rng = np.random.default_rng(seed)
    h, w, c = rng.integers(1, 7, 3).tolist()
    q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    middle = (q.qmin + q.qmax) // 2
    zero = tuple((middle + rng.integers(0, 3, rng.choice([1, c]))).tolist())
    out_bits = int(rng.integers(3, 17))
    spread = (1 << q.bits) * np.sqrt(h * w)
    shift = int(np.log2(spread)) - out_bits + rng.integers(0, 2, rng.choice([1, c]))
    multiplier = ONE
    if seed % 2:
        multiplier, shift = rng.integers(1 << 14, 1 << 16, rng.choice([1, c])), shift + 15
    out = Quantization(out_bits, bool(rng.integers(2)))
    out = replace(out, zero_point=((out.qmin + out.qmax) // 2,))
    operation = GlobalAveragePool(zero, Requantize(out, shift, multiplier))
    x = TensorType((h, w, c), replace(q, zero_point=zero))
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


def edge_case(zero: int, shape: tuple[int, int, int], lanes: int) -> Case[GlobalAveragePool]:
    """16-bit codes whose sums end exactly at the ends of the accumulator."""
    q = Quantization(16, False, zero_point=(zero,))
    growth = (shape[0] * shape[1] - 1).bit_length()
    wide = Requantize(Quantization(16, True), np.array([growth]), ONE)
    return Case(GlobalAveragePool((zero,), wide), [TensorType(shape, q)], Folding(lanes, lanes))


CASES = [
    *(random_case(seed) for seed in range(5)),
    edge_case(32768, (1, 1, 3), 1),
    edge_case(65535, (8, 8, 2), 1),
    edge_case(0, (5, 7, 1), 1),
    edge_case(0, (2, 3, 6), 6),
]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path, flags), CASES, strict=True):
        codes = random_codes(case.inputs[0], np.random.default_rng(0), samples=16)
        expected = case.operation.reference(codes)
        assert len(np.unique(expected)) > 3
        assert np.array_equal(csim(codes), expected), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    cases, rng = [*CASES, *(random_case(seed) for seed in range(50, 53))], np.random.default_rng(0)
    codes = [[random_codes(case.inputs[0], rng)] for case in cases]
    RtlBench(cases, tmp_path / "rtl").check(codes)


@pytest.mark.parametrize("case", CASES)
def test_accumulator_bounds_are_reached(case: Case[GlobalAveragePool]) -> None:
    (x,) = case.inputs
    bounds = case.operation.accumulator(x)
    zero = np.asarray(x.quantization.zero_point)
    assert bounds.low == min(0, (x.words * (x.quantization.qmin - zero)).min())
    assert bounds.high == max(0, (x.words * (x.quantization.qmax - zero)).max())


def test_reference_equals_torch() -> None:
    """The mean over 4 x 8 positions is a shift by five bits."""
    x = TensorType((4, 8, 3), Quantization(8, False, zero_point=(100,)))
    out = Requantize(Quantization(8, True, zero_point=(7,)), np.array([5]), ONE)
    codes = random_codes(x, np.random.default_rng(0))
    maps = torch.from_numpy(codes - 100).double().permute(0, 3, 1, 2)
    mean = torch.nn.functional.adaptive_avg_pool2d(maps, 1).squeeze(-1).squeeze(-1)
    expected = (torch.floor(mean + 0.5) + 7).clamp(-128, 127).long().numpy()
    assert np.array_equal(GlobalAveragePool((100,), out).reference(codes), expected)


@given(st.integers(0, 2**32 - 1))
def test_order_of_positions_does_not_matter(seed: int) -> None:
    case = random_case(seed)
    (x,), rng = case.inputs, np.random.default_rng(seed)
    codes = random_codes(x, rng)
    mixed = rng.permutation(codes.reshape(len(codes), x.words, x.channels), axis=1)
    mixed = mixed.reshape(codes.shape)
    assert np.array_equal(case.operation.reference(codes), case.operation.reference(mixed))


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 255), st.integers(0, 255))
def test_mean_of_a_constant_map_is_the_constant(
    rows: int, columns: int, code: int, zero: int
) -> None:
    q = Quantization(8, False, zero_point=(zero,))
    operation = GlobalAveragePool((zero,), Requantize(q, np.array([rows + columns]), ONE))
    codes = np.full((1, 1 << rows, 1 << columns, 2), code)
    assert operation.reference(codes).tolist() == [[code, code]]


def test_saves_and_loads(tmp_path: Path) -> None:
    case = CASES[1]
    graph = case.graph("pool")
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, np.random.default_rng(0))
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


def test_shape_and_foldings() -> None:
    x = TensorType((4, 6, 3), Quantization(8, False))
    operation = GlobalAveragePool((0,), BYTE)
    assert operation.output_type(x).shape == (3,)
    circuit = circuit_of(operation, x)
    assert circuit.foldings == [Folding(1, 1), Folding(3, 3)]
    assert [circuit.cycles(f) for f in circuit.foldings] == [4 * 6 * 3, 4 * 6]


@pytest.mark.parametrize(
    ("shape", "quantization", "message"),
    [
        ((4, 2), Quantization(8, True), r"pool: a map \(H, W, C\) is wanted, found \(4, 2\)"),
        ((4, 4, 2), Quantization(8, True, zero_point=(1,)), r"pool: input has zero points \(1,\)"),
        ((4, 4, 2), Quantization(8, False, encoding="log2"), "pool: input has log2 codes"),
        ((4, 4, 2), Quantization(8, True), "pool: requantization has 3 entries for 2 channels"),
    ],
)
def test_inputs_that_do_not_fit(
    shape: tuple[int, ...], quantization: Quantization, message: str
) -> None:
    graph = Graph("x", TensorType(shape, quantization))
    three = Requantize(BYTE.quantization, np.array([4, 5, 6]), ONE)
    with pytest.raises(GraphError, match=message):
        graph.add("pool", GlobalAveragePool((0,), three), "x")
