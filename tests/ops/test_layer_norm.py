"""layer_norm: reference == C++, native and bit-accurate, == RTL; golden values in float, Python."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor, isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.file import load, save
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import OPERATIONS, LayerNorm
from hyq_hls.ops.layer_norm import integer_root, layer_norm_precision
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
    run_csim,
)

Codes = NDArray[np.int64]
ONE = np.array([1])


def layer_norm(x: TensorType, **changes: Any) -> LayerNorm:
    """A LayerNorm of ``x`` by ``layer_norm_precision``, with 8 fraction bits in gamma."""
    channels = x.channels
    factor_shift = changes.pop("factor_shift", np.array([0]))
    epsilon = changes.pop("epsilon", 1)
    out = Requantize(Quantization(8, True), np.array([15]), ONE)
    parameters = {
        "factor_shift": factor_shift,
        "zero_point": x.quantization.zero_point,
        "epsilon": epsilon,
        **layer_norm_precision(x, factor_shift, epsilon)._asdict(),
        "gamma": np.full(channels, 256),
        "beta": np.zeros(channels, int),
        "gamma_bits": 12,
        "beta_bits": 24,
        "requantize": out,
    }
    return LayerNorm(**{**parameters, **changes})


def random_case(seed: int) -> Case[LayerNorm]:
    """Random widths, factors, epsilons, precisions, lanes; zero points and entries (1,) or (C,)."""
    rng = np.random.default_rng(seed)
    channels = int(rng.choice([1, 2, 3, 16, 33, 64]))
    bits, signed, out_bits = int(rng.integers(2, 17)), bool(seed % 2), int(rng.integers(2, 17))
    low = -(1 << (bits - 1)) if signed else 0
    zeros = low + rng.choice([0, 1 << (bits - 1), (1 << bits) - 1], channels if seed % 3 else 1)
    quantization = Quantization(bits, signed, zero_point=tuple(zeros.tolist()))
    x = TensorType((2, 3, channels), quantization)
    factor_shift = rng.integers(0, 4, channels if seed % 4 else 1)
    epsilon = rng.choice([1, 7, 1 << 20])  # NumPy's integers are as good as Python's
    normalized_bits = int(rng.integers(2, 17))
    precision = layer_norm_precision(x, factor_shift, epsilon, normalized_bits)
    growth = 10 + normalized_bits + 3
    out = Requantize(
        Quantization(out_bits, True, zero_point=(1,)),
        rng.integers(growth - out_bits - 3, growth - out_bits + 1, channels if seed % 5 else 1),
        rng.integers(1, 1 << 4, channels) if seed % 2 else ONE,
    )
    operation = layer_norm(
        x,
        factor_shift=factor_shift,
        epsilon=epsilon,
        **precision._asdict(),
        gamma=rng.integers(-512, 512, channels),
        gamma_bits=10,
        beta=rng.integers(-(1 << (normalized_bits + 9)), 1 << (normalized_bits + 9), channels),
        beta_bits=normalized_bits + 10,
        requantize=out,
    )
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


def extreme_codes(x: TensorType, seed: int) -> Codes:
    """Random codes; codes that differ in the last bit; one channel far off; all equal."""
    rng = np.random.default_rng(seed)
    q = x.quantization
    codes = random_codes(x, rng, 6)
    middle = (q.qmin + q.qmax) // 2
    codes[1] = middle + rng.integers(0, 2, x.shape)
    codes[2], codes[3] = q.qmin, q.qmax
    codes[2, ..., 0], codes[3, ..., -1] = q.qmax, q.qmin
    codes[4] = np.where(rng.integers(0, 2, x.shape), q.qmin, q.qmax)
    codes[5] = middle
    codes[5, ..., 0] += 1
    return codes


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    cases = [random_case(seed) for seed in range(8)]
    functions = compile_cases(cases, tmp_path, flags)
    for seed, (case, csim) in enumerate(zip(cases, functions, strict=True)):
        codes = extreme_codes(case.inputs[0], seed)
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


def coarse_case(lanes: int) -> Case[LayerNorm]:
    """No fraction bits, so that root and reciprocal have few; wide lanes; the largest epsilon."""
    x = TensorType((5, 36), Quantization(2, False))
    operation = layer_norm(
        x, epsilon=900, root_bits=0, reciprocal_bits=13, normalized_bits=3, beta_bits=16
    )
    return Case(operation, [x], Folding(lanes, lanes))


def shortest_case() -> Case[LayerNorm]:
    """One channel: the variance is epsilon 1; root and reciprocal have as few bits as can be."""
    x = TensorType((7, 1), Quantization(2, True))
    operation = layer_norm(x, root_bits=0, reciprocal_bits=1, normalized_bits=0)
    return Case(operation, [x])


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    cases = [*map(random_case, range(8)), coarse_case(36), coarse_case(1), shortest_case()]
    codes = [[extreme_codes(case.inputs[0], seed)] for seed, case in enumerate(cases)]
    RtlBench(cases, tmp_path / "bench").check(codes)


@pytest.mark.smoke
@pytest.mark.slow
def test_rtl_in_a_project(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    graph = example_graph("layer_norm", rng)
    check_rtl(graph, rng, tmp_path, {graph.output_name: Folding(2, 2)})


def python_layer_norm(op: LayerNorm, row: list[int]) -> list[int]:
    """One position in Python's unbounded integers, from the pages of this project."""
    q = op.requantize.quantization

    def entry(values: Any, c: int) -> int:
        return int(values[c if len(values) > 1 else 0])

    x = [
        (code - entry(op.zero_point, c)) * 2 ** entry(op.factor_shift, c)
        for c, code in enumerate(row)
    ]
    variance = sum((a - b) ** 2 for i, a in enumerate(x) for b in x[:i]) + op.epsilon
    reciprocal = 2**op.reciprocal_bits // isqrt(variance * 4**op.root_bits)
    codes = []
    for c, value in enumerate(x):
        deviation = sum(value - other for other in x)
        step = 2 ** (op.reciprocal_bits - op.root_bits - op.normalized_bits)
        normalized = floor(Fraction(deviation * reciprocal, step) + Fraction(1, 2))
        acc = int(op.gamma[c]) * normalized + int(op.beta[c])
        scale = Fraction(2) ** -entry(op.requantize.shift, c) * entry(op.requantize.multiplier, c)
        code = floor(acc * scale + Fraction(1, 2)) + entry(q.zero_point, c)
        codes.append(min(max(code, q.qmin), q.qmax))
    return codes


