"""average_pool: reference == C++ == RTL over foldings; golden values from torch and fractions."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import AveragePool, DepthwiseConv2d
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, random_codes, saved_and_loaded

ONE = np.array([1])
BYTE = Requantize(Quantization(8, True), np.array([10]), ONE)
NINTHS = np.rint(1024 / np.arange(1, 10)).astype(np.int64)


def random_case(seed: int) -> Case[AveragePool]:
    """Random geometry, widths, factors and lanes; every third case subtracts its input."""
    rng = np.random.default_rng(seed)
    bits, out_bits = rng.integers(2, 17, 2).tolist()
    c = int(rng.integers(1, 6))
    q = Quantization(bits, bool(rng.integers(2)))
    zero = tuple(rng.integers(q.qmin, q.qmax + 1, rng.choice([1, c])).tolist())
    x = TensorType((*rng.integers(3, 8, 2).tolist(), c), replace(q, zero_point=zero))
    kernel = tuple(rng.integers(1, 4, 2).tolist())
    stride = tuple(rng.integers(1, 3, 2).tolist())
    padding = int(rng.integers(0, kernel[0] // 2 + 1)), int(rng.integers(0, kernel[1] // 2 + 1))
    factor, centre = rng.integers(1 << 10, 1 << 12, kernel[0] * kernel[1]), 0
    if seed % 3 == 0:
        kernel, stride, padding, factor = (3, 3), (1, 1), (1, 1), NINTHS
        centre = 1024 if seed % 2 else int(rng.integers(1, 1 << 12))
    multiplier = rng.integers(1 << 12, 1 << 16, rng.choice([1, c])) if seed % 2 else ONE
    out = Quantization(out_bits, bool(rng.integers(2)))
    out = replace(out, zero_point=((out.qmin + out.qmax + 1) // 2,))
    operation = AveragePool(
        kernel, stride, padding, zero, factor, centre, Requantize(out, np.zeros(1, int), ONE)
    )
    reach = operation.accumulator(x).bits + 15 * (seed % 2)
    shift = reach - 3 - out_bits + rng.integers(0, 2, rng.choice([1, c]))
    operation = replace(operation, requantize=Requantize(out, shift, multiplier))
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


def mixer_case(lanes: int) -> Case[AveragePool]:
    """The token mixer of EfficientFormer, ``pool(x) - x``."""
    x = TensorType((5, 4, 4), Quantization(8, False, zero_point=(117,)))
    operation = AveragePool((3, 3), (1, 1), (1, 1), (117,), NINTHS, 1024, BYTE)
    return Case(operation, [x], Folding(lanes, lanes))


CASES = [*(random_case(seed) for seed in range(9)), *(mixer_case(lanes) for lanes in (1, 4))]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path / "c", flags), CASES, strict=True):
        codes = random_codes(case.inputs[0], np.random.default_rng(0), samples=4)
        expected = case.operation.reference(codes)
        assert len(np.unique(expected)) > 1
        assert np.array_equal(csim(codes), expected), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Every case, stalled and not, with a reset between; ``cycles`` and ``latency`` are exact."""
    rng = np.random.default_rng(0)
    RtlBench(CASES, tmp_path / "rtl").check([[random_codes(c.inputs[0], rng)] for c in CASES])


@pytest.mark.parametrize("case", CASES)
def test_reference_equals_exact_fractions(case: Case[AveragePool]) -> None:
    """Every output on its own, from the positions that lie inside."""
    (x,), pool = case.inputs, case.operation
    height, width, channels = x.shape
    codes = random_codes(x, np.random.default_rng(1), samples=1)
    zero = np.resize(pool.pad_value, channels).tolist()
    r, q = pool.requantize, pool.requantize.quantization
    found = pool.reference(codes)
    for y, k, c in np.ndindex(*found.shape[1:]):
        top, left = y * pool.stride[0] - pool.padding[0], k * pool.stride[1] - pool.padding[1]
        places = [
            (row, column)
            for row in range(max(top, 0), min(top + pool.kernel[0], height))
            for column in range(max(left, 0), min(left + pool.kernel[1], width))
        ]
        inside = sum(int(codes[0, row, column, c]) - zero[c] for row, column in places)
        acc = inside * int(pool.factor[len(places) - 1])
        if pool.centre:
            acc -= pool.centre * (int(codes[0, y, k, c]) - zero[c])
        step = Fraction(2) ** int(r.shift[c % r.shift.size])
        scaled = acc * int(r.multiplier[c % r.multiplier.size]) / step
        code = math.floor(scaled + Fraction(1, 2)) + q.zero_point[0]
        assert found[0, y, k, c] == min(max(code, q.qmin), q.qmax)


