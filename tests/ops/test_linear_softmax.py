"""linear_softmax: reference == C++, native and bit-accurate, == RTL; values of HyQ's algorithm."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from math import floor, log
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import LinearSoftmax
from hyq_hls.ops.linear_softmax import line_offset, softmax_shift_bits
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.examples import example_graph
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, check_rtl, random_codes

Codes = NDArray[np.int64]


def scores(*shape: int, bits: int = 8, signed: bool = False) -> TensorType:
    return TensorType(shape, Quantization(bits, signed))


def random_case(seed: int) -> Case[LinearSoftmax]:
    """Random widths, shapes and lanes: log2 of 2 to 6 bits, uniform of 2 to 16 bits."""
    rng = np.random.default_rng(seed)
    bits, fraction, channels = (int(rng.integers(*r)) for r in ((2, 17), (0, 9), (1, 70)))
    if seed % 2:
        out_bits = int(rng.integers(2, 17))
        softmax = LinearSoftmax(
            fraction, softmax_shift_bits(out_bits, "uniform"), out_bits, "uniform"
        )
    else:
        out_bits = int(rng.integers(2, 7))
        softmax = LinearSoftmax(fraction, int(rng.integers(0, 35)), out_bits, "log2")
    x = scores(2, 8, channels, bits=bits, signed=bool(rng.integers(2)))
    return Case(softmax, [x], random_folding(rng, circuit_of(softmax, x)))


def row_codes(case: Case[LinearSoftmax], seed: int) -> Codes:
    """Random codes over the whole range and over a few octaves; extremes; one hot both ways."""
    rng = np.random.default_rng(seed)
    (x,) = case.inputs
    q = x.quantization
    codes = random_codes(x, rng)
    near = np.minimum(q.qmin + (4 << case.operation.fraction), q.qmax)
    codes[1] = rng.integers(q.qmin, near + 1, x.shape)
    codes[2, ..., :], codes[2, ..., 0] = q.qmin, q.qmax
    codes[3, ..., :], codes[3, ..., -1] = q.qmax, q.qmin
    return codes


def exhaustive(
    operation: LinearSoftmax, bits: int, channels: int, lanes: int
) -> tuple[Case[LinearSoftmax], Codes]:
    """Every row of ``channels`` codes of ``bits`` bits, as one sample."""
    rows = np.array(list(product(range(1 << bits), repeat=channels)))
    return Case(operation, [scores(*rows.shape, bits=bits)], Folding(lanes, lanes)), rows[None]


#: Steps of a whole octave and of halves: sums of powers of two hit every threshold exactly.
EXHAUSTIVE = [
    exhaustive(LinearSoftmax(0, 17, 4, "log2"), 3, 4, 4),
    exhaustive(LinearSoftmax(1, 3, 3, "log2"), 3, 4, 1),
    exhaustive(LinearSoftmax(0, 1, 2, "log2"), 2, 6, 3),
    exhaustive(LinearSoftmax(1, 8, 4, "uniform"), 3, 4, 2),
]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    work = [(random_case(seed), row_codes(random_case(seed), seed)) for seed in range(10)]
    work += EXHAUSTIVE
    functions = compile_cases([case for case, _ in work], tmp_path, flags)
    for (case, codes), csim in zip(work, functions, strict=True):
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


def small_case(seed: int) -> Case[LinearSoftmax]:
    """Three rows to a frame and at most 12 lanes: simulated cycles cost more than those of C++."""
    case = random_case(seed)
    x = replace(case.inputs[0], shape=(3, case.inputs[0].channels))
    few = [f for f in case.circuit.foldings if f.outputs <= 12]
    return Case(case.operation, [x], few[seed % len(few)])


def wide_case(
    output: Literal["log2", "uniform"], fraction: int, shift_bits: int
) -> Case[LinearSoftmax]:
    """More lanes than one level of registers of the trees of maxima and sums takes."""
    softmax = LinearSoftmax(fraction, shift_bits, 4, output)
    return Case(softmax, [scores(3, 66, bits=6)], Folding(66, 66))


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    cases = [small_case(seed) for seed in range(8)]
    cases += [wide_case("log2", 3, 4), wide_case("uniform", 0, 0)]
    cases.append(Case(LinearSoftmax(4, 17, 4, "log2"), [scores(3, 18)], Folding(18, 18)))
    codes = [[row_codes(case, seed)] for seed, case in enumerate(cases)]
    RtlBench(cases, tmp_path / "bench").check(codes)


@pytest.mark.slow
def test_rtl_of_every_row(tmp_path: Path) -> None:
    cases, codes = zip(*EXHAUSTIVE, strict=True)
    RtlBench(cases, tmp_path / "bench").run([[c] for c in codes])


@pytest.mark.slow
def test_rtl_in_a_project(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    graph = example_graph("linear_softmax", rng)
    name = graph.output_name
    check_rtl(graph, rng, tmp_path, {name: Folding(2, 2)})


def test_line_offset_is_exact() -> None:
    with localcontext() as context:
        context.prec = 80
        exact = Decimal("0.96971728") / Decimal("0.71580849") / Decimal(2).ln()
        assert f"{exact:.7f}" == "1.9544422"
        for m in range(17):
            assert line_offset(m) == int(exact * 2**m)
            # The released constants are these divided by 8 and rounded; the floors are the same.
            released = Decimal("0.12121466") / Decimal("0.08947606") / Decimal(2).ln()
            assert line_offset(m) == int(released * 2**m)
    assert LinearSoftmax(4, 17, 4, "log2").line_offset == 31


def literal_log2(row: Codes, m: int, n: int, top: int) -> list[int]:
    """The page's formula for one row, in Python integers, with the growing right-hand side."""
    e = [((line_offset(m) - (d & ((1 << m) - 1))) << n) >> (d >> m) for d in int(row.max()) - row]
    e = [int(v) for v in e]
    codes = []
    for v in e:
        level = 0
        while level < top and 4 * sum(e) >= 3 * (v << (level + 1)):
            level += 1
        codes.append(level)
    return codes