@pytest.mark.parametrize("seed", range(12))
def test_reference_equals_python_integers(seed: int) -> None:
    case = random_case(seed)
    assert isinstance(case.operation, LayerNorm)
    codes = extreme_codes(case.inputs[0], seed)
    found = case.operation.reference(codes)
    for row, expected in zip(codes[:, 0, 0].tolist(), found[:, 0, 0].tolist(), strict=True):
        assert python_layer_norm(case.operation, row) == expected


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [64, 144])
def test_within_one_step_of_float(bits: int, channels: int) -> None:
    """8-bit codes of torch's float64 LayerNorm, at most one off, in less than 1 % of the places.

    Measured: 0.2 % to 0.34 %; there the real value lies near the middle of two codes.
    """
    rng = np.random.default_rng(bits + channels)
    quantization = Quantization(bits, False, zero_point=(int(0.4 * (1 << bits)),))
    x = TensorType((300, channels), quantization)
    factor_shift = rng.integers(0, 4, channels)
    s_min, eps, out_scale = 2.0 ** -(bits - 3), 1e-5, 2.0**-4
    epsilon = max(1, round(channels**2 * eps / s_min**2))
    gamma, beta = rng.normal(1, 0.3, channels), rng.normal(0, 0.5, channels)
    gamma_fraction, fraction = 10, 12
    gamma_codes = np.rint(gamma * 2**gamma_fraction).astype(int)
    beta_codes = np.rint(beta * 2 ** (gamma_fraction + fraction)).astype(int)
    out = Quantization(8, True, scale=(out_scale,), zero_point=(-5,))
    operation = layer_norm(
        x,
        factor_shift=factor_shift,
        epsilon=epsilon,
        gamma=gamma_codes,
        gamma_bits=13,
        beta=beta_codes,
        beta_bits=26,
        requantize=Requantize(out, np.array([gamma_fraction + fraction - 4]), ONE),
    )
    assert operation.normalized_bits == fraction
    spread = rng.uniform(0.5, (1 << bits) / 6, (1, 300, 1))
    codes = np.rint(rng.normal(size=(1, *x.shape)) * spread) + quantization.zero_point[0]
    codes = np.clip(codes, 0, quantization.qmax).astype(np.int64)
    real = torch.from_numpy((codes - quantization.zero_point[0]) * s_min * 2.0**factor_shift)
    expected = torch.nn.functional.layer_norm(
        real, (channels,), torch.from_numpy(gamma), torch.from_numpy(beta), eps
    ).numpy()
    expected = np.clip(np.floor(expected / out_scale + 0.5) - 5, -128, 127).astype(np.int64)
    difference = np.abs(operation.reference(codes) - expected)
    assert len(np.unique(expected)) > 60
    assert difference.max() <= 1
    assert 0 < difference.mean() < 0.01


