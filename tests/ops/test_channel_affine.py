"""channel_affine: reference == C++ == RTL over foldings; golden values from exact fractions."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import ChannelAffine, DepthwiseConv2d
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, random_codes, saved_and_loaded

ONE = np.array([1])
BYTE = Requantize(Quantization(8, True), np.array([7]), ONE)


def random_case(seed: int) -> Case[ChannelAffine]:
    """Random shapes, widths, signs and lanes; in odd cases biases per position, or some of them.

    Biases undo the zero point, and sums fill the output.
    """
    rng = np.random.default_rng(seed)
    c = int(rng.integers(1, 7))
    shape = (*rng.integers(1, 5, seed % 3).tolist(), c)
    q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    zero = rng.integers(q.qmin, q.qmax + 1, rng.choice([1, c]))
    x = TensorType(shape, replace(q, zero_point=tuple(zero.tolist())))
    bits = int(rng.integers(2, 17))
    weight = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), rng.choice([1, c]))
    rows = (x.words if seed % 4 == 1 else math.prod(shape[1:-1])) if seed % 2 else 1
    bias = rng.integers(-(1 << q.bits), 1 << q.bits, (rows, c)) - weight * zero
    out_bits = int(rng.integers(2, 17))
    shift = q.bits + bits - out_bits - rng.integers(0, 2, rng.choice([1, c]))
    multiplier = ONE
    if seed % 4 > 1:
        multiplier, shift = rng.integers(1 << 14, 1 << 16, rng.choice([1, c])), shift + 15
    out = Quantization(out_bits, bool(rng.integers(2)))
    out = replace(out, zero_point=((out.qmin + out.qmax) // 2,))
    operation = ChannelAffine(weight, bits, bias, Requantize(out, shift, multiplier))
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


def embedding_case(lanes: int) -> Case[ChannelAffine]:
    """A position embedding: one weight, a power of two, and many rows of biases."""
    x = TensorType((4, 9, 4), Quantization(8, False, zero_point=(17,)))
    rows = np.random.default_rng(0).integers(-1100, 1100, (36, 4))
    out = Requantize(Quantization(8, False, zero_point=(128,)), np.array([3]), ONE)
    return Case(ChannelAffine(np.array([4]), 4, rows, out), [x], Folding(lanes, lanes))


def widest_case() -> Case[ChannelAffine]:
    """A sum of 62 bits, the widest that a graph takes, of products that leave 32."""
    x = TensorType((2,), Quantization(16, False))
    bias = np.array([[(1 << 61) - 1 - 32767 * 65535, -(1 << 61) + 32768 * 65535]])
    out = Requantize(Quantization(16, True), np.array([46]), ONE)
    return Case(ChannelAffine(np.array([32767, -32768]), 16, bias, out), [x])


CASES = [
    *(random_case(seed) for seed in range(8)),
    *(embedding_case(lanes) for lanes in (1, 4)),
    widest_case(),
]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path / "c", flags), CASES, strict=True):
        codes = random_codes(case.inputs[0], np.random.default_rng(0), samples=8)
        expected = case.operation.reference(codes)
        assert len(np.unique(expected)) > 1
        assert np.array_equal(csim(codes), expected), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Every case, stalled and not, with a reset between; ``cycles`` and ``latency`` are exact."""
    rng = np.random.default_rng(0)
    RtlBench(CASES, tmp_path / "rtl").check([[random_codes(c.inputs[0], rng)] for c in CASES])


@pytest.mark.parametrize("case", CASES)
def test_reference_equals_exact_fractions(case: Case[ChannelAffine]) -> None:
    (x,), operation = case.inputs, case.operation
    codes = random_codes(x, np.random.default_rng(1), samples=1)
    r, q = operation.requantize, operation.requantize.quantization
    expected = np.empty(codes.shape, np.int64)
    for index in np.ndindex(*codes.shape):
        c, position = index[-1], 0
        for axis, size in zip(index[1:-1], x.shape[:-1], strict=True):
            position = position * size + axis
        factor = int(operation.weight[c % operation.weight.size])
        summand = int(operation.bias[position % len(operation.bias), c])
        scaled = (factor * int(codes[index]) + summand) * int(r.multiplier[c % r.multiplier.size])
        step = Fraction(2) ** int(r.shift[c % r.shift.size])
        code = math.floor(scaled / step + Fraction(1, 2)) + q.zero_point[0]
        expected[index] = min(max(code, q.qmin), q.qmax)
    assert np.array_equal(operation.reference(codes), expected)


def test_it_is_a_depthwise_convolution_of_one_tap() -> None:
    rng = np.random.default_rng(0)
    x = TensorType((3, 5, 4), Quantization(8, False, zero_point=(9,)))
    weight, bias = rng.integers(-128, 128, 4), rng.integers(-9999, 9999, 4)
    out = Requantize(Quantization(8, True), rng.integers(5, 9, 4), ONE)
    convolution = DepthwiseConv2d(weight.reshape(4, 1, 1), 8, bias, (1, 1), (0, 0), (9,), out)
    operation = ChannelAffine(weight, 8, bias[None], out)
    codes = random_codes(x, rng)
    assert np.array_equal(operation.reference(codes), convolution.reference(codes))
    assert operation.accumulator(x) == convolution.accumulator(x)
    assert operation.partial_sums(x) == convolution.partial_sums(x)
    assert operation.macs(x) == convolution.macs(x)