def test_means_are_those_of_torch() -> None:
    (x,), pool = mixer_case(1).inputs, mixer_case(1).operation
    codes = random_codes(x, np.random.default_rng(0))
    real = torch.from_numpy(codes - 117).double().permute(0, 3, 1, 2)
    module = torch.nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    for centre in (0, 1024):
        wanted = (module(real) - (real if centre else 0)).permute(0, 2, 3, 1).numpy()
        found = replace(pool, centre=centre).reference(codes)
        assert np.abs(found - np.clip(wanted, -128, 127)).max() < 1


def test_it_is_a_depthwise_convolution_where_no_window_meets_a_border() -> None:
    rng = np.random.default_rng(0)
    x = TensorType((6, 7, 4), Quantization(8, False, zero_point=(9,)))
    weight = np.full((4, 2, 3), 17)
    bias = -9 * weight.sum(axis=(1, 2))
    convolution = DepthwiseConv2d(weight, 8, bias, (2, 1), (0, 0), (9,), BYTE)
    factor = np.array([99, 99, 99, 99, 99, 17])
    pool = AveragePool((2, 3), (2, 1), (0, 0), (9,), factor, 0, BYTE)
    codes = random_codes(x, rng)
    assert np.array_equal(pool.reference(codes), convolution.reference(codes))
    assert pool.output_type(x) == convolution.output_type(x)
    assert pool.accumulator(x) == convolution.accumulator(x)
    assert pool.macs(x) == convolution.macs(x)


@pytest.mark.parametrize("case", CASES)
def test_bounds_hold_and_are_reached(case: Case[AveragePool]) -> None:
    """The extremes of every window, whose middle may count the other way round."""
    (x,), pool = case.inputs, case.operation
    bounds, q = pool.accumulator(x), x.quantization
    wide = replace(pool, requantize=Requantize(Quantization(16, True), np.array([50]), ONE))
    rows, columns = pool.inside(*x.shape[:2])
    sums = {0}
    for n in np.unique(np.outer(rows, columns)).tolist():
        middle = int(pool.factor[n - 1]) - pool.centre
        for zero in set(pool.pad_value):
            for code, other in ((q.qmin, q.qmax), (q.qmax, q.qmin)):
                own = (code if middle > 0 else other) - zero
                sums.add((n - 1) * int(pool.factor[n - 1]) * (code - zero) + middle * own)
    assert bounds.low <= min(sums)
    assert max(sums) <= bounds.high
    if len(set(pool.pad_value)) == 1:
        assert (bounds.low, bounds.high) == (min(sums), max(sums))
    assert wide.accumulator(x) == bounds


def test_work_foldings_and_memories() -> None:
    (x,), pool = mixer_case(1).inputs, mixer_case(1).operation
    circuit = circuit_of(pool, x)
    assert circuit.foldings == [Folding(1, 1), Folding(2, 2), Folding(4, 4)]
    assert pool.macs(x) == 5 * 4 * 4 * 9
    assert circuit.products(Folding(2, 2)) == circuit.dsps(Folding(2, 2)) == 2
    roms = {rom.name: rom for rom in circuit.arguments(Folding(2, 2)).roms}
    assert roms["rows"].entries + roms["columns"].entries + roms["factor"].entries == 5 + 4 + 9
    assert circuit.arguments(Folding(2, 2)).constants["centre"] == 1024


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    for case in (random_case(1), mixer_case(2)):
        graph = case.graph("op")
        again = saved_and_loaded(graph, tmp_path)
        codes = random_codes(graph.input_type, np.random.default_rng(0))
        found, wanted = (dict(g.reference(codes))["op"] for g in (again, graph))
        assert again.output_type == graph.output_type
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factor": NINTHS[:8]}, r"8 factors .* window \(3, 3\); one positive factor .* 1 to 9"),
        ({"factor": NINTHS - 114}, "factors from 0 on"),
        ({"padding": (2, 1)}, r"padding \(2, 1\) is more than half of the window"),
        ({"padding": (0, 0)}, "subtracts 1024 times the input .*; a window around each position"),
        ({"stride": (2, 1)}, r"stride \(2, 1\)"),
        ({"centre": -1}, "subtracts -1 times"),
        ({"centre": 0.5}, "average_pool centre: an integer is wanted"),
        ({"kernel": (3,)}, "average_pool kernel: two integers are wanted"),
        ({"pad_value": (3,)}, "input has zero points"),
        ({"factor": np.full(9, 1 << 60), "centre": 0}, "accumulator needs 7"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    case = mixer_case(1)
    graph = Graph("x", case.inputs[0])
    with pytest.raises(GraphError, match=message):
        graph.add("op", replace(case.operation, **changes), "x")


def test_tokens_are_refused() -> None:
    graph = Graph("x", TensorType((4, 6), Quantization(8, False, zero_point=(117,))))
    with pytest.raises(GraphError, match=r"a map \(H, W, C\) is wanted, found \(4, 6\)"):
        graph.add("op", mixer_case(1).operation, "x")