@pytest.mark.parametrize("seed", range(0, 10, 2))
def test_reference_is_the_formula(seed: int) -> None:
    case = random_case(seed)
    softmax, codes = case.operation, row_codes(case, seed)
    assert isinstance(softmax, LinearSoftmax)
    rows, found = (x.reshape(-1, x.shape[-1])[:60] for x in (codes, softmax.reference(codes)))
    for row, probabilities in zip(rows, found, strict=True):
        # Python's integers of NumPy scalars could overflow; take plain ones.
        plain = row.astype(object)
        expected = literal_log2(
            plain, softmax.fraction, softmax.shift_bits, (1 << softmax.bits) - 1
        )
        assert probabilities.tolist() == expected


def released_hyq(row: Codes, m: int, n: int = 30) -> tuple[list[int], list[Fraction]]:
    """QIntSoftmax of HyQ's code at scale S = ln 2 / 2**m: log2 codes, and ratios E/e.

    Written from the released algorithm, with exact ratios where it uses float32.
    """
    scale = log(2) / 2**m
    x0 = floor(-0.6931 / scale)
    offset = floor(0.12121466 / 0.08947606 / scale)
    d = [max(int(x) - int(row.max()), n * x0) for x in row]
    k = [v // x0 for v in d]
    e = [
        max(0, floor(Fraction(v - x0 * i + offset) * 2 ** (n - i)))
        for v, i in zip(d, k, strict=True)
    ]
    ratios = [Fraction(sum(e), v) for v in e]
    codes = []
    for ratio in ratios:
        t = round(ratio)  # half to even, as torch.round
        level = t.bit_length() - 1
        codes.append(level + (t - 2**level >= Fraction(2) ** (level - 1)))
    return codes, ratios


def rounding_differs(ratio: Fraction) -> bool:
    """Where rounding E/e to an integer first crosses the threshold 1.5 * 2**j early.

    At (2.5, 3), and at [3 * 2**i - 0.5, 3 * 2**i) for i >= 1 (the ends at .5 go to even). The
    threshold 1.5 is met by both, because 1.5 rounds to 2.
    """
    above = floor(ratio) + 1
    crosses = ratio > Fraction(5, 2) if above == 3 else ratio >= above - Fraction(1, 2)
    return crosses and above in {3 << i for i in range(62)}


def hyq_rows() -> list[tuple[int, Codes]]:
    """(m, row) within 31 octaves, where the released algorithm does not clamp.

    Random rows, and rows that make E/e hit 2.5, 5.5, 11.5 exactly.
    """
    rng = np.random.default_rng(0)
    rows = []
    for m, lanes, spread in product((4, 5, 6, 8), (2, 3, 16, 64), (1, 3, 31)):
        rows += [(m, rng.integers(0, min(256, spread << m), lanes)) for _ in range(12)]
    for halves in (5, 11, 23):
        # One octave and less below: e is half of the maximum's.
        top = np.full(halves // 2, 200)
        rows += [(4, np.append(top, 200 - 16)), (4, np.append(top[:-1], [184] * 3))]
    return [(m, np.asarray(row)) for m, row in rows]


@pytest.mark.slow
def test_codes_are_those_of_hyq() -> None:
    """Equal codes, but where the released ``round(E/e)`` crosses a threshold: there one less."""
    early, count = 0, 0
    for m, row in hyq_rows():
        theirs, ratios = released_hyq(row, m)
        ours = LinearSoftmax(m, 30, 6, "log2").reference(row)
        for a, b, ratio in zip(ours, theirs, ratios, strict=True):
            assert b - a == rounding_differs(ratio), (m, row, ratio)
            early += rounding_differs(ratio)
            count += 1
    assert 0 < early < 0.1 * count


@pytest.mark.slow
def test_four_bits_need_no_more_than_17_shift_bits() -> None:
    """The default n gives HyQ's codes of n = 30, but within N / (B * 2**n) of a threshold."""
    for m, row in hyq_rows():
        softmax = LinearSoftmax(m, softmax_shift_bits(4, "log2"), 4, "log2")
        assert softmax.shift_bits == 17
        theirs, ratios = released_hyq(row, m)
        tolerance = Fraction(len(row), softmax.line_offset << 17)
        for a, b, ratio in zip(softmax.reference(row), theirs, ratios, strict=True):
            thresholds = [Fraction(3 * 2**j, 2) for j in range(16)]
            if all(abs(ratio / t - 1) > tolerance for t in thresholds):
                assert min(b, 15) - a == (rounding_differs(ratio) and b <= 15), (m, row, ratio)


def test_uniform_probabilities() -> None:
    """Within half a step of the line's softmax, and 8 % (the line's error) of the real one."""
    rng = np.random.default_rng(0)
    m, bits = 8, 16
    softmax = LinearSoftmax(m, softmax_shift_bits(bits, "uniform"), bits, "uniform")
    codes = rng.integers(0, 8 << m, (500, 20))
    found = softmax.output_type(scores(500, 20, bits=16)).quantization.dequantize(
        softmax.reference(codes)
    )
    octaves = (codes - codes.max(axis=-1, keepdims=True)) / 2**m
    k = np.ceil(octaves)
    line = (line_offset(m) / 2**m + (octaves - k)) * np.exp2(k)
    line /= line.sum(axis=-1, keepdims=True)
    assert np.abs(found - line).max() < 0.5 * 2**-bits * 1.01
    real = np.exp2(octaves) / np.exp2(octaves).sum(axis=-1, keepdims=True)
    assert np.all(np.abs(found - real) < 0.08 * real + 2**-bits)


def test_one_lane_is_certain() -> None:
    assert LinearSoftmax(4, 17, 4, "log2").reference(np.array([[9]])).tolist() == [[0]]
    assert LinearSoftmax(4, 12, 8, "uniform").reference(np.array([[9]])).tolist() == [[255]]


@settings(deadline=None)  # the machine may be busy
@given(
    codes=st_numpy.arrays(
        np.int64, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=st.integers(-128, 127)
    ),
    fraction=st.integers(0, 8),
    bits=st.integers(2, 6),
    uniform=st.booleans(),
    shift=st.integers(-99, 99),
    seed=st.integers(0, 99),
)
def test_properties(
    *, codes: Codes, fraction: int, bits: int, uniform: bool, shift: int, seed: int
) -> None:
    """Shifts cancel, order does not matter, larger scores have larger probabilities."""
    output: Literal["log2", "uniform"] = "uniform" if uniform else "log2"
    softmax = LinearSoftmax(fraction, softmax_shift_bits(bits, output), bits, output)
    found = softmax.reference(codes)
    quantization = softmax.output_type(scores(*codes.shape, signed=True)).quantization
    assert quantization.qmin <= found.min() <= found.max() <= quantization.qmax
    assert np.array_equal(softmax.reference(codes + shift), found)
    order = np.random.default_rng(seed).permutation(codes.shape[1])
    assert np.array_equal(softmax.reference(codes[:, order]), found[:, order])
    probability = quantization.dequantize(found)
    ranks = np.argsort(codes, axis=-1, kind="stable")
    assert (np.diff(np.take_along_axis(probability, ranks, axis=-1)) >= 0).all()


@pytest.mark.parametrize("seed", range(10))
def test_bounds_hold_and_are_tight(seed: int) -> None:
    """All-equal rows attain the sum that the bounds and widths are made for."""
    case = random_case(seed)
    softmax, (x,) = case.operation, case.inputs
    assert isinstance(softmax, LinearSoftmax)
    largest = softmax.line_offset << softmax.shift_bits
    total = x.channels * largest
    dividend = (largest << softmax.bits) + total // 2
    widest = 4 * total if softmax.output == "log2" else max(total, dividend)
    assert softmax.accumulator(x).high == widest
    assert circuit_of(softmax, x).arguments(case.folding).integers["total_t"] == (
        total.bit_length(),
        False,
    )


def test_work_and_foldings() -> None:
    softmax, x = LinearSoftmax(4, 17, 4, "log2"), scores(5, 6)
    circuit = circuit_of(softmax, x)
    assert circuit.foldings == [Folding(lanes, lanes) for lanes in (1, 2, 3, 6)]
    assert [circuit.cycles(f) for f in circuit.foldings] == [30, 15, 10, 5]
    assert softmax.macs(x) == circuit.products(Folding(6, 6)) == 0
    with pytest.raises(GraphError, match=r"2 x 1 .*does not divide this linear_softmax"):
        circuit.check_folding(Folding(2, 1))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((17, 17, 4, "log2"), r"softmax fraction 17 leaves \[0, 16\]"),
        ((-1, 17, 4, "log2"), r"softmax fraction -1 leaves"),
        ((4, 41, 4, "log2"), r"softmax shift_bits 41 leaves \[0, 40\]"),
        ((4, 17, 1, "log2"), r"a tensor has 1 bits"),
        ((4, 17, 4, "log3"), r"softmax output 'log3'; 'log2' or 'uniform' is wanted"),
        ((4.0, 17, 4, "log2"), r"linear_softmax fraction: an integer is wanted, found 4\.0"),
    ],
)
def test_parameters_that_do_not_fit(parameters: tuple[int, int, int, str], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        LinearSoftmax(*parameters)  # type: ignore[arg-type]


def test_inputs_that_do_not_fit() -> None:
    softmax = LinearSoftmax(4, 17, 4, "log2")
    with pytest.raises(GraphError, match="input has log2 codes; affine is wanted"):
        softmax.output_type(TensorType((4,), Quantization(4, False, encoding="log2")))
    for quantization in (
        Quantization(8, False, scale=(1.0, 2.0)),
        Quantization(8, False, zero_point=(1, 2)),
    ):
        with pytest.raises(GraphError, match="one scale and one zero point, found"):
            softmax.output_type(TensorType((3, 2), quantization))
    graph = Graph("x", scores(64, bits=16))
    with pytest.raises(GraphError, match="p: the accumulator needs 66 bits"):
        graph.add("p", LinearSoftmax(16, 40, 4, "log2"), "x")