@pytest.mark.parametrize("case", CASES)
def test_bounds_are_reached(case: Case[ChannelAffine]) -> None:
    """Every sum at both ends of the codes, with and without its bias."""
    operation, q = case.operation, case.inputs[0].quantization
    rows = operation.bias.tolist()
    factors = np.resize(operation.weight, len(rows[0])).tolist()
    biases = [(factor, b) for row in rows for factor, b in zip(factors, row, strict=True)]
    sums = {f * code + b for f, b in biases for code in (q.qmin, 0, q.qmax)} | {0}
    assert operation.accumulator(*case.inputs) == Bounds(min(sums), max(sums))
    alone = {f * code for f in factors for code in (q.qmin, q.qmax)}
    assert operation.partial_sums(*case.inputs) == Bounds(min(sums | alone), max(sums | alone))


def test_the_widest_sum_has_62_bits() -> None:
    case = widest_case()
    assert case.operation.accumulator(*case.inputs).bits == 62


@pytest.mark.parametrize("weight", [1, 4, 1 << 31])
def test_one_power_of_two_for_all_channels_takes_no_multiplier(weight: int) -> None:
    (x,), operation = embedding_case(2).inputs, embedding_case(2).operation
    circuit = circuit_of(replace(operation, weight=np.array([weight]), weight_bits=33), x)
    assert (circuit.products(Folding(4, 4)), circuit.dsps(Folding(4, 4))) == (0, 0)
    assert circuit.variant == "shift"
    assert circuit.latency(Folding(4, 4)) == 36 - 1 + 5


@pytest.mark.parametrize("weight", [[0], [3], [-4], [4] * 4, [1 << 32]])
def test_other_weights_take_one(weight: list[int]) -> None:
    (x,), operation = embedding_case(2).inputs, embedding_case(2).operation
    circuit = circuit_of(replace(operation, weight=np.array(weight), weight_bits=34), x)
    assert circuit.products(Folding(4, 4)) == 4
    assert circuit.variant == ""
    assert circuit.latency(Folding(4, 4)) == 36 - 1 + 9


def test_wide_products_take_several_slices() -> None:
    (x,), operation = embedding_case(2).inputs, embedding_case(2).operation
    each = replace(operation, weight=np.array([3, 4, 5, -6]), weight_bits=18)
    wide = TensorType(x.shape, Quantization(16, False))
    assert circuit_of(each, x).dsps(Folding(2, 2)) == 2
    assert circuit_of(replace(each, weight_bits=19), wide).dsps(Folding(2, 2)) == 4


def test_memory_of_the_biases_holds_a_word_per_beat() -> None:
    (x,), operation = embedding_case(2).inputs, embedding_case(2).operation
    roms = {rom.name: rom for rom in circuit_of(operation, x).arguments(Folding(2, 2)).roms}
    assert (roms["bias"].lanes, roms["bias"].entries) == (2, 144)
    assert (roms["weight"].lanes, roms["weight"].entries) == (1, 1)


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    for case in (random_case(1), random_case(2)):
        graph = case.graph("op")
        again = saved_and_loaded(graph, tmp_path)
        codes = random_codes(graph.input_type, np.random.default_rng(0))
        found, wanted = (dict(g.reference(codes))["op"] for g in (again, graph))
        assert again.output_type == graph.output_type
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": np.array([200, 0])}, r"weights in \[0, 200\] do not fit 8 bits"),
        ({"weight": np.ones(3, int)}, r"3 weights and biases of shape \(1, 2\); a row of biases"),
        ({"weight": np.ones((1, 2), int)}, "weight: integers with 1 axes are wanted"),
        ({"bias": np.zeros(2, int)}, "bias: integers with 2 axes are wanted"),
        ({"bias": np.zeros((0, 2), int)}, r"biases of shape \(0, 2\); a row of biases"),
        ({"bias": np.zeros((1, 3), int), "weight": np.ones(1, int)}, "1 rows of biases for 3 chan"),
        (
            {"bias": np.zeros((3, 2), int)},
            r"3 rows .* \(2, 2, 2\); a number of rows that divides its 4",
        ),
        ({"requantize": replace(BYTE, shift=np.ones(3, int))}, "has 3 entries for 2 channels"),
        ({"bias": np.full((1, 2), 1 << 61)}, "accumulator needs 63 bits"),
        ({"bias": np.full((1, 2), (1 << 63) - 1)}, "a 65-bit accumulator"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    parameters = {"weight": np.array([3, -4]), "bias": np.zeros((1, 2), int), "requantize": BYTE}
    graph = Graph("x", TensorType((2, 2, 2), Quantization(8, True)))
    with pytest.raises(GraphError, match=message):
        graph.add("op", ChannelAffine(weight_bits=8, **{**parameters, **changes}), "x")


def test_exponents_are_refused() -> None:
    graph = Graph("x", TensorType((2,), Quantization(4, False, encoding="log2")))
    with pytest.raises(GraphError, match="log2 codes; affine is wanted"):
        graph.add("op", ChannelAffine(np.array([1]), 8, np.zeros((1, 2), int), BYTE), "x")
