"""separable_context: reference == C++ == RTL over foldings; golden values from exact fractions."""

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
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import SeparableContext
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, dense_to, random_codes, saved_and_loaded

ONE = np.array([1])
BYTE = Requantize(Quantization(8, True), np.array([4]), ONE)
SHAPES = [(4, 5, 6), (1, 3, 4), (2, 1, 3), (3, 4, 1)]


def random_case(seed: int) -> Case[SeparableContext]:
    """Random shapes, widths, exponentials, zero points and lanes."""
    rng = np.random.default_rng(seed)
    pixels, tokens, c = SHAPES[seed % len(SHAPES)]
    scores = Quantization(int(rng.integers(2, 9)), bool(rng.integers(2)))
    keys = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    zero = tuple(rng.integers(keys.qmin, keys.qmax + 1, rng.choice([1, c])).tolist())
    keys = replace(keys, zero_point=zero)
    table = rng.integers(1, 1 << int(rng.integers(1, 21)), 1 << scores.bits, endpoint=True)
    fraction = int(rng.integers(0, 9))
    out = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    out = replace(out, zero_point=((out.qmin + out.qmax) // 2,))
    shift = keys.bits + fraction - out.bits - rng.integers(0, 2, rng.choice([1, c]))
    multiplier = ONE
    if seed % 3 == 0:
        multiplier, shift = rng.integers(1 << 14, 1 << 16, rng.choice([1, c])), shift + 15
    operation = SeparableContext(
        table, scores.qmin, fraction, zero, Requantize(out, shift, multiplier)
    )
    inputs = [TensorType((pixels, tokens, 1), scores), TensorType((pixels, tokens, c), keys)]
    return Case(operation, inputs, random_folding(rng, circuit_of(operation, *inputs)))


def exponential_case(lanes: int) -> Case[SeparableContext]:
    """True exponentials over twelve octaves."""
    scores = TensorType((4, 8, 1), Quantization(8, False, (1 / 32,), (128,)))
    keys = TensorType((4, 8, 6), Quantization(8, False, (1 / 16,), (120,)))
    table = np.rint(2.0**18 * np.exp((np.arange(256) - 255) / 32)).astype(int)
    out = Requantize(Quantization(8, False, (1 / 64,), (128,)), np.array([4]), ONE)
    operation = SeparableContext(table, 0, 6, (120,), out)
    return Case(operation, [scores, keys], Folding(lanes, lanes))


CASES = [*(random_case(seed) for seed in range(12)), *(exponential_case(n) for n in (1, 6))]


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
def test_reference_equals_exact_fractions(case: Case[SeparableContext]) -> None:
    codes = extreme_codes(case.inputs, 1)
    operation, (_, keys) = case.operation, case.inputs
    r, q = operation.requantize, operation.requantize.quantization
    scores, values = (x.tolist() for x in codes)
    pixels, tokens, channels = keys.shape
    expected = np.empty((len(scores), pixels, 1, channels), np.int64)
    for b, p, _, c in np.ndindex(*expected.shape):
        weights = [
            int(operation.table[scores[b][p][n][0] - operation.first]) for n in range(tokens)
        ]
        zero = operation.zero_point[c % len(operation.zero_point)]
        total = sum(w * (values[b][p][n][c] - zero) for n, w in enumerate(weights))
        mean = Fraction(total << operation.mean_bits, sum(weights))
        acc = math.floor(mean + Fraction(1, 2))
        scaled = Fraction(acc * int(r.multiplier[c % r.multiplier.size]))
        step = Fraction(2) ** int(r.shift[c % r.shift.size])
        code = math.floor(scaled / step + Fraction(1, 2)) + q.zero_point[0]
        expected[b, p, 0, c] = min(max(code, q.qmin), q.qmax)
    assert np.array_equal(operation.reference(*codes), expected)


def test_it_is_the_mean_under_a_softmax() -> None:
    """True exponentials give the real context vector within a step of its codes."""
    case = exponential_case(1)
    scores, keys = (
        x.quantization.dequantize(c)
        for x, c in zip(case.inputs, extreme_codes(case.inputs, 2), strict=True)
    )
    weights = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    found = case.output.quantization.dequantize(
        case.operation.reference(*extreme_codes(case.inputs, 2))
    )
    wanted = np.clip((weights * keys).sum(axis=2, keepdims=True), found.min(), found.max())
    assert np.abs(found - wanted).max() <= 1.01 / 128


@pytest.mark.parametrize("case", CASES)
def test_no_sum_leaves_its_bounds(case: Case[SeparableContext]) -> None:
    operation, (_, keys) = case.operation, case.inputs
    q, top = keys.quantization, int(operation.table.max())
    count = keys.shape[1]
    assert operation.total(keys).high == count * top
    assert operation.weighted(keys).high == count * top * (q.qmax - q.qmin)
    bounds = operation.accumulator(*case.inputs)
    assert bounds.high >= (operation.weighted(keys).high << operation.mean_bits) + count * top // 2
    result = operation.result(keys)
    for zero in keys.quantization.zero_point:
        assert result.low <= (q.qmin - zero) << operation.mean_bits
        assert result.high >= (q.qmax - zero) << operation.mean_bits


def test_the_circuit() -> None:
    case = exponential_case(1)
    circuit = case.circuit
    assert circuit.input_lanes(Folding(3, 3)) == (1, 3)
    sums = circuit.memories(Folding(3, 3))[0]
    assert (sums.width, sums.depth) == (3 * 29, 2)
    assert circuit.dsps(Folding(3, 3)) == 3
    assert circuit.cycles(Folding(3, 3)) == 4 * 8 * 2
    assert circuit.latency(Folding(3, 3)) == 64 - 1 + 11 + 8 + 6


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    case = exponential_case(1)
    graph = Graph("x", TensorType((4, 8, 4), Quantization(8, True)))
    for name, tensor in zip(("scores", "keys"), case.inputs, strict=True):
        graph.add(name, dense_to(tensor, 4, rng), "x")
    graph.add("op", case.operation, "scores", "keys")
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, rng)
    found, wanted = (dict(g.reference(codes))["op"] for g in (again, graph))
    assert again.output_type == graph.output_type == case.output
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": np.zeros(256, int)}, "exponentials from 0 on; 1 is the smallest"),
        ({"mean_bits": -1}, "mean_bits -1 must not be negative"),
        ({"table": np.ones(255, int)}, "scores of 8 bits from 0 on meet a table of 255"),
        ({"first": -128}, "exponentials from -128 on"),
        (
            {"zero_point": (3,)},
            r"keys has zero points \(120,\), the operation was built for \(3,\)",
        ),
        ({"requantize": replace(BYTE, shift=np.ones(4, int))}, "has 4 entries for 6 channels"),
    ],
)
def test_bad_parameters(changes: dict[str, Any], message: str) -> None:
    case = exponential_case(1)
    with pytest.raises(GraphError, match=message):
        replace(case.operation, **changes).output_type(*case.inputs)


@pytest.mark.parametrize(
    ("shape", "changes", "message"),
    [
        ((4, 8, 2), {}, r"scores \(P, N, 1\) and keys \(P, N, C\) are wanted, found \(4, 8, 2\)"),
        ((4, 7, 1), {}, r"found \(4, 7, 1\) and \(4, 8, 6\)"),
        ((4, 8, 1), {"encoding": "log2", "zero_point": (0,)}, "scores has log2 codes"),
    ],
)
def test_scores_that_do_not_fit(
    shape: tuple[int, ...], changes: dict[str, Any], message: str
) -> None:
    case = exponential_case(1)
    scores = TensorType(shape, replace(case.inputs[0].quantization, **changes))
    with pytest.raises(GraphError, match=message):
        case.operation.output_type(scores, case.inputs[1])
