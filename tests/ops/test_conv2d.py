"""conv2d: reference == C++, native and bit-accurate, == RTL over foldings; golden from torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Conv2d
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
BYTE = Requantize(Quantization(8, True), ONE, ONE)


def random_case(seed: int) -> Case[Conv2d]:
    """Random shapes, windows, widths, factors and lanes; odd seeds share DSPs."""
    rng = np.random.default_rng(seed)
    bits, weight_bits = rng.integers(2, 9 if seed % 2 else 17, 2).tolist()
    c, o = rng.integers(1, 7, 2).tolist()
    (kh, kw, *stride), padding = rng.integers(1, 5, 4).tolist(), rng.integers(0, 3, 2).tolist()
    # From one window in the border to some rows more than a line buffer holds.
    h, w = (
        int(max(1, k - 2 * p) + rng.integers(0, 6)) for k, p in zip((kh, kw), padding, strict=True)
    )
    padding = [min(pad, kernel) for pad, kernel in zip(padding, (kh, kw), strict=True)]
    stride = [min(s, n + 2 * p) for s, n, p in zip(stride, (h, w), padding, strict=True)]
    q = Quantization(bits, bool(rng.integers(2)))
    zero = tuple(rng.integers(q.qmin, q.qmax + 1, rng.choice([1, c])).tolist())
    x = TensorType((h, w, c), replace(q, zero_point=zero))
    weight = random_matrix(rng, (o, kh, kw, c), weight_bits)
    bias, requantize = spread(rng, weight, q)
    operation = Conv2d(weight, weight_bits, bias, tuple(stride), tuple(padding), zero, requantize)
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


def codes_of(case: Case[Conv2d]) -> NDArray[np.int64]:
    return random_codes(case.inputs[0], np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    cases = list(map(random_case, range(12)))
    for csim, case in zip(compile_cases(cases, tmp_path, flags), cases, strict=True):
        codes = codes_of(case)
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


def test_cases_are_worth_comparing() -> None:
    outputs = [case.operation.reference(codes_of(case)) for case in map(random_case, range(20))]
    assert sum(len(np.unique(y)) > 2 for y in outputs) >= 18


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    cases = list(map(random_case, range(20)))
    RtlBench(cases, tmp_path / "bench").check([[codes_of(case)] for case in cases])


def test_reference_equals_torch() -> None:
    rng = np.random.default_rng(0)
    x = TensorType((7, 6, 3), Quantization(8, False, zero_point=(9,)))
    weight = rng.integers(-128, 128, (4, 3, 3, 3))
    wide = Quantization(16, True)
    bias = -9 * weight.sum(axis=(1, 2, 3))
    operation = Conv2d(
        weight, 8, bias, (2, 1), (1, 1), (9,), Requantize(wide, np.array([4]), np.array([1]))
    )
    codes = random_codes(x, rng)
    real = torch.nn.functional.conv2d(
        torch.from_numpy(codes - 9).double().permute(0, 3, 1, 2),
        torch.from_numpy(weight).double().permute(0, 3, 1, 2),
        stride=(2, 1),
        padding=(1, 1),
    ).permute(0, 2, 3, 1)
    expected = torch.floor(real / 16 + 0.5).clamp(-(1 << 15), (1 << 15) - 1).long().numpy()
    assert np.array_equal(operation.reference(codes), expected)


def test_saves_and_loads(tmp_path: Path) -> None:
    case = random_case(3)
    graph = case.graph("conv")
    again = saved_and_loaded(graph, tmp_path)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes_of(case)), reference(graph, codes_of(case)))


def test_work_and_foldings() -> None:
    x = TensorType((8, 6, 4), Quantization(8, False))
    weight = np.ones((6, 3, 3, 4), int)
    operation = Conv2d(weight, 8, np.zeros(6, int), (2, 2), (1, 1), (0,), BYTE)
    assert operation.macs(x) == 4 * 3 * 6 * 9 * 4
    circuit = circuit_of(operation, x)
    assert circuit.foldings == matrix_lanes(6, 4)
    for folding in circuit.foldings:
        products = circuit.products(folding)
        assert products == folding.outputs * folding.inputs
        assert circuit.dsps(folding) == -(-folding.outputs // 2) * folding.inputs
        # A frame's first windows wait for the row that its predecessor's last left no room for.
        row = (6 + 2) * 4 // folding.inputs
        assert operation.macs(x) // products <= circuit.cycles(folding)
        assert circuit.cycles(folding) <= operation.macs(x) // products + 3 * row


def test_rows_that_take_longer_than_windows() -> None:
    """A pointwise convolution with a stride: the map has to pass, whatever is read of it."""
    x = TensorType((8, 6, 4), Quantization(8, False))
    operation = Conv2d(np.ones((2, 1, 1, 4), int), 8, np.zeros(2, int), (2, 2), (0, 0), (0,), BYTE)
    assert circuit_of(operation, x).cycles(Folding(2, 2)) == 8 * 6 * 2


def test_weights_out_of_range() -> None:
    out = Requantize(Quantization(8, True), np.array([1]), np.array([1]))
    with pytest.raises(GraphError, match=r"weights in \[128, 128\] do not fit 8 bits"):
        Conv2d(np.full((1, 1, 1, 1), 128), 8, np.array([0]), (1, 1), (0, 0), (0,), out)


def test_padding_must_be_the_zero_point() -> None:
    graph = Graph("x", TensorType((4, 4, 1), Quantization(8, False, zero_point=(3,))))
    out = Requantize(Quantization(8, True), np.array([1]), np.array([1]))
    operation = Conv2d(np.ones((1, 3, 3, 1), int), 8, np.array([0]), (1, 1), (1, 1), (0,), out)
    with pytest.raises(GraphError, match=r"conv: input has zero points \(3,\)"):
        graph.add("conv", operation, "x")
