"""depthwise_conv2d: reference == C++, native and bit-accurate; golden values from torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Conv2d, DepthwiseConv2d
from tests.ops.harness import assert_csim_equal, random_codes, saved_and_loaded

BYTE = Requantize(Quantization(8, True), np.array([1]), np.array([1]))


def random_operation(x: TensorType, rng: np.random.Generator) -> DepthwiseConv2d:
    """A depthwise convolution of ``x``: bits, strides, padding, dyadic factors."""
    c = x.channels
    q = x.quantization
    weight_bits, out_bits = rng.integers(2, 17, 2).tolist()
    limit = 1 << (weight_bits - 1)
    weight = rng.integers(-limit, limit, (c, *rng.integers(1, 4, 2).tolist()))
    growth = q.bits + weight_bits + weight[0].size.bit_length()
    entries = rng.choice([1, c])
    shift = rng.integers(growth - out_bits - 3, growth - out_bits + 1, entries)
    multiplier = rng.integers(1, 1 << 4, c) if rng.integers(2) else np.array([1])
    out = Quantization(out_bits, bool(rng.integers(2)), zero_point=(1,))
    return DepthwiseConv2d(
        weight,
        weight_bits,
        rng.integers(-1000, 1000, c),
        tuple(rng.integers(1, 3, 2).tolist()),
        tuple(rng.integers(0, 2, 2).tolist()),
        q.zero_point,
        Requantize(out, shift, multiplier),
    )


def chain(seed: int) -> Graph:
    """Four random depthwise convolutions, one after the other."""
    rng = np.random.default_rng(seed)
    h, w, c = (*rng.integers(15, 20, 2).tolist(), int(rng.integers(2, 6)))
    bits = int(rng.integers(2, 17))
    zero = tuple(rng.integers(0, 1 << bits, c).tolist())
    graph = Graph("x", TensorType((h, w, c), Quantization(bits, False, zero_point=zero)))
    for i in range(4):
        last = [*graph.nodes, "x"][-1 if i == 0 else i - 1]
        graph.add(f"conv{i}", random_operation(graph.type(last), rng), last)
    return graph


@pytest.mark.parametrize("seed", range(2))
def test_csim_equals_reference(seed: int, tmp_path: Path) -> None:
    graph = chain(seed)
    codes = random_codes(graph.input_type, np.random.default_rng(seed), samples=2)
    assert_csim_equal(graph, codes, tmp_path / "p")


def worst_inputs(operation: DepthwiseConv2d, q: Quantization) -> NDArray[np.int64]:
    """The map (2, kh, kw, C) whose only window reaches both ends of every channel's sum."""
    weight = operation.weight.transpose(1, 2, 0)
    high = np.where(weight > 0, q.qmax, q.qmin)
    return np.stack([high, q.qmin + q.qmax - high])


def test_accumulator_bounds_are_reached(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = TensorType((3, 3, 4), Quantization(16, False, zero_point=(40000,)))
    weight = rng.integers(-(1 << 15), 1 << 15, (4, 3, 3))
    wide = Requantize(Quantization(16, True), np.array([21]), np.array([3]))
    bias = np.array([(1 << 31) - 1, -(1 << 31), 0, 5])
    operation = DepthwiseConv2d(weight, 16, bias, (1, 1), (0, 0), (40000,), wide)
    graph = Graph("x", x)
    node = graph.add("conv", operation, "x")
    codes = worst_inputs(operation, x.quantization)
    sums = (codes * weight.transpose(1, 2, 0)).sum(axis=(1, 2)) + bias
    assert (node.accumulator.low, node.accumulator.high) == (sums.min(), sums.max())
    assert_csim_equal(graph, codes, tmp_path / "p")


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
    rng = np.random.default_rng(seed)
    c = int(rng.integers(1, 5))
    q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    x = TensorType((*rng.integers(4, 7, 2).tolist(), c), q)
    operation = random_operation(x, rng)
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
    codes = random_codes(x, rng)
    assert np.array_equal(operation.reference(codes), twin.reference(codes))
    assert operation.output_type(x) == twin.output_type(x)
    assert operation.accumulator(x) == twin.accumulator(x)
    assert operation.macs(x) * c == twin.macs(x)


def test_saves_and_loads(tmp_path: Path) -> None:
    graph = chain(1)
    codes = random_codes(graph.input_type, np.random.default_rng(0))
    again = saved_and_loaded(graph, tmp_path)
    assert again.output_type == graph.output_type
    for (name, a), (_, b) in zip(graph.reference(codes), again.reference(codes), strict=True):
        assert np.array_equal(a, b), name


def test_work_and_trip_count() -> None:
    x = TensorType((8, 6, 2), Quantization(8, False))
    weight = np.ones((2, 3, 3), int)
    operation = DepthwiseConv2d(weight, 8, np.zeros(2, int), (2, 2), (1, 1), (0,), BYTE)
    assert operation.output_type(x).shape == (4, 3, 2)
    assert operation.macs(x) == 4 * 3 * 2 * 9
    assert operation.cycles(x) == 10 * 8 + 4 * 3 * 2 * (9 + 1)


def test_weights_out_of_range() -> None:
    with pytest.raises(GraphError, match=r"weights in \[128, 128\] do not fit 8 bits"):
        DepthwiseConv2d(np.full((1, 1, 1), 128), 8, np.array([0]), (1, 1), (0, 0), (0,), BYTE)


def test_weights_need_three_axes() -> None:
    with pytest.raises(GraphError, match="depthwise_conv2d weight: integers with 3 axes"):
        DepthwiseConv2d(np.ones((1, 1, 1, 1), int), 8, np.array([0]), (1, 1), (0, 0), (0,), BYTE)


def test_one_bias_per_channel() -> None:
    with pytest.raises(GraphError, match="1 biases for 2 channels"):
        DepthwiseConv2d(np.ones((2, 1, 1), int), 8, np.array([0]), (1, 1), (0, 0), (0,), BYTE)


@pytest.mark.parametrize(
    ("shape", "zero", "message"),
    [
        ((4, 4, 2), 3, r"conv: input has zero points \(3,\), the operation was built for \(0,\)"),
        ((4, 4, 3), 0, r"conv: a map \(H, W, 2\) is wanted, found \(4, 4, 3\)"),
        ((4, 2), 0, r"conv: a map \(H, W, 2\) is wanted, found \(4, 2\)"),
        ((1, 1, 2), 0, r"conv: window \(3, 3\), stride \(1, 1\), padding \(0, 0\) on a map of"),
    ],
)
def test_inputs_that_do_not_fit(shape: tuple[int, ...], zero: int, message: str) -> None:
    graph = Graph("x", TensorType(shape, Quantization(8, False, zero_point=(zero,))))
    weight = np.ones((2, 3, 3), int)
    operation = DepthwiseConv2d(weight, 8, np.zeros(2, int), (1, 1), (0, 0), (0,), BYTE)
    with pytest.raises(GraphError, match=message):
        graph.add("conv", operation, "x")
