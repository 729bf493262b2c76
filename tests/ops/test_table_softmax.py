"""table_softmax: reference == C++, native and bit-accurate, == RTL; and the published formula."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray

from hyq_hls.emulate import Emulator
from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import LinearSoftmax, TableSoftmax
from hyq_hls.ops.table_softmax import MAX_SOFTMAX_TABLE_BITS, OUTPUTS, SoftmaxOutput
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.examples import example_graph
from tests.ops.harness import (
    BIT_ACCURATE,
    FAST_COMPILE,
    check_rtl,
    random_codes,
    reference,
    saved_and_loaded,
)

Codes = NDArray[np.int64]


def scores(*shape: int, bits: int = 8, signed: bool = False) -> TensorType:
    return TensorType(shape, Quantization(bits, signed))


def random_table(rng: np.random.Generator, in_bits: int, bits: int) -> Codes:
    """Exponentials of up to ``bits`` bits: falling, or any, some of them zero."""
    size = 1 << in_bits
    if rng.integers(2):
        decay = rng.uniform(0.01, 2)
        table = np.rint(np.exp2(bits - 1 - decay * np.arange(size))).astype(np.int64)
    else:
        table = rng.integers(0, 1 << bits, size) * (rng.random(size) < 0.8)
    table[0] = max(table[0], 1)
    return np.asarray(table)


def random_case(seed: int) -> Case[TableSoftmax]:
    """Random tables, widths, shapes and lanes; every output in turn."""
    rng = np.random.default_rng(seed)
    in_bits = int(rng.integers(2, MAX_SOFTMAX_TABLE_BITS + 1))
    channels, output = int(rng.integers(1, 70)), OUTPUTS[seed % 3]
    bits = int(rng.integers(2, 17 if output == "uniform" else 7))
    table = random_table(rng, in_bits, int(rng.integers(1, 37)))
    x = scores(2, 8, channels, bits=in_bits, signed=bool(rng.integers(2)))
    softmax = TableSoftmax(table, bits, output)
    return Case(softmax, [x], random_folding(rng, circuit_of(softmax, x)))


def row_codes(case: Case[TableSoftmax], seed: int) -> Codes:
    """Random codes over the whole range and over few codes; extremes; one hot both ways."""
    rng = np.random.default_rng(seed)
    (x,) = case.inputs
    q = x.quantization
    codes = random_codes(x, rng)
    codes[1] = rng.integers(q.qmin, min(q.qmin + 4, q.qmax) + 1, x.shape)
    codes[2, ..., :], codes[2, ..., 0] = q.qmin, q.qmax
    codes[3, ..., :], codes[3, ..., -1] = q.qmax, q.qmin
    return codes


def exhaustive(
    table: list[int], output: SoftmaxOutput, channels: int, lanes: int
) -> Case[TableSoftmax]:
    """Every row of ``channels`` codes; see :func:`every_row`."""
    operation, bits = TableSoftmax(np.array(table), 4, output), len(table).bit_length() - 1
    x = scores(len(table) ** channels, channels, bits=bits)
    return Case(operation, [x], Folding(lanes, lanes))


def every_row(case: Case[TableSoftmax]) -> Codes:
    q, channels = case.inputs[0].quantization, case.inputs[0].channels
    return np.array(list(product(range(1 << q.bits), repeat=channels)))[None]


#: Small integers hit every threshold and tie exactly: E/e = 3/2, 5/2, 3, 11/2, 6 and more.
EXHAUSTIVE = [
    exhaustive([8, 4, 2, 1, 0, 0, 3, 5], "log2", 4, 2),
    exhaustive([8, 4, 2, 1, 0, 6, 3, 5], "log2_rounded", 4, 4),
    exhaustive([2, 1, 3, 0], "log2_rounded", 6, 1),
    exhaustive([1, 1, 0, 1], "log2_rounded", 5, 5),
    exhaustive([7, 5, 2, 0], "uniform", 5, 1),
    exhaustive([1, 0, 1, 1], "log2", 1, 1),
]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    work = [(random_case(seed), row_codes(random_case(seed), seed)) for seed in range(9)]
    work += [(case, every_row(case)) for case in EXHAUSTIVE]
    functions = compile_cases([case for case, _ in work], tmp_path, flags)
    for (case, codes), csim in zip(work, functions, strict=True):
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


def small_case(seed: int) -> Case[TableSoftmax]:
    """Three rows to a frame and at most 12 lanes: simulated cycles cost more than those of C++."""
    case = random_case(seed)
    x = replace(case.inputs[0], shape=(3, case.inputs[0].channels))
    few = [f for f in case.circuit.foldings if f.outputs <= 12]
    return Case(case.operation, [x], few[seed % len(few)])


def wide_case(output: SoftmaxOutput) -> Case[TableSoftmax]:
    """More lanes than one level of registers of the trees of maxima and sums takes."""
    table = random_table(np.random.default_rng(0), 6, 18)
    return Case(TableSoftmax(table, 4, output), [scores(3, 66, bits=6)], Folding(66, 66))


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    cases = [*map(small_case, range(9)), wide_case("log2_rounded"), wide_case("uniform")]
    codes = [[row_codes(case, seed)] for seed, case in enumerate(cases)]
    RtlBench(cases, tmp_path / "bench").check(codes)


@pytest.mark.slow
def test_rtl_of_every_row(tmp_path: Path) -> None:
    RtlBench(EXHAUSTIVE, tmp_path / "bench").run([[every_row(case)] for case in EXHAUSTIVE])


@pytest.mark.slow
def test_rtl_with_tables_in_block_ram(tmp_path: Path) -> None:
    """37 bits of 1024 exponentials are no longer logic."""
    rng = np.random.default_rng(0)
    table = rng.integers(1, 1 << 37, 1024)
    case = Case(TableSoftmax(table, 4, "log2"), [scores(3, 6, bits=10)], Folding(2, 2))
    RtlBench([case], tmp_path / "bench").check([[row_codes(case, 0)]])


@pytest.mark.slow
def test_rtl_in_a_project(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    graph = example_graph("table_softmax", rng)
    check_rtl(graph, rng, tmp_path, {graph.output_name: Folding(2, 2)})


@pytest.mark.parametrize("seed", range(12))
def test_emulation_equals_reference(seed: int) -> None:
    case = random_case(seed)
    graph = case.graph("p")
    codes = row_codes(case, seed)
    assert np.array_equal(dict(Emulator(graph).trace(codes))["p"], case.operation.reference(codes))


def published_code(total: int, e: int, output: SoftmaxOutput, top: int) -> int:
    """A log2 code with exact quotients, from the words of FQ-ViT's and HyQ's algorithm."""
    if e == 0:
        return top
    t = Fraction(total, e)
    if output == "log2_rounded":
        t = Fraction(round(t))  # half to even, as torch.round
    level = 0
    while 2 << level <= t:
        level += 1
    above = t - (1 << level) >= Fraction(1 << level, 2)
    return min(level + above, top)


@pytest.mark.parametrize("seed", range(12))
def test_reference_is_the_formula(seed: int) -> None:
    case = random_case(seed)
    softmax, codes = case.operation, row_codes(case, seed)
    assert isinstance(softmax, TableSoftmax)
    rows, found = (x.reshape(-1, x.shape[-1])[:60] for x in (codes, softmax.reference(codes)))
    top = (1 << softmax.bits) - 1
    for row, probabilities in zip(rows.tolist(), found.tolist(), strict=True):
        e = [int(softmax.table[max(row) - q]) for q in row]
        if softmax.output == "uniform":
            expected = [min(top, ((v << softmax.bits) + sum(e) // 2) // sum(e)) for v in e]
        else:
            expected = [published_code(sum(e), v, softmax.output, top) for v in e]
        assert probabilities == expected


@pytest.mark.slow
@pytest.mark.parametrize("output", ["log2", "log2_rounded"])
def test_every_small_ratio_has_the_published_code(output: SoftmaxOutput) -> None:
    """E/e for all e < 24 and E < 724, as rows [1, e, rest - 1]; ties among them."""
    softmax = TableSoftmax(np.array([1, *range(1023)]), 6, output)
    ratios = np.array(list(product(range(1, 24), range(1, 700))))
    distances = np.stack([np.zeros(len(ratios), int), 1 + ratios[:, 0], ratios[:, 1]], axis=1)
    found = softmax.reference(1023 - distances)[:, 1]
    ties = 0
    for code, (e, rest) in zip(found.tolist(), ratios.tolist(), strict=True):
        assert code == published_code(rest + e, e, output, 63), (rest + e, e)
        ties += 2 * (rest + e) % e == 0 and (2 * (rest + e) // e) % 2
    assert ties > 100


def test_rounded_codes_differ_only_before_thresholds() -> None:
    """One more where E/e lies in (2.5, 3) or [3 * 2**i - 0.5, 3 * 2**i), i >= 1; never less."""
    rng = np.random.default_rng(0)
    table = random_table(rng, 6, 14)
    rows = rng.integers(0, 64, (4000, 5))
    plain, rounded = (
        TableSoftmax(table, 6, output).reference(rows) for output in ("log2", "log2_rounded")
    )
    e = table[rows.max(axis=-1, keepdims=True) - rows]
    total = np.broadcast_to(e.sum(axis=-1, keepdims=True), e.shape)
    early = (2 * total > 5 * e) & (total < 3 * e)
    for i in range(1, 40):
        early |= ((2 * total - (6 << i) * e) >= -e) & (total < (3 << i) * e)
    assert np.array_equal(rounded - plain, (early & (e > 0)).astype(np.int64))
    assert early.any()


@pytest.mark.parametrize("m", [4, 6, 8])
@pytest.mark.parametrize("output", ["log2", "uniform"])
def test_the_line_as_a_table_is_linear_softmax(m: int, output: SoftmaxOutput) -> None:
    rng = np.random.default_rng(m)
    rows = rng.integers(0, 256, (500, 12))
    linear = LinearSoftmax(m, 17, 5, "log2" if output == "log2" else "uniform")
    table = TableSoftmax(linear.exponential(np.arange(256)), 5, output)
    assert np.array_equal(table.reference(rows), linear.reference(rows))


def test_one_lane_is_certain() -> None:
    table = np.array([3, 2, 1, 0])
    outputs: list[tuple[SoftmaxOutput, int]] = [("log2", 0), ("log2_rounded", 0), ("uniform", 15)]
    for output, code in outputs:
        assert TableSoftmax(table, 4, output).reference(np.array([[2]])).tolist() == [[code]]


@pytest.mark.slow
@settings(deadline=None)  # the machine may be busy
@given(
    codes=st_numpy.arrays(
        np.int64, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=st.integers(-32, 31)
    ),
    table=st_numpy.arrays(np.int64, 64, elements=st.integers(0, 1 << 40)),
    bits=st.integers(2, 6),
    output=st.sampled_from(OUTPUTS),
    shift=st.integers(-99, 99),
    seed=st.integers(0, 99),
)
def test_properties(
    *, codes: Codes, table: Codes, bits: int, output: SoftmaxOutput, shift: int, seed: int
) -> None:
    """Shifts cancel, order does not matter, larger exponentials have larger probabilities."""
    table[0] = max(table[0], 1)
    softmax = TableSoftmax(table, bits, output)
    found = softmax.reference(codes)
    x = scores(*codes.shape, bits=6, signed=True)
    quantization = softmax.output_type(x).quantization
    assert quantization.qmin <= found.min() <= found.max() <= quantization.qmax
    assert np.array_equal(softmax.reference(codes + shift), found)
    order = np.random.default_rng(seed).permutation(codes.shape[1])
    assert np.array_equal(softmax.reference(codes[:, order]), found[:, order])
    e = table[codes.max(axis=-1, keepdims=True) - codes]
    ranks = np.argsort(e, axis=-1, kind="stable")
    probability = quantization.dequantize(np.take_along_axis(found, ranks, axis=-1))
    assert (np.diff(probability) >= 0).all()


@pytest.mark.parametrize("seed", range(12))
def test_bounds_hold_and_are_tight(seed: int) -> None:
    """Rows of the largest exponential alone attain the sum that bounds and widths are made for."""
    case = random_case(seed)
    softmax, (x,) = case.operation, case.inputs
    assert isinstance(softmax, TableSoftmax)
    largest = int(softmax.table.max())
    total = x.channels * largest
    widest = {
        "log2": 4 * total,
        "log2_rounded": 4 * total + 2 * largest,
        "uniform": max(total, (largest << softmax.bits) + total // 2),
    }[softmax.output]
    assert softmax.accumulator(x).high == widest
    integers = circuit_of(softmax, x).arguments(case.folding).integers
    assert integers["total_t"] == (total.bit_length(), False)
    assert integers["exponential_t"] == (largest.bit_length(), False)


def test_work_foldings_and_memories() -> None:
    softmax, x = TableSoftmax(np.arange(256, 0, -1), 4, "log2"), scores(5, 6)
    circuit = circuit_of(softmax, x)
    assert circuit.foldings == [Folding(lanes, lanes) for lanes in (1, 2, 3, 6)]
    assert [circuit.cycles(f) for f in circuit.foldings] == [30, 15, 10, 5]
    assert softmax.macs(x) == circuit.products(Folding(6, 6)) == 0
    constant = [m for m in circuit.memories(Folding(3, 3)) if m.constant]
    assert [(m.width, m.depth) for m in constant] == [(9, 256)] * 3
    with pytest.raises(GraphError, match=r"2 x 1 .*does not divide this table_softmax"):
        circuit.check_folding(Folding(2, 1))


def test_saves_and_loads(tmp_path: Path) -> None:
    case = random_case(1)
    graph = case.graph("p")
    again = saved_and_loaded(graph, tmp_path)
    codes = row_codes(case, 1)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


FALLING = np.array([4, 3, 2, 1])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ((np.ones(3, int), 4, "log2"), r"a table of 3 exponentials; 2\*\*bits are wanted"),
        ((np.ones(2, int), 4, "log2"), r"a table of 2 exponentials"),
        ((np.ones(2048, int), 4, "log2"), r"a table of 2048 exponentials; .* 2 to 10 bits"),
        ((np.ones(4), 4, "log2"), r"table: integers with 1 axes are wanted, found float64"),
        ((-FALLING, 4, "log2"), r"exponentials from -4 on, -4 at distance 0; they must be 0"),
        ((FALLING - 4, 4, "log2"), r"exponentials from -3 on, 0 at distance 0"),
        ((np.array([0, 1, 1, 1]), 4, "log2"), r"0 at distance 0; .* no row sums to 0"),
        ((FALLING, 1, "log2"), r"a tensor has 1 bits"),
        ((FALLING, 4.0, "log2"), r"table_softmax bits: an integer is wanted, found 4\.0"),
        ((FALLING, 4, "log3"), r"output 'log3'; one of \('log2', 'log2_rounded', 'uniform'\)"),
    ],
)
def test_parameters_that_do_not_fit(
    parameters: tuple[Codes, int, SoftmaxOutput], message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        TableSoftmax(*parameters)


def test_inputs_that_do_not_fit() -> None:
    softmax = TableSoftmax(FALLING, 4, "log2")
    with pytest.raises(GraphError, match="input has log2 codes; affine is wanted"):
        softmax.output_type(TensorType((4,), Quantization(2, False, encoding="log2")))
    for quantization in (
        Quantization(2, False, scale=(1.0, 2.0)),
        Quantization(2, False, zero_point=(1, 2)),
    ):
        with pytest.raises(GraphError, match="one scale and one zero point, found"):
            softmax.output_type(TensorType((3, 2), quantization))
    with pytest.raises(GraphError, match="table has 4 exponentials, the input 8 codes; make one"):
        softmax.output_type(scores(4, bits=3))
    graph = Graph("x", scores(64, bits=2))
    with pytest.raises(GraphError, match="p: the accumulator needs 63 bits"):
        graph.add("p", TableSoftmax(FALLING << 51, 4, "log2"), "x")
