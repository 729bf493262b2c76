"""attention_values: reference == C++, native and bit-accurate, == RTL; golden values from torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.file import load, save
from hyq_hls.graph.operation import Codes
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import OPERATIONS, AttentionScores, AttentionValues, LinearSoftmax
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import (
    BIT_ACCURATE,
    FAST_COMPILE,
    dense_to,
    random_codes,
    reference,
    run_csim,
    run_rtl,
)

ONE = np.array([1])
BOTH = pytest.mark.parametrize(
    "flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"]
)


def random_case(seed: int) -> Case[AttentionValues]:
    """Random shapes, widths and lanes; even seeds log2, odd ones uniform; one entry or (C,)."""
    rng = np.random.default_rng(seed)
    pixels, n = rng.integers(1, 6, 2).tolist()
    m = n if seed < 8 else int(rng.integers(1, 7))
    heads, depth = rng.integers(1, 4, 2).tolist()
    channels = heads * depth
    bits, signed, out_bits = (
        int(rng.integers(2, 17)),
        bool(rng.integers(2)),
        int(rng.integers(2, 17)),
    )
    low = -(1 << (bits - 1)) if signed else 0
    entries = channels if seed % 3 else 1
    zeros = low + rng.choice([0, 1 << (bits - 1), (1 << bits) - 1], entries)
    value = Quantization(bits, signed, zero_point=tuple(zeros.tolist()))
    if seed % 2:
        p_bits, p_signed = int(rng.integers(2, 17)), seed % 4 == 3
        # Every other one is a mixture of heads, whose probabilities may be negative.
        p_zero = (int(rng.integers(0, 1 << (p_bits - 1))) if seed % 8 > 3 else 0,)
        probability = Quantization(p_bits, p_signed, (2.0**-p_bits,), p_zero)
        weight_bits = p_bits
    else:
        p_bits = int(rng.integers(2, 6))
        probability = Quantization(p_bits, False, encoding="log2")
        weight_bits = (1 << p_bits) - 2
    growth = bits + weight_bits + m.bit_length()
    shift = rng.integers(growth - out_bits - 3, growth - out_bits + 1, entries)
    multiplier = rng.integers(1, 1 << 4, channels) if seed % 4 < 2 else ONE
    out = Quantization(out_bits, bool(seed % 5), zero_point=(1,))
    operation = AttentionValues(
        heads,
        value.zero_point,
        probability.encoding,
        p_bits,
        Requantize(out, shift, multiplier),
        probability.signed,
        probability.zero_point[0],
    )
    inputs = [
        TensorType((pixels, n, heads, m), probability),
        TensorType((pixels, m, channels), value),
    ]
    return Case(operation, inputs, random_folding(rng, circuit_of(operation, *inputs)))


def wide_case() -> Case[AttentionValues]:
    """More lanes than one level of registers of an adder tree takes."""
    probability = TensorType((2, 18, 2, 18), Quantization(4, False, encoding="log2"))
    value = TensorType((2, 18, 4), Quantization(8, True))
    operation = attention("log2", 4, Quantization(8, True), 14)
    return Case(operation, [probability, value], Folding(2, 18))


def extreme_codes(case: Case[AttentionValues], seed: int) -> list[Codes]:
    """Random codes, then all four pairs of all-smallest and all-largest operands."""
    rng = np.random.default_rng(seed)
    probability, value = (random_codes(x, rng, 3) for x in case.inputs)
    return [np.concatenate([probability, probability[-2:]]), np.concatenate([value, value[:-3:-1]])]


@pytest.mark.slow
@BOTH
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    cases = [random_case(seed) for seed in range(4, 12)]
    functions = compile_cases(cases, tmp_path, flags)
    for seed, (case, csim) in enumerate(zip(cases, functions, strict=True)):
        codes = extreme_codes(case, seed)
        assert np.array_equal(csim(*codes), case.operation.reference(*codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    cases = [*map(random_case, range(3, 12)), wide_case()]
    codes = [extreme_codes(case, seed) for seed, case in enumerate(cases)]
    RtlBench(cases, tmp_path / "bench").check(codes)


@pytest.mark.parametrize("seed", range(10))
def test_accumulator_bounds_are_reached(seed: int) -> None:
    """All keys with an extreme weight and an extreme value attain both bounds."""
    case = random_case(seed)
    probability, value = case.inputs
    p, q = probability.quantization, value.quantization
    weights = [p.qmin - p.zero_point[0], p.qmax - p.zero_point[0]]
    if p.encoding == "log2":
        weights = [0, 1 << ((1 << p.bits) - 2)]
    values = [code - z for z in q.zero_point for code in (q.qmin, q.qmax)]
    products = [probability.channels * w * v for w in weights for v in values]
    bounds = case.operation.accumulator(*case.inputs)
    assert (bounds.low, bounds.high) == (min(products), max(products))


def attention(
    encoding: str, bits: int, out: Quantization, shift: int, *, heads: int = 2, zero: int = 0
) -> AttentionValues:
    requantize = Requantize(out, np.array([shift]), ONE)
    return AttentionValues(heads, (zero,), encoding, bits, requantize)  # type: ignore[arg-type]


@pytest.mark.parametrize(("encoding", "bits", "fraction"), [("log2", 4, 14), ("affine", 8, 8)])
def test_reference_equals_torch(encoding: str, bits: int, fraction: int) -> None:
    """Dequantized probabilities times values in float64, rounded half up, are the same codes."""
    rng = np.random.default_rng(0)
    scale = (1.0,) if encoding == "log2" else (2.0**-8,)
    quantization = Quantization(bits, False, scale=scale, encoding=encoding)  # type: ignore[arg-type]
    probability = TensorType((2, 5, 3, 5), quantization)
    value = TensorType((2, 5, 12), Quantization(8, True, zero_point=(-9,)))
    operation = attention(
        encoding, bits, Quantization(9, True, zero_point=(3,)), fraction, heads=3, zero=-9
    )
    p_codes, v_codes = (random_codes(x, rng) for x in (probability, value))
    p = torch.from_numpy(probability.quantization.dequantize(p_codes)).transpose(2, 3)
    v = (torch.from_numpy(v_codes).double() + 9).unflatten(-1, (3, 4)).transpose(2, 3)
    real = (p @ v).transpose(2, 3).flatten(-2)
    expected = (torch.floor(real + 0.5) + 3).clamp(-256, 255).long().numpy()
    assert operation.output_type(probability, value).shape == (2, 5, 12)
    assert np.array_equal(operation.reference(p_codes, v_codes), expected)


@settings(deadline=None)  # the machine may be busy
@given(seed=st.integers(0, 1 << 32))
def test_order_of_keys_does_not_matter(seed: int) -> None:
    """Permuted keys with their values change nothing; permuted queries permute the rows."""
    rng = np.random.default_rng(seed)
    case = random_case(int(rng.integers(1000)))
    probability, value = (random_codes(x, rng, 1) for x in case.inputs)
    queries, keys = (rng.permutation(x.shape[2]) for x in (probability, value))
    found = case.operation.reference(probability, value)
    moved = case.operation.reference(probability[:, :, queries][..., keys], value[:, :, keys])
    assert np.array_equal(moved, found[:, :, queries])


def attention_graph(output: str) -> Graph:
    """Queries, keys and values from one input, then the three operations of attention."""
    rng = np.random.default_rng(1)
    pixels, n, heads, channels = 2, 6, 2, 8
    graph = Graph("x", TensorType((pixels, n, 5), Quantization(8, True)))
    q = Quantization(8, False, zero_point=(120,))
    for name in ("queries", "keys", "values"):
        graph.add(name, dense_to(TensorType((pixels, n, channels), q), 5, rng), "x")
    scores = Requantize(Quantization(8, True, zero_point=(5,)), np.array([8]), ONE)
    softmax = (
        LinearSoftmax(4, 17, 4, "log2") if output == "log2" else LinearSoftmax(4, 12, 8, "uniform")
    )
    p = softmax.quantization
    fraction = 14 if output == "log2" else 8
    values = AttentionValues(
        heads, (120,), p.encoding, p.bits, Requantize(q, np.full(channels, fraction), ONE)
    )
    graph.add("scores", AttentionScores(heads, (120, 120), scores), "queries", "keys")
    graph.add("softmax", softmax, "scores")
    graph.add("attention", values, "softmax", "values")
    return graph


#: Lanes of the three operations of ``attention_graph``; streams of other lanes are converted.
FOLDINGS = {"scores": Folding(3, 2), "softmax": Folding(2, 2), "attention": Folding(4, 6)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "flags"),
    [("log2", BIT_ACCURATE), ("uniform", FAST_COMPILE)],
    ids=["log2", "uniform"],
)
def test_whole_attention(output: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    """Through the file format and the generated project: two inputs that arrive independently."""
    graph = load(save(attention_graph(output), tmp_path / "a.hyq"), OPERATIONS)
    codes = random_codes(graph.input_type, np.random.default_rng(0))
    expected = reference(graph, codes)
    assert len(np.unique(expected)) > 20
    assert np.array_equal(run_csim(graph, codes, tmp_path / "p", flags, FOLDINGS), expected)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["log2", "uniform"])
def test_whole_attention_in_rtl(output: str, tmp_path: Path) -> None:
    graph = attention_graph(output)
    codes = random_codes(graph.input_type, np.random.default_rng(0))
    result = run_rtl(graph, codes, tmp_path / "p", FOLDINGS, idle=0.2, backpressure=0.2, seed=1)
    assert np.array_equal(result.outputs.reshape(-1, 2, 6, 8), reference(graph, codes))


def test_work() -> None:
    graph = attention_graph("log2")
    inputs = graph.input_types(graph.nodes["attention"])
    operation = graph.nodes["attention"].operation
    assert operation.macs(*inputs) == 2 * 6 * 6 * 8
    circuit = circuit_of(operation, *inputs)
    assert circuit.cycles(Folding()) == operation.macs(*inputs)
    assert circuit.cycles(Folding(4, 3)) == 2 * 6 * 2 * 2
    assert circuit.products(Folding(4, 3)) == 0
    uniform = attention_graph("uniform").nodes["attention"].operation
    assert circuit_of(uniform, *inputs).products(Folding(4, 3)) == 12


def test_lanes_divide_depth_and_keys() -> None:
    operation, inputs = attention("log2", 4, OUT, 9), (log2(), V)
    lanes = [(depth, keys) for depth in (1, 3) for keys in (1, 2, 4)]
    circuit = circuit_of(operation, *inputs)
    assert circuit.foldings == [Folding(*pair) for pair in lanes]
    assert circuit.input_lanes(Folding(3, 2)) == (2, 3)
    for folding in (Folding(2, 1), Folding(1, 3)):
        with pytest.raises(GraphError, match=f"{folding} .*does not divide this attention_values"):
            circuit.check_folding(folding)


OUT = Quantization(8, True)
V = TensorType((2, 4, 6), Quantization(8, True))


def log2(bits: int = 4, shape: tuple[int, ...] = (2, 4, 2, 4)) -> TensorType:
    return TensorType(shape, Quantization(bits, False, encoding="log2"))


def affine(bits: int = 8, **keywords: tuple[float, ...]) -> TensorType:
    return TensorType((2, 4, 2, 4), Quantization(bits, False, **keywords))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("operation", "inputs", "message"),
    [
        (attention("log2", 4, OUT, 9), (log2(shape=(2, 4, 2, 5)), V), r"found \(2, 4, 2, 5\)"),
        (attention("log2", 4, OUT, 9, heads=4), (log2(), V), "values: 6 channels do not divide"),
        (attention("log2", 4, OUT, 9, zero=1), (log2(), V), r"values has zero points \(0,\)"),
        (attention("log2", 4, OUT, 9), (log2(3), V), "log2 codes of 3 bits, the operation was"),
        (attention("affine", 8, OUT, 9), (log2(8), V), "built for unsigned affine codes of 8 bits"),
        (attention("affine", 8, OUT, 9), (affine(zero_point=(1,)), V), "need zero point 0 and one"),
        (
            AttentionValues(2, (0,), "affine", 8, Requantize(OUT, ONE, ONE), True, 3),
            (affine(), V),
            "are unsigned affine codes of 8 bits, the operation was built for signed affine codes",
        ),
        (attention("affine", 8, OUT, 9), (affine(scale=(1.0, 2, 3, 4)), V), "and one scale, found"),
        (
            AttentionValues(2, (0,), "log2", 4, Requantize(OUT, np.arange(4), ONE)),
            (log2(), V),
            "requantization has 4 entries for 6 channels",
        ),
        (
            attention("log2", 6, OUT, 9),
            (log2(6), V),
            r"requantizing a 72-bit accumulator needs 73 bits",
        ),
    ],
)
def test_inputs_that_do_not_fit(
    operation: AttentionValues, inputs: tuple[TensorType, TensorType], message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        operation.output_type(*inputs)


@pytest.mark.parametrize(
    ("encoding", "bits", "heads", "message"),
    [
        ("log2", 4, 0, "one head or more, found 0"),
        ("log3", 4, 1, "unknown encoding 'log3'"),
        ("log2", 17, 1, "a tensor has 17 bits"),
    ],
)
def test_parameters_that_do_not_fit(encoding: str, bits: int, heads: int, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        attention(encoding, bits, OUT, 9, heads=heads)
