"""group_norm: reference == C++ == RTL over foldings; close to the true normalization."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from hyq_hls.errors import GraphError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import GroupNorm, LayerNorm
from hyq_hls.ops.group_norm import FrameMoments, group_norm_precision
from hyq_hls.ops.layer_norm import layer_norm_precision
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, random_codes, saved_and_loaded

Codes = NDArray[np.int64]
ONE = np.array([1])
WIDE = Requantize(Quantization(16, True), np.array([10]), ONE)
SHAPES = [(3, 2, 4), (4, 5, 6), (6,), (1, 3, 1), (1, 1, 1), (4, 4, 8)]


def group_norm(x: TensorType, epsilon: int = 1, **changes: Any) -> GroupNorm:
    """Gammas of an eighth more or less than one, betas of some eighths."""
    precision = group_norm_precision(x, epsilon)._asdict()
    count = x.channels
    parameters = {
        **{"zero_point": x.quantization.zero_point, "epsilon": epsilon, **precision},
        **{"gamma": 8 + np.arange(count) % 3, "beta": 4096 * (np.arange(count) % 5 - 2)},
        **{"gamma_bits": 8, "beta_bits": 16, "requantize": WIDE},
    }
    return GroupNorm(**{**parameters, **changes})


def random_case(seed: int) -> Case[GroupNorm]:
    """Random shapes, widths, epsilons, precisions and lanes."""
    rng = np.random.default_rng(seed)
    shape = SHAPES[seed % len(SHAPES)]
    bits, out_bits = int(rng.integers(2, 17)), int(rng.integers(2, 17))
    q = Quantization(bits, bool(seed % 2))
    zeros = rng.choice([q.qmin, (q.qmin + q.qmax) // 2, q.qmax], shape[-1] if seed % 3 else 1)
    x = TensorType(shape, replace(q, zero_point=tuple(zeros.tolist())))
    epsilon, fraction = int(rng.choice([1, 7, 1 << 20])), int(rng.integers(6, 15))
    shift = np.arange(shape[-1]) % 2 if seed % 5 else np.zeros(1, int)
    out = Requantize(
        Quantization(out_bits, True, zero_point=(1,)),
        shift + 13 + fraction - out_bits,
        rng.integers(1, 1 << 4, shape[-1]) if seed % 2 else ONE,
    )
    operation = group_norm(
        x,
        epsilon,
        **group_norm_precision(x, epsilon, fraction)._asdict(),
        gamma=rng.integers(-512, 512, shape[-1]),
        gamma_bits=10,
        beta=rng.integers(-(1 << (fraction + 9)), 1 << (fraction + 9), shape[-1]),
        beta_bits=fraction + 10,
        requantize=out,
    )
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


def large_case(lanes: int) -> Case[GroupNorm]:
    """A frame that is much longer than its root takes, with an epsilon as networks have it."""
    x = TensorType((4, 16, 6), Quantization(8, False, zero_point=(120,)))
    out = Requantize(Quantization(8, False, zero_point=(128,)), np.array([11]), ONE)
    return Case(group_norm(x, 900, requantize=out), [x], Folding(lanes, lanes))


CASES = [*(random_case(seed) for seed in range(12)), *(large_case(lanes) for lanes in (1, 3))]


def extreme_codes(x: TensorType, seed: int) -> Codes:
    """Random codes; codes that differ in the last bit; one element far off; all equal."""
    rng = np.random.default_rng(seed)
    q = x.quantization
    codes = random_codes(x, rng, 6)
    middle = (q.qmin + q.qmax) // 2
    codes[1] = middle + rng.integers(0, 2, x.shape)
    codes[2], codes[3] = q.qmin, q.qmax
    codes[2].reshape(-1)[0], codes[3].reshape(-1)[-1] = q.qmax, q.qmin
    codes[4] = np.where(rng.integers(0, 2, x.shape), q.qmin, q.qmax)
    codes[5] = middle
    codes[5].reshape(-1)[-1] += 1
    return codes


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path / "c", flags), CASES, strict=True):
        codes = extreme_codes(case.inputs[0], 0)
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Every case, stalled and not, with a reset between; ``cycles`` and ``latency`` are exact."""
    codes = [[extreme_codes(case.inputs[0], 0)] for case in CASES]
    RtlBench(CASES, tmp_path / "rtl").check(codes)


@pytest.mark.parametrize("case", CASES)
def test_reference_equals_unbounded_integers(case: Case[GroupNorm]) -> None:
    (x,), op = case.inputs, case.operation
    codes = extreme_codes(x, 1)
    r, q = op.requantize, op.requantize.quantization
    zero = np.broadcast_to(op.zero_point, x.channels).tolist()
    for frame, found in zip(codes.reshape(len(codes), -1), op.reference(codes), strict=True):
        values = [int(c) - zero[i % x.channels] for i, c in enumerate(frame)]
        total, count = sum(values), len(values)
        variance = count * sum(v * v for v in values) - total**2 + op.epsilon
        assert variance <= op.moments(x).variance
        reciprocal = (1 << op.reciprocal_bits) // isqrt(variance << (2 * op.root_bits))
        mean = (total * op.mean_multiplier + (1 << (op.mean_shift - 1))) >> op.mean_shift
        bounds, normalized = op.product(x), op.normalized(x)
        for i, (value, code) in enumerate(zip(values, found.ravel().tolist(), strict=True)):
            c, difference = i % x.channels, (value << op.mean_bits) - mean
            assert op.difference(x).low <= difference <= op.difference(x).high
            product = difference * reciprocal + (1 << (op.normalize_shift - 1))
            assert bounds.low <= product <= bounds.high
            n = product >> op.normalize_shift
            assert normalized.low <= n <= normalized.high
            acc = int(op.gamma[c]) * n + int(op.beta[c])
            acc *= int(r.multiplier[c % r.multiplier.size])
            shift = int(r.shift[c % r.shift.size])
            rounded = (acc + (1 << (shift - 1))) >> shift if shift > 0 else acc << -shift
            assert code == min(max(rounded + q.zero_point[0], q.qmin), q.qmax)


