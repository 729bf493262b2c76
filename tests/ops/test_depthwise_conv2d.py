"""depthwise_conv2d: reference == C++ (both guises) == RTL over foldings; golden from torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.operation import Bounds
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Conv2d, DepthwiseConv2d
from hyq_hls.stream.circuits import circuit_of
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

BYTE = Requantize(Quantization(8, True), np.array([1]), np.array([1]))


def random_case(seed: int) -> tuple[Case[DepthwiseConv2d], NDArray[np.int64]]:
    """Random geometry, widths, factors and lanes; the sums of ``codes`` fill the output.

    Also returns ``codes``: random ones, all smallest, all largest.
    """
    rng = np.random.default_rng(seed)
    bits, weight_bits, out_bits = rng.integers(2, 17, 3).tolist()
    c = int(rng.integers(1, 6))
    q = Quantization(bits, bool(rng.integers(2)))
    zero = tuple(rng.integers(q.qmin, q.qmax + 1, rng.choice([1, c])).tolist())
    x = TensorType((*rng.integers(4, 9, 2).tolist(), c), replace(q, zero_point=zero))
    codes = random_codes(x, rng)
    limit = 1 << (weight_bits - 1)
    weight = rng.integers(-limit, limit, (c, *rng.integers(1, 4, 2).tolist()))
    bias = np.clip(-weight.sum(axis=(1, 2)) * codes.mean(), -(1 << 31), (1 << 31) - 1)
    multiplier = rng.integers(1 << 12, 1 << 16, rng.choice([1, c])) if seed % 2 else np.array([1])
    reach = np.sqrt(1 + (weight**2).sum(axis=(1, 2)).max())
    spread = 4 * (1 + codes.std()) * reach * multiplier.max()
    shift = int(np.ceil(np.log2(spread))) - out_bits + rng.integers(-1, 2, rng.choice([1, c]))
    out = Quantization(out_bits, bool(rng.integers(2)))
    middle = (out.qmin + out.qmax + 1) // 2 + int(rng.integers(2))
    operation = DepthwiseConv2d(
        weight,
        weight_bits,
        np.rint(bias).astype(np.int64),
        tuple(rng.integers(1, 3, 2).tolist()),
        tuple(rng.integers(0, 2, 2).tolist()),
        zero,
        Requantize(replace(out, zero_point=(middle,)), shift, multiplier),
    )
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x))), codes


def widest_case() -> tuple[Case[DepthwiseConv2d], NDArray[np.int64]]:
    """16-bit operands, extreme biases, and two maps that reach both ends of every sum."""
    rng = np.random.default_rng(3)
    x = TensorType((3, 3, 4), Quantization(16, False, zero_point=(40000,)))
    weight = rng.integers(-(1 << 15), 1 << 15, (4, 3, 3))
    bias = np.array([(1 << 31) - 1, -(1 << 31), 0, 5])
    wide = Requantize(Quantization(16, True), np.array([21]), np.array([3]))
    high = np.where(weight > 0, x.quantization.qmax, 0).transpose(1, 2, 0)
    codes = np.stack([high, x.quantization.qmax - high])
    operation = DepthwiseConv2d(weight, 16, bias, (1, 1), (0, 0), (40000,), wide)
    return Case(operation, [x], Folding(2, 2)), codes


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    cases = [*(random_case(seed) for seed in range(6)), widest_case()]
    functions = compile_cases([case for case, _ in cases], tmp_path, flags)
    for csim, (case, codes) in zip(functions, cases, strict=True):
        expected = case.operation.reference(codes)
        assert len(np.unique(expected)) > 2
        assert np.array_equal(csim(codes), expected), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    cases = [*(random_case(seed) for seed in range(12)), widest_case()]
    codes = [[np.concatenate([codes] * 2)] for _, codes in cases]
    RtlBench([case for case, _ in cases], tmp_path / "bench").check(codes)


def test_accumulator_bounds_are_reached() -> None:
    case, codes = widest_case()
    weight, bias = case.operation.weight, case.operation.bias
    sums = (codes * weight.transpose(1, 2, 0)).sum(axis=(1, 2)) + bias
    assert case.operation.accumulator(*case.inputs) == Bounds(int(sums.min()), int(sums.max()))


def test_reference_equals_torch() -> None:
    rng = np.random.default_rng(0)
    x = TensorType((7, 6, 3), Quantization(8, False, zero_point=(9,)))
    weight = rng.integers(-128, 128, (3, 3, 3))
    wide = Requantize(Quantization(16, True), np.array([4]), np.array([1]))
    bias = -9 * weight.sum(axis=(1, 2))
    operation = DepthwiseConv2d(weight, 8, bias, (2, 1), (1, 1), (9,), wide)
    codes = random_codes(x, rng)
    real = torch.nn.functional.conv2d(
        torch.from_numpy(codes - 9).double().permute(0, 3, 1, 2),
        torch.from_numpy(weight).double().unsqueeze(1),
        stride=(2, 1),
        padding=(1, 1),
        groups=3,
    ).permute(0, 2, 3, 1)
    expected = torch.floor(real / 16 + 0.5).clamp(-(1 << 15), (1 << 15) - 1).long().numpy()
    assert np.array_equal(operation.reference(codes), expected)


@given(st.integers(0, 2**32 - 1))
def test_is_a_convolution_with_diagonal_weights(seed: int) -> None:
    case, codes = random_case(seed)
    (x,), operation = case.inputs, case.operation
    c = x.channels
    dense = np.zeros((c, *operation.window, c), dtype=np.int64)
    dense[np.arange(c), :, :, np.arange(c)] = operation.weight
    twin = Conv2d(
        dense,
        operation.weight_bits,
        operation.bias,
        operation.stride,
        operation.padding,
        operation.pad_value,
        operation.requantize,
    )
    assert np.array_equal(operation.reference(codes), twin.reference(codes))
    assert operation.output_type(x) == twin.output_type(x)
    assert operation.accumulator(x) == twin.accumulator(x)
    assert operation.macs(x) * c == twin.macs(x)


def test_saves_and_loads(tmp_path: Path) -> None:
    case, codes = random_case(3)
    graph = case.graph("conv")
    again = saved_and_loaded(graph, tmp_path)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


def test_work_and_foldings() -> None:
    x = TensorType((8, 6, 4), Quantization(8, False))
    weight = np.ones((4, 3, 3), int)
    operation = DepthwiseConv2d(weight, 8, np.zeros(4, int), (2, 2), (1, 1), (0,), BYTE)
    assert operation.output_type(x).shape == (4, 3, 4)
    assert operation.macs(x) == 4 * 3 * 4 * 9
    circuit = circuit_of(operation, x)
    assert circuit.foldings == [Folding(1, 1), Folding(2, 2), Folding(4, 4)]
    for folding in circuit.foldings:
        lanes = folding.inputs
        assert circuit.products(folding) == circuit.dsps(folding) == lanes
        # The last windows of a frame leave room for two rows of the next one, which wants three.
        assert circuit.cycles(folding) == (4 * 3 * 9 + (6 + 2)) * 4 // lanes


def test_weights_out_of_range() -> None:
    with pytest.raises(GraphError, match=r"weights in \[128, 128\] do not fit 8 bits"):
        DepthwiseConv2d(np.full((1, 1, 1), 128), 8, np.array([0]), (1, 1), (0, 0), (0,), BYTE)


def test_weights_need_three_axes() -> None:
    with pytest.raises(GraphError, match="depthwise_conv2d weight: integers with 3 axes"):
        DepthwiseConv2d(np.ones((1, 1, 1, 1), int), 8, np.array([0]), (1, 1), (0, 0), (0,), BYTE)


def test_one_bias_per_channel() -> None:
    with pytest.raises(GraphError, match="1 biases for 2 output channels"):
        DepthwiseConv2d(np.ones((2, 1, 1), int), 8, np.array([0]), (1, 1), (0, 0), (0,), BYTE)


@pytest.mark.parametrize(
    ("shape", "zero", "message"),
    [
        ((4, 4, 2), 3, r"conv: input has zero points \(3,\), the operation was built for \(0,\)"),
        ((4, 4, 3), 0, r"conv: a map \(H, W, 2\) is wanted, found \(4, 4, 3\)"),
        ((4, 2), 0, r"conv: a map \(H, W, 2\) is wanted, found \(4, 2\)"),
        ((1, 1, 2), 0, r"conv: window \(3, 3\) with padding \(0, 0\) is larger than the map of"),
    ],
)
def test_inputs_that_do_not_fit(shape: tuple[int, ...], zero: int, message: str) -> None:
    graph = Graph("x", TensorType(shape, Quantization(8, False, zero_point=(zero,))))
    weight = np.ones((2, 3, 3), int)
    operation = DepthwiseConv2d(weight, 8, np.zeros(2, int), (1, 1), (0, 0), (0,), BYTE)
    with pytest.raises(GraphError, match=message):
        graph.add("conv", operation, "x")