@pytest.mark.parametrize("seed", range(12))
def test_normalized_value_is_as_near_as_promised(seed: int) -> None:
    """Off by ``(1 + abs(z)) * 2**-(F + 1)``, or by ``abs(z) / std`` where t had no room."""
    (x,) = random_case(seed).inputs
    factor_shift, epsilon = np.arange(x.channels) % 4, 1 + seed
    # gamma = 1 and a wide output show the normalized value itself.
    precision = layer_norm_precision(x, factor_shift, epsilon, 10)
    operation = layer_norm(
        x,
        factor_shift=factor_shift,
        epsilon=epsilon,
        **precision._asdict(),
        gamma=np.ones(x.channels, int),
        requantize=Requantize(Quantization(16, True), np.array([0]), ONE),
    )
    codes = extreme_codes(x, seed)
    values = (codes - np.asarray(x.quantization.zero_point)) << factor_shift
    deviation = x.channels * values - values.sum(axis=-1, keepdims=True)
    variance = (deviation.astype(np.float64) ** 2).mean(axis=-1, keepdims=True) + epsilon
    z = deviation / np.sqrt(variance)
    error = np.abs(operation.reference(codes) / 2.0**10 - z)
    std = np.floor(np.sqrt(variance) * 2.0**precision.root_bits)
    assert (error <= 2.0**-11 + np.abs(z) * np.maximum(2.0**-11, 1 / std) + 1e-9).all()
    if x.quantization.bits <= 8:  # there is room
        assert (error <= (1 + np.abs(z)) * 2.0**-11 + 1e-9).all()
    assert error.max() > 2.0**-13 or x.channels == 1


@settings(deadline=None)  # the machine may be busy
@given(value=st.integers(0, (1 << 62) - 1))
def test_integer_root(value: int) -> None:
    near = isqrt(value) ** 2
    values = [value, near, max(near - 1, 0), min(near + 1, (1 << 62) - 1)]
    assert integer_root(np.array(values)).tolist() == [isqrt(v) for v in values]


@settings(deadline=None)  # the machine may be busy
@given(seed=st.integers(0, 1 << 32), shift=st.integers(-20, 20))
def test_shift_invariance(seed: int, shift: int) -> None:
    """A constant added to all codes of a position, with one factor, changes nothing."""
    rng = np.random.default_rng(seed)
    operation = layer_norm(TensorType((5, 12), Quantization(8, True)), factor_shift=np.array([2]))
    codes = rng.integers(-100, 100, (2, 5, 12))
    assert np.array_equal(operation.reference(codes + shift), operation.reference(codes))
    order = rng.permutation(12)  # all channels have the same parameters
    assert np.array_equal(
        operation.reference(codes[..., order]), operation.reference(codes)[..., order]
    )


@pytest.mark.parametrize("seed", range(12))
def test_intermediate_values_stay_in_bounds(seed: int) -> None:
    """Every integer of the extreme inputs lies in the range that its C++ type is made for."""
    case = random_case(seed)
    x, op = case.inputs[0], case.operation
    assert isinstance(op, LayerNorm)
    codes = extreme_codes(x, seed).reshape(-1, x.channels).astype(object)
    widths = circuit_of(op, x).arguments(case.folding).integers
    for row in codes:
        values = [
            int(v - op.zero_point[i % len(op.zero_point)])
            << int(op.factor_shift[i % op.factor_shift.size])
            for i, v in enumerate(row)
        ]
        n, total = len(values), sum(values)
        variance = n * sum(v * v for v in values) - total**2 + op.epsilon
        root = isqrt(variance << (2 * op.root_bits))
        reciprocal = (1 << op.reciprocal_bits) // root
        half = 1 << (op.normalize_shift - 1)
        deviations = [n * v - total for v in values]
        products = [d * reciprocal + half for d in deviations]
        found = {
            "value_t": values,
            "total_t": [total],
            "squares_t": [sum(v * v for v in values)],
            "count_t": [n],
            "deviation_t": [*deviations, *(n * v for v in values)],
            "variance_t": [variance, variance + total**2],
            "radicand_t": [variance << (2 * op.root_bits)],
            "root_t": [root],
            "reciprocal_t": [reciprocal],
            "product_t": products,
            "normalized_t": [p >> op.normalize_shift for p in products],
        }
        for name, integers in found.items():
            bits, signed = widths[name]
            low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
            assert all(low <= v < high for v in integers), name


