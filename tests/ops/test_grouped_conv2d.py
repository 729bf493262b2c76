"""grouped_conv2d: reference == C++ (both guises) == RTL over foldings; golden from torch."""

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
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Conv2d, DepthwiseConv2d, GroupedConv2d
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
#: Groups, input and output channels of a group; the second is a channel multiplier.
CHANNELS = ((2, 3, 2), (4, 1, 2), (3, 2, 2), (1, 2, 3), (5, 1, 1), (2, 4, 4))


def random_case(seed: int) -> tuple[Case[GroupedConv2d], NDArray[np.int64]]:
    """Random geometry, widths, factors and lanes; the sums of ``codes`` fill the output.

    Also returns ``codes``: random ones, all smallest, all largest.
    """
    rng = np.random.default_rng(seed)
    groups, inputs, outputs = CHANNELS[seed % len(CHANNELS)]
    bits, weight_bits, out_bits = rng.integers(2, 17, 3).tolist()
    c, o = groups * inputs, groups * outputs
    q = Quantization(bits, bool(rng.integers(2)))
    zero = tuple(rng.integers(q.qmin, q.qmax + 1, rng.choice([1, c])).tolist())
    x = TensorType((*rng.integers(4, 9, 2).tolist(), c), replace(q, zero_point=zero))
    codes = random_codes(x, rng)
    limit = 1 << (weight_bits - 1)
    weight = rng.integers(-limit, limit, (o, *rng.integers(1, 4, 2).tolist(), inputs))
    bias = np.clip(-weight.sum(axis=(1, 2, 3)) * codes.mean(), -(1 << 31), (1 << 31) - 1)
    multiplier = rng.integers(1 << 12, 1 << 16, rng.choice([1, o])) if seed % 2 else np.array([1])
    reach = np.sqrt(1 + (weight**2).sum(axis=(1, 2, 3)).max())
    spread = 4 * (1 + codes.std()) * reach * multiplier.max()
    shift = int(np.ceil(np.log2(spread))) - out_bits + rng.integers(-1, 2, rng.choice([1, o]))
    out = Quantization(out_bits, bool(rng.integers(2)))
    middle = (out.qmin + out.qmax + 1) // 2 + int(rng.integers(2))
    operation = GroupedConv2d(
        weight,
        weight_bits,
        np.rint(bias).astype(np.int64),
        tuple(rng.integers(1, 3, 2).tolist()),
        tuple(rng.integers(0, 2, 2).tolist()),
        zero,
        Requantize(replace(out, zero_point=(middle,)), shift, multiplier),
        groups,
    )
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x))), codes


def dense_twin(operation: GroupedConv2d) -> Conv2d:
    """The dense convolution of the same function: weights between groups are zero."""
    outputs, height, width, inputs = operation.weight.shape
    dense = np.zeros((outputs, height, width, operation.in_channels), dtype=np.int64)
    for o in range(outputs):
        first = o * operation.groups // outputs * inputs
        dense[o, :, :, first : first + inputs] = operation.weight[o]
    fields = ("weight_bits", "bias", "stride", "padding", "pad_value", "requantize")
    return Conv2d(dense, *(getattr(operation, name) for name in fields))


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    cases = [random_case(seed) for seed in range(8)]
    functions = compile_cases([case for case, _ in cases], tmp_path, flags)
    for csim, (case, codes) in zip(functions, cases, strict=True):
        expected = case.operation.reference(codes)
        assert len(np.unique(expected)) > 2
        assert np.array_equal(csim(codes), expected), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    cases = [random_case(seed) for seed in range(12)]
    codes = [[np.concatenate([codes] * 2)] for _, codes in cases]
    RtlBench([case for case, _ in cases], tmp_path / "bench").check(codes)


def test_reference_equals_torch() -> None:
    rng = np.random.default_rng(0)
    x = TensorType((7, 6, 6), Quantization(8, False, zero_point=(9,)))
    weight = rng.integers(-128, 128, (4, 3, 3, 3))
    wide = Requantize(Quantization(16, True), np.array([4]), np.array([1]))
    bias = -9 * weight.sum(axis=(1, 2, 3))
    operation = GroupedConv2d(weight, 8, bias, (2, 1), (1, 1), (9,), wide, 2)
    codes = random_codes(x, rng)
    real = torch.nn.functional.conv2d(
        torch.from_numpy(codes - 9).double().permute(0, 3, 1, 2),
        torch.from_numpy(weight).double().permute(0, 3, 1, 2),
        stride=(2, 1),
        padding=(1, 1),
        groups=2,
    ).permute(0, 2, 3, 1)
    expected = torch.floor(real / 16 + 0.5).clamp(-(1 << 15), (1 << 15) - 1).long().numpy()
    assert np.array_equal(operation.reference(codes), expected)


