"""attention_scores: reference == C++, native and bit-accurate, == RTL; golden values from torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import AttentionScores
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, random_codes

ONE = np.array([1])


def tokens(
    shape: tuple[int, ...], bits: int = 8, zero: int = 0, signed: bool = False
) -> TensorType:
    return TensorType(shape, Quantization(bits, signed, zero_point=(zero,)))


def random_case(seed: int) -> Case[AttentionScores]:
    """Random shapes, widths, zero points, lanes; even seeds by shifts, odd ones by multipliers."""
    rng = np.random.default_rng(seed)
    pixels, n = rng.integers(1, 5, 2).tolist()
    m = n if seed < 8 else int(rng.integers(1, 7))
    heads, depth = rng.integers(1, 4, 2).tolist()
    inputs = []
    for count in (n, m):
        bits, signed = int(rng.integers(2, 17)), bool(rng.integers(2))
        low = -(1 << (bits - 1)) if signed else 0
        # Zero points in the middle and at both ends give all signs of factors.
        zero = low + int(rng.choice([0, 1 << (bits - 1), (1 << bits) - 1]))
        inputs.append(tokens((pixels, count, heads * depth), bits, zero, signed))
    out_bits = int(rng.integers(2, 17))
    growth = sum(x.quantization.bits for x in inputs) + depth.bit_length()
    shift = np.array([int(rng.integers(-2, 3)) + growth - out_bits])
    multiplier = rng.integers(1, 1 << 10, 1) if seed % 2 else ONE
    out = Quantization(out_bits, bool(seed % 3), zero_point=(1,))
    a, b = (x.quantization.zero_point[0] for x in inputs)
    operation = AttentionScores(heads, (a, b), Requantize(out, shift, multiplier))
    return Case(operation, inputs, random_folding(rng, circuit_of(operation, *inputs)))


def wide_case() -> Case[AttentionScores]:
    """More lanes than one level of registers of an adder tree takes."""
    x = tokens((2, 2, 36), 4, 3)
    out = Requantize(Quantization(8, True), np.array([5]), ONE)
    return Case(AttentionScores(2, (3, 3), out), [x, x], Folding(1, 18))


def extreme_codes(case: Case[AttentionScores], seed: int) -> list[Codes]:
    """Random codes, then all four pairs of all-smallest and all-largest operands."""
    rng = np.random.default_rng(seed)
    query, key = (random_codes(x, rng, 3) for x in case.inputs)
    return [np.concatenate([query, query[-2:]]), np.concatenate([key, key[:-3:-1]])]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    cases = [random_case(seed) for seed in range(4, 12)]
    for seed, (case, csim) in enumerate(
        zip(cases, compile_cases(cases, tmp_path, flags), strict=True)
    ):
        codes = extreme_codes(case, seed)
        assert np.array_equal(csim(*codes), case.operation.reference(*codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    cases = [*map(random_case, range(14)), wide_case()]
    codes = [extreme_codes(case, seed) for seed, case in enumerate(cases)]
    RtlBench(cases, tmp_path / "bench").check(codes)


@pytest.mark.parametrize("seed", range(8))
def test_accumulator_bounds_are_reached(seed: int) -> None:
    """The bounds are tight: some extreme pair of operands attains each of them."""
    case = random_case(seed)
    depth = case.inputs[0].channels // case.operation.heads
    ends = [
        [
            bound - x.quantization.zero_point[0]
            for bound in (x.quantization.qmin, x.quantization.qmax)
        ]
        for x in case.inputs
    ]
    sums = [depth * q * k for q in ends[0] for k in ends[1]]
    bounds = case.operation.accumulator(*case.inputs)
    assert (bounds.low, bounds.high) == (min(0, *sums), max(0, *sums))


def test_reference_equals_torch() -> None:
    rng = np.random.default_rng(0)
    query, key = tokens((2, 5, 12), 8, 7), tokens((2, 3, 12), 6, -3, signed=True)
    out = Requantize(Quantization(10, True, zero_point=(-4,)), np.array([8]), np.array([5]))
    operation = AttentionScores(3, (7, -3), out)
    codes = [random_codes(x, rng) for x in (query, key)]
    q, k = (
        (torch.from_numpy(x).double() - zero).unflatten(-1, (3, 4)).transpose(2, 3)
        for x, zero in zip(codes, (7, -3), strict=True)
    )  # (B, P, heads, N, C/heads)
    real = (q @ k.transpose(-1, -2)).transpose(2, 3)
    expected = (torch.floor(real * 5 / 256 + 0.5) - 4).clamp(-512, 511).long().numpy()
    assert operation.output_type(query, key).shape == (2, 5, 3, 3)
    assert np.array_equal(operation.reference(*codes), expected)


@settings(deadline=None)  # the machine may be busy
@given(seed=st.integers(0, 1 << 32))
def test_order_of_tokens_does_not_matter(seed: int) -> None:
    """Permuted queries permute the rows of scores, permuted keys the lanes."""
    rng = np.random.default_rng(seed)
    case = random_case(int(rng.integers(1000)))
    query, key = (random_codes(x, rng, 1) for x in case.inputs)
    rows, lanes = (rng.permutation(x.shape[2]) for x in (query, key))
    scores = case.operation.reference(query, key)
    moved = case.operation.reference(query[:, :, rows], key[:, :, lanes])
    assert np.array_equal(moved, scores[:, :, rows][..., lanes])


def test_work() -> None:
    x = tokens((2, 5, 12))
    operation = AttentionScores(3, (0, 0), Requantize(Quantization(8, True), ONE, ONE))
    assert operation.macs(x, x) == 2 * 5 * 5 * 12
    circuit = circuit_of(operation, x, x)
    assert circuit.cycles(Folding()) == operation.macs(x, x)
    assert circuit.cycles(Folding(5, 2)) == 2 * 5 * 3 * 2
    assert circuit.products(Folding(5, 2)) == 10


def test_few_queries_meet_no_more_keys_at_once_than_there_are_queries() -> None:
    """Otherwise the keys would take longer to come than to be used."""
    query, key = tokens((1, 3, 4)), tokens((1, 12, 4))
    operation = AttentionScores(2, (0, 0), Requantize(Quantization(8, True), ONE, ONE))
    circuit = circuit_of(operation, query, key)
    assert {folding.outputs for folding in circuit.foldings} == {1, 2, 3}
    assert operation.macs(query, key) == 3 * 12 * 4
    assert circuit.cycles(Folding(3, 2)) == 12 * 4 // 2


def test_lanes_divide_keys_and_depth() -> None:
    x = tokens((2, 6, 12))
    operation = AttentionScores(3, (0, 0), Requantize(Quantization(8, True), ONE, ONE))
    lanes = [(keys, depth) for keys in (1, 2, 3, 6) for depth in (1, 2, 4)]
    circuit = circuit_of(operation, x, x)
    assert circuit.foldings == [Folding(*pair) for pair in lanes]
    assert circuit.input_lanes(Folding(6, 2)) == (2, 2)
    for folding in (Folding(4, 1), Folding(1, 3)):
        with pytest.raises(GraphError, match=f"{folding} .*does not divide this attention_scores"):
            circuit.check_folding(folding)


OUT = Requantize(Quantization(8, True), ONE, ONE)
X = tokens((2, 4, 6))


@pytest.mark.parametrize(
    ("inputs", "heads", "message"),
    [
        ((X, X), 4, r"queries: 6 channels do not divide into 4 heads"),
        ((X, tokens((1, 4, 6))), 2, r"queries \(2, 4, 6\) and keys \(1, 4, 6\) differ"),
        ((tokens((4, 6)), X), 2, r"queries: tokens \(pixels, tokens, channels\) are wanted"),
        ((X, tokens((2, 4, 6), zero=1)), 2, r"keys has zero points \(1,\)"),
        (
            (X, TensorType((2, 4, 6), Quantization(8, False, encoding="log2"))),
            2,
            r"keys has log2 codes; affine is wanted",
        ),
    ],
)
def test_inputs_that_do_not_fit(
    inputs: tuple[TensorType, TensorType], heads: int, message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        AttentionScores(heads, (0, 0), OUT).output_type(*inputs)


def test_sums_that_leave_64_bits() -> None:
    wide = Requantize(Quantization(8, True), np.array([-40]), ONE)
    with pytest.raises(GraphError, match="requantizing a 36-bit accumulator needs 77 bits"):
        AttentionScores(1, (0, 0), wide).output_type(tokens((1, 1, 8), 16), tokens((1, 1, 8), 16))


def test_parameters_that_do_not_fit() -> None:
    with pytest.raises(GraphError, match="one head or more, found 0"):
        AttentionScores(0, (0, 0), OUT)
    with pytest.raises(GraphError, match="per tensor, found 4 entries"):
        AttentionScores(1, (0, 0), Requantize(Quantization(8, True), np.ones(4, int), ONE))
    with pytest.raises(GraphError, match=r"one zero point of queries and one of keys.*\(0,\)"):
        AttentionScores(1, (0,), OUT)  # type: ignore[arg-type]