@pytest.mark.parametrize("shape", [(8, 8, 12), (4, 16, 16)])
@pytest.mark.parametrize("spread", [1, 6, 60])
def test_it_is_the_true_normalization(shape: tuple[int, ...], spread: int) -> None:
    """The error is that of the normalized value's last bits, also far from the zero point."""
    rng = np.random.default_rng(0)
    x = TensorType(shape, Quantization(8, False, zero_point=(30,)))
    codes = np.clip(np.rint(rng.normal(150, spread, (3, *shape))), 0, 255).astype(np.int64)
    count, gamma = x.size, np.full(shape[-1], 64)
    exponent = (count - 1).bit_length()
    out = Requantize(Quantization(16, True), np.array([6]), ONE)
    beta = np.zeros(shape[-1], int)
    op = group_norm(x, 5 * count, gamma=gamma, beta=beta, requantize=out)
    real = torch.from_numpy(codes).double().movedim(-1, 1)
    wanted = functional.group_norm(real, 1, eps=5 / count).movedim(1, -1).numpy()
    found = op.reference(codes) * count / 2 ** (11 + exponent)
    assert np.abs(found - wanted).max() < 3 * (1 + np.abs(wanted).max()) * 2**-11 + 2**-8 / spread


def test_it_is_close_to_a_layer_norm_over_one_position() -> None:
    """A frame of one position has the same mean and variance: codes differ by a rounding."""
    x = TensorType((16,), Quantization(8, False, zero_point=(99,)))
    codes = random_codes(x, np.random.default_rng(0), 40)
    gamma, beta = np.full(16, 64), 4096 * (np.arange(16) % 5 - 2)
    out = Requantize(Quantization(8, True), np.array([13]), ONE)
    affine: dict[str, Any] = {"gamma": gamma, "beta": beta, "gamma_bits": 8, "beta_bits": 16}
    precision = group_norm_precision(x, 7, 12)._asdict()
    layer_norm = LayerNorm(
        np.zeros(1, int),
        (99,),
        7,
        *layer_norm_precision(x, np.zeros(1, int), 7),
        **affine,
        requantize=out,
    )
    found = group_norm(x, 7, **precision, **affine, requantize=out).reference(codes)
    wanted = layer_norm.reference(codes)
    assert np.abs(found - wanted).max() <= 1
    assert (found != wanted).mean() < 0.05


def test_the_widest_variance_has_62_bits() -> None:
    """A map of MobileViTv2 at 256 x 256 leaves room; 16-bit codes of a large map are refused."""
    x = TensorType((32, 32, 256), Quantization(8, False, zero_point=(128,)))
    assert group_norm(x, 1 << 28).accumulator(x).bits <= 62
    assert FrameMoments.of(x, 1).scaled_squares.bit_length() == 51
    with pytest.raises(GraphError, match="group_norm over 262144 elements of 16 bits needs more"):
        group_norm_precision(TensorType((32, 32, 256), Quantization(16, False)), 1)


def test_the_circuit() -> None:
    case = large_case(3)
    circuit = case.circuit
    buffer = circuit.memories(case.folding)[0]
    # A frame waits, and what comes while its root and its reciprocal are made.
    assert (buffer.width, buffer.depth) == (3 * 9, 128 + 55)
    assert circuit.cycles(case.folding) == 128
    assert circuit.dsps(case.folding) == 3 * 3 + 1 + 1
    power_of_two = TensorType((4, 16, 4), Quantization(8, False, zero_point=(120,)))
    assert circuit_of(group_norm(power_of_two, 900), power_of_two).dsps(Folding(1, 1)) == 3 + 1


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    graph = CASES[1].graph("op")
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, np.random.default_rng(0))
    found, wanted = (dict(g.reference(codes))["op"] for g in (again, graph))
    assert again.output_type == graph.output_type
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gamma": np.array([200, 1])}, r"gammas in \[1, 200\] do not fit 8 bits"),
        ({"gamma": np.ones(3, int)}, "3 gammas and 2 betas"),
        ({"gamma": np.ones(3, int), "beta": np.ones(3, int)}, r"3 channels are wanted, found \(2,"),
        ({"epsilon": 0}, "epsilon 0 would divide by zero"),
        ({"root_bits": -1}, "'root_bits': -1.*must not be negative"),
        ({"normalize_shift": 0}, "'normalize_shift': 0.*both shifts are 1 or more"),
        ({"mean_multiplier": 1 << 17}, "the multiplier has 1 to 17 bits"),
        ({"reciprocal_bits": 63}, "reciprocal_bits is 62 at most"),
        ({"reciprocal_bits": 3}, "reciprocal_bits 3 give 0 for standard deviations"),
        ({"zero_point": (3,)}, r"input has zero points \(0,\), the operation was built for \(3,\)"),
        ({"requantize": replace(WIDE, shift=np.ones(3, int))}, "has 3 entries for 2 channels"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    x = TensorType((2, 3, 2), Quantization(8, False))
    with pytest.raises(GraphError, match=message):
        group_norm(x, **changes).output_type(x)
