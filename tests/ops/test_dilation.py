"""Dilated convolutions: reference == C++, native and bit-accurate, == RTL, == zeros in between."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hyq_hls.emulate.kernels import prepare
from hyq_hls.errors import GraphError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import Conv2d
from hyq_hls.stream.arguments import Memory
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops import test_conv2d, test_depthwise_conv2d, test_grouped_conv2d
from tests.ops.direct import Case, compile_cases
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, random_codes, saved_and_loaded

DILATIONS = ((2, 3), (1, 2), (3, 1))


def dilated(case: Case[Any], dilation: tuple[int, int]) -> Case[Any]:
    """The case with dilated windows, on a map and with a border that are larger by as much."""
    (x,), operation = case.inputs, replace(case.operation, dilation=dilation)
    height, width = (
        size + extent - window
        for size, extent, window in zip(x.shape, operation.extent, operation.window, strict=False)
    )
    padding = tuple(
        min(pad * step, extent)
        for pad, step, extent in zip(operation.padding, dilation, operation.extent, strict=True)
    )
    larger = TensorType((height, width, x.channels), x.quantization)
    return Case(replace(operation, padding=padding), [larger], case.folding)


CASES = [
    dilated(case, DILATIONS[number % len(DILATIONS)])
    for number, case in enumerate(
        (
            *map(test_conv2d.random_case, (4, 6, 11)),
            *(test_depthwise_conv2d.random_case(seed)[0] for seed in (7, 8, 11)),
            *(test_grouped_conv2d.random_case(seed)[0] for seed in (1, 2, 14)),
        )
    )
]


def codes_of(case: Case[Any]) -> NDArray[np.int64]:
    return random_codes(case.inputs[0], np.random.default_rng(0))


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path, flags), CASES, strict=True):
        codes = codes_of(case)
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    RtlBench(CASES, tmp_path / "bench").check([[codes_of(case)] for case in CASES])


def with_zeros(operation: Any) -> Any:
    """The same convolution with zeros in the place of the dilation."""
    (height, width), (down, right) = operation.extent, operation.dilation
    weight = operation.weight
    wide = np.zeros((weight.shape[0], height, width, *weight.shape[3:]), np.int64)
    wide[:, ::down, ::right] = weight
    return replace(operation, weight=wide, dilation=(1, 1))


@pytest.mark.parametrize("case", CASES)
def test_it_is_a_convolution_with_zeros_between_the_weights(
    case: Case[Any], tmp_path: Path
) -> None:
    codes, graph = codes_of(case), case.graph("conv")
    wanted = with_zeros(case.operation).reference(codes)
    assert np.array_equal(case.operation.reference(codes), wanted)
    emulated = prepare(graph.nodes["conv"], case.inputs)(torch.from_numpy(codes).float())
    assert np.array_equal(emulated.numpy(), wanted)
    again = dict(saved_and_loaded(graph, tmp_path).reference(codes))["conv"]
    assert np.array_equal(again, wanted)


def test_it_takes_the_cycles_of_its_weights_and_stores_the_rows_between_them() -> None:
    x = TensorType((12, 10, 4), Quantization(8, True))
    weight = np.ones((8, 3, 3, 4), np.int64)
    out = Requantize(Quantization(16, True), np.array([1]), np.array([1]))
    operation = Conv2d(weight, 8, np.zeros(8, np.int64), (1, 1), (2, 2), (0,), out, dilation=(2, 2))
    dilated, zeros = (circuit_of(conv, x) for conv in (operation, with_zeros(operation)))
    folding = Folding(2, 4)
    assert dilated.memories(folding)[0] == zeros.memories(folding)[0] == Memory(32, 6 * 14)
    # Windows of 9 taps, not of 25, and two rows more than windows at the start of a frame.
    assert dilated.cycles(folding) == 12 * 10 * 4 * 9 + 4 * 14
    assert dilated.macs * 25 == zeros.macs * 9


def test_dilations_that_do_not_fit() -> None:
    case = CASES[0]
    with pytest.raises(GraphError, match=r"dilation \(0, 1\) must be positive"):
        replace(case.operation, dilation=(0, 1)).output_type(*case.inputs)
    with pytest.raises(GraphError, match="two integers are wanted"):
        replace(case.operation, dilation=2)
    with pytest.raises(GraphError, match="is larger than the map"):
        replace(case.operation, dilation=(40, 40)).output_type(*case.inputs)