@given(st.integers(0, 2**32 - 1))
def test_is_a_convolution_with_zeros_between_groups(seed: int) -> None:
    case, codes = random_case(seed)
    (x,), operation = case.inputs, case.operation
    twin = dense_twin(operation)
    assert np.array_equal(operation.reference(codes), twin.reference(codes))
    assert operation.output_type(x) == twin.output_type(x)
    assert operation.accumulator(x) == twin.accumulator(x)
    assert operation.macs(x) * operation.groups == twin.macs(x)


def test_groups_of_one_channel_are_depthwise() -> None:
    case, codes = random_case(4)
    operation = case.operation
    fields = ("weight_bits", "bias", "stride", "padding", "pad_value", "requantize")
    rest = (getattr(operation, name) for name in fields)
    twin = DepthwiseConv2d(operation.weight[..., 0], *rest)
    assert np.array_equal(operation.reference(codes), twin.reference(codes))


def test_saves_and_loads(tmp_path: Path) -> None:
    case, codes = random_case(3)
    graph = case.graph("conv")
    again = saved_and_loaded(graph, tmp_path)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


def test_work_and_foldings() -> None:
    x = TensorType((8, 6, 4), Quantization(8, False))
    weight = np.ones((6, 3, 3, 2), int)
    operation = GroupedConv2d(weight, 8, np.zeros(6, int), (2, 2), (1, 1), (0,), BYTE, 2)
    assert operation.output_type(x).shape == (4, 3, 6)
    assert operation.macs(x) == 4 * 3 * 6 * 9 * 2
    circuit = circuit_of(operation, x)
    assert circuit.foldings == [Folding(o, i) for o in (1, 3) for i in (1, 2)]
    for folding in circuit.foldings:
        assert circuit.products(folding) == folding.outputs * folding.inputs
        # The last windows of a frame leave room for two rows of the next one, which wants three.
        reads, row = 3 * 6 * 9 * 2 // (folding.outputs * folding.inputs), 8 * 4 // folding.inputs
        assert circuit.cycles(folding) == 4 * max(reads, 2 * row) + row


@pytest.mark.parametrize("groups", [0, 4])
def test_groups_divide_the_output_channels(groups: int) -> None:
    weight = np.ones((6, 1, 1, 1), int)
    with pytest.raises(GraphError, match=f"6 output channels do not fall into {groups} groups"):
        GroupedConv2d(weight, 8, np.zeros(6, int), (1, 1), (0, 0), (0,), BYTE, groups)


def test_weights_out_of_range() -> None:
    weight = np.full((2, 1, 1, 1), 128)
    with pytest.raises(GraphError, match=r"weights in \[128, 128\] do not fit 8 bits"):
        GroupedConv2d(weight, 8, np.zeros(2, int), (1, 1), (0, 0), (0,), BYTE, 2)


def test_weights_need_four_axes() -> None:
    weight = np.ones((2, 1, 1), int)
    with pytest.raises(GraphError, match="grouped_conv2d weight: integers with 4 axes"):
        GroupedConv2d(weight, 8, np.zeros(2, int), (1, 1), (0, 0), (0,), BYTE, 2)


@pytest.mark.parametrize(
    ("shape", "zero", "message"),
    [
        ((4, 4, 4), 3, r"conv: input has zero points \(3,\), the operation was built for \(0,\)"),
        ((4, 4, 2), 0, r"conv: a map \(H, W, 4\) is wanted, found \(4, 4, 2\)"),
        ((1, 1, 4), 0, r"conv: window \(3, 3\) with padding \(0, 0\) is larger than the map of"),
    ],
)
def test_inputs_that_do_not_fit(shape: tuple[int, ...], zero: int, message: str) -> None:
    graph = Graph("x", TensorType(shape, Quantization(8, False, zero_point=(zero,))))
    weight = np.ones((2, 3, 3, 2), int)
    operation = GroupedConv2d(weight, 8, np.zeros(2, int), (1, 1), (0, 0), (0,), BYTE, 2)
    with pytest.raises(GraphError, match=message):
        graph.add("conv", operation, "x")