@pytest.mark.slow
def test_project_and_file(tmp_path: Path) -> None:
    case = random_case(6)
    graph = Graph("x", case.inputs[0])
    graph.add("norm", case.operation, "x")
    graph = load(save(graph, tmp_path / "n.hyq"), OPERATIONS)
    codes = extreme_codes(graph.input_type, 0)
    found = run_csim(graph, codes, tmp_path / "p", foldings={"norm": case.folding})
    assert np.array_equal(found, reference(graph, codes))


def test_work_and_foldings() -> None:
    x = TensorType((4, 5, 16), Quantization(8, True))
    operation = layer_norm(x)
    circuit = circuit_of(operation, x)
    steps = circuit.arguments(Folding()).constants
    slowest = max(steps["root_steps"], steps["reciprocal_steps"]) + 1
    assert operation.macs(x) == 3 * 4 * 5 * 16
    assert circuit.foldings == [Folding(lanes, lanes) for lanes in (1, 2, 4, 8, 16)]
    assert slowest > 2
    for folding in circuit.foldings:
        assert circuit.cycles(folding) == 4 * 5 * max(16 // folding.inputs, slowest)
        assert circuit.products(folding) == 3 * folding.inputs
    with pytest.raises(GraphError, match=r"3 x 3 .*does not divide this layer_norm"):
        circuit.check_folding(Folding(3, 3))


def test_beats_may_be_the_slowest() -> None:
    x = TensorType((5, 64), Quantization(8, True))
    assert circuit_of(layer_norm(x), x).cycles(Folding()) == 5 * 64


X = TensorType((2, 4), Quantization(8, True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilon": 0.5}, r"layer_norm epsilon: an integer is wanted, found 0\.5"),
        ({"epsilon": 0}, "epsilon 0 would divide by zero"),
        ({"gamma": np.full(4, 2048)}, r"gammas in \[2048, 2048\] do not fit 12 bits"),
        ({"beta": np.full(4, 1 << 23)}, r"betas in .* do not fit 24 bits"),
        ({"beta": np.zeros(3, int)}, "has 4 gammas, 3 betas and 1 factors"),
        ({"factor_shift": np.array([0, 1])}, "has 4 gammas, 4 betas and 2 factors"),
        ({"factor_shift": np.array([16])}, r"factors \[16\] leave \[0, 15\]"),
        ({"gamma": np.full((4, 1), 1)}, "gamma: integers with 1 axes are wanted"),
        ({"root_bits": -1}, "root_bits -1, reciprocal_bits"),
        ({"reciprocal_bits": 12}, "reciprocal_bits 12, normalized_bits 12"),
    ],
)
def test_parameters_that_do_not_fit(changes: dict[str, Any], message: str) -> None:
    good = layer_norm(X)
    with pytest.raises(GraphError, match=message):
        replace(good, **changes)


def test_inputs_that_do_not_fit() -> None:
    operation = layer_norm(X)
    with pytest.raises(GraphError, match=r"4 channels are wanted, found \(2, 5\)"):
        operation.output_type(TensorType((2, 5), Quantization(8, True)))
    with pytest.raises(GraphError, match=r"input has zero points \(1,\)"):
        operation.output_type(TensorType((2, 4), Quantization(8, True, zero_point=(1,))))
    with pytest.raises(GraphError, match="input has log2 codes; affine is wanted"):
        operation.output_type(TensorType((2, 4), Quantization(8, False, encoding="log2")))
    coarse = replace(operation, root_bits=0, normalized_bits=0, reciprocal_bits=2)
    with pytest.raises(GraphError, match=r"reciprocal_bits \d+ give 0 for standard deviations"):
        coarse.output_type(X)
    with pytest.raises(GraphError, match=r"4 channels of 16 bits with factors up to 2\*\*15 needs"):
        layer_norm_precision(TensorType((2, 4), Quantization(16, True)), np.array([15]), 1)


def test_wide_inputs_are_refused_by_the_graph() -> None:
    graph = Graph("x", X)
    operation = layer_norm(X, reciprocal_bits=62)
    with pytest.raises(GraphError, match=r"norm: the accumulator needs \d+ bits, 62 are supported"):
        graph.add("norm", operation, "x")
    with pytest.raises(GraphError, match=r"reciprocal_bits 70.*62 at most"):
        layer_norm(X, reciprocal_bits=70)
