"""dense: reference == C++, native and bit-accurate, == RTL over foldings; golden from torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Dense
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.circuits.matrix import matrix_lanes
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
from tests.ops.matrices import random_matrix, spread

ONE = np.array([1])
BYTE = Requantize(Quantization(8, True), np.array([1]), ONE)


def random_case(seed: int, channels: tuple[int, int] | None = None) -> Case[Dense]:
    """Random shapes, widths, factors and lanes; odd seeds have widths that share a DSP48E1."""
    rng = np.random.default_rng(seed)
    bits, weight_bits = rng.integers(2, 9 if seed % 2 else 17, 2).tolist()
    columns, rows = channels or rng.integers(1, 13, 2).tolist()
    x = TensorType(
        (*rng.integers(1, 4, rng.integers(0, 3)).tolist(), columns),
        Quantization(bits, bool(rng.integers(2))),
    )
    weight = random_matrix(rng, (rows, columns), weight_bits)
    bias, requantize = spread(rng, weight, x.quantization)
    operation = Dense(weight, weight_bits, bias, requantize)
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


def wide_case() -> Case[Dense]:
    """Lanes beyond one stage of the adder tree, and an odd lane beside a pair."""
    case = random_case(1, (34, 3))
    return replace(case, folding=Folding(3, 34))


CASES = [*map(random_case, range(14)), wide_case()]


def codes_of(case: Case[Dense]) -> NDArray[np.int64]:
    return random_codes(case.inputs[0], np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path, flags), CASES, strict=True):
        codes = codes_of(case)
        expected = case.operation.reference(codes)
        assert len(np.unique(expected)) > 2
        assert np.array_equal(csim(codes), expected), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    RtlBench(CASES, tmp_path / "bench").check([[codes_of(case)] for case in CASES])


def test_some_cases_share_slices() -> None:
    shared = [
        case.circuit.dsps(case.folding) < case.circuit.products(case.folding) for case in CASES
    ]
    assert 3 < sum(shared) < len(CASES)


@pytest.mark.parametrize("seed", range(4))
def test_accumulator_bounds_are_reached(seed: int) -> None:
    case = random_case(seed)
    operation, q = case.operation, case.inputs[0].quantization
    low = np.where(operation.weight < 0, q.qmax, q.qmin)
    high = np.where(operation.weight < 0, q.qmin, q.qmax)
    sums = [(operation.weight * x).sum(axis=1) + operation.bias for x in (low, high)]
    found = Bounds(min(0, int(sums[0].min())), max(0, int(sums[1].max())))
    assert operation.accumulator(*case.inputs) == found


@pytest.mark.parametrize("seed", range(4))
def test_bounds_of_partial_sums_are_reached(seed: int) -> None:
    """Positive terms first or negative terms first, and the bias where it reaches furthest."""
    case = random_case(seed)
    operation, q = case.operation, case.inputs[0].quantization
    terms = [operation.weight * code for code in (q.qmin, q.qmax)]
    highest = np.maximum(*terms).clip(min=0).sum(axis=1) + operation.bias.clip(min=0)
    lowest = np.minimum(*terms).clip(max=0).sum(axis=1) + operation.bias.clip(max=0)
    found = Bounds(int(lowest.min()), int(highest.max()))
    assert operation.partial_sums(*case.inputs) == found


def test_reference_equals_torch() -> None:
    rng = np.random.default_rng(0)
    weight, bias = rng.integers(-128, 128, (5, 6)), rng.integers(-999, 1000, 5)
    wide = Requantize(Quantization(16, True), np.array([4]), ONE)
    codes = rng.integers(0, 256, (4, 3, 6))
    real = torch.nn.functional.linear(
        *(torch.from_numpy(a).double() for a in (codes, weight, bias))
    )
    expected = torch.floor(real / 16 + 0.5).clamp(-(1 << 15), (1 << 15) - 1).long().numpy()
    assert np.array_equal(Dense(weight, 8, bias, wide).reference(codes), expected)


def test_saves_and_loads(tmp_path: Path) -> None:
    case = random_case(3)
    graph = case.graph("dense")
    again = saved_and_loaded(graph, tmp_path)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes_of(case)), reference(graph, codes_of(case)))


def test_work_and_foldings() -> None:
    x = TensorType((5, 7, 6), Quantization(8, False))
    operation = Dense(np.ones((4, 6), int), 8, np.zeros(4, int), BYTE)
    assert operation.macs(x) == 5 * 7 * 6 * 4
    circuit = circuit_of(operation, x)
    assert circuit.foldings == matrix_lanes(4, 6)
    assert len(circuit.foldings) == 3 * 4
    for folding in circuit.foldings:
        products = circuit.products(folding)
        assert products * circuit.cycles(folding) == operation.macs(x)
        # Two rows share a slice; a row alone takes as many as it has products.
        assert circuit.dsps(folding) == products // min(folding.outputs, 2)


def test_sixteen_bits_do_not_share_a_slice() -> None:
    x = TensorType((6,), Quantization(16, False))
    operation = Dense(np.ones((4, 6), int), 16, np.zeros(4, int), BYTE)
    assert circuit_of(operation, x).dsps(Folding(4, 3)) == 12


def test_lanes_that_do_not_divide() -> None:
    x = TensorType((6,), Quantization(8, False))
    operation = Dense(np.ones((4, 6), int), 8, np.zeros(4, int), BYTE)
    with pytest.raises(GraphError, match=r"folding 3 x 2 \(output x input lanes\) does not divide"):
        circuit_of(operation, x).check_folding(Folding(3, 2))


def test_weights_out_of_range() -> None:
    with pytest.raises(GraphError, match=r"weights in \[128, 128\] do not fit 8 bits"):
        Dense(np.full((1, 1), 128), 8, np.array([0]), BYTE)


def test_one_bias_per_channel() -> None:
    with pytest.raises(GraphError, match="1 biases for 2 output channels"):
        Dense(np.ones((2, 1), int), 8, np.array([0]), BYTE)


def test_other_channels_are_refused() -> None:
    graph = Graph("x", TensorType((3, 5), Quantization(8, False)))
    with pytest.raises(GraphError, match=r"fc: 6 input channels are wanted, found \(3, 5\)"):
        graph.add("fc", Dense(np.ones((4, 6), int), 8, np.zeros(4, int), BYTE), "x")
