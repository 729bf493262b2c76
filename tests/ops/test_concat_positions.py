"""concat_positions: reference == C++ == RTL over foldings and axes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.errors import GraphError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.graph.requantize import Requantize
from hyq_hls.ops import ConcatPositions, RequantizeTensor
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import FAST_COMPILE, random_codes

ONE = np.array([1])
BYTE = Quantization(8, True)
SAME = Requantize(BYTE, np.array([0]), ONE)
#: Leading axes of both inputs, and the axis on which they are joined.
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...], int]] = [
    ((1, 5), (1, 2), 1),
    ((3, 2), (3, 4), 1),
    ((2, 3), (4, 3), 0),
    ((1, 1), (1, 1), 1),
    ((4,), (3,), 0),
]


def random_case(seed: int) -> Case[ConcatPositions]:
    """Random widths, zero points, factors and lanes."""
    rng = np.random.default_rng(seed)
    first, second, axis = SHAPES[seed % len(SHAPES)]
    channels = int(rng.choice([1, 4, 6]))
    out = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    out = replace(out, zero_point=(int(rng.integers(out.qmin, out.qmax + 1)),))
    inputs, parts = [], []
    for lead in (first, second):
        q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
        q = replace(q, zero_point=(int(rng.integers(q.qmin, q.qmax + 1)),))
        inputs.append(TensorType((*lead, channels), q))
        shift, multiplier = q.bits - out.bits + rng.integers(-1, 2, 1), ONE
        if rng.integers(2):
            multiplier, shift = rng.integers(1 << 14, 1 << 16, 1), shift + 15
        parts.append(Requantize(out, shift, multiplier))
    a, b = (x.quantization.zero_point for x in inputs)
    operation = ConcatPositions((parts[0], parts[1]), (a, b), axis)
    return Case(operation, inputs, random_folding(rng, circuit_of(operation, *inputs)))


CASES = [random_case(seed) for seed in range(10)]


def codes_of(
    case: Case[ConcatPositions], seed: int
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    rng = np.random.default_rng(seed)
    return [random_codes(x, rng) for x in case.inputs]


@pytest.mark.slow
def test_csim_equals_reference(tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path / "c", FAST_COMPILE), CASES, strict=True):
        codes = codes_of(case, 0)
        assert np.array_equal(csim(*codes), case.operation.reference(*codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Every case, stalled and not, with a reset between; ``cycles`` and ``latency`` are exact."""
    RtlBench(CASES, tmp_path / "rtl").check([codes_of(case, 0) for case in CASES])


@pytest.mark.parametrize("case", CASES)
def test_parts_are_requantizations(case: Case[ConcatPositions]) -> None:
    operation, codes = case.operation, codes_of(case, 1)
    joined = np.moveaxis(operation.reference(*codes), 1 + operation.axis, 1)
    assert operation.reference(*codes).shape[1:] == case.output.shape
    border = case.inputs[0].shape[operation.axis]
    for i, part in enumerate((joined[:, :border], joined[:, border:])):
        alone = RequantizeTensor(operation.zero_points[i], operation.requantize[i])
        assert np.array_equal(part, np.moveaxis(alone.reference(codes[i]), 1 + operation.axis, 1))


def test_the_second_input_waits_for_the_first() -> None:
    inputs = [TensorType((2, n, 6), BYTE) for n in (3, 1)]
    circuit = circuit_of(ConcatPositions((SAME, SAME), ((0,), (0,)), 1), *inputs)
    assert circuit.foldings == [Folding(n, n) for n in (1, 2, 3, 6)]
    assert [circuit.cycles(f) for f in circuit.foldings] == [48, 24, 16, 8]
    assert circuit.frames_inside > 1


def test_scales_that_differ_are_refused() -> None:
    other = Requantize(replace(BYTE, scale=(2.0,)), np.array([0]), ONE)
    channels = Requantize(replace(BYTE, scale=(2.0, 1.0)), np.array([0]), ONE)
    for parts in ((SAME, other), (channels, channels)):
        with pytest.raises(GraphError, match="codes of one scale and one zero point"):
            ConcatPositions(parts, ((0,), (0,)), 0)


@pytest.mark.parametrize(
    ("shape", "axis", "zero", "message"),
    [
        ((1, 3, 5), 1, (0,), r"differ in axis 1 only.* found \(1, 2, 6\) and \(1, 3, 5\)"),
        ((1, 2, 6), 2, (0,), "differ in axis 2 only, which is an axis of positions"),
        ((1, 3, 6), -1, (0,), "differ in axis -1 only"),
        ((1, 3, 6), 1, (0,) * 6, r"one zero point for all channels of an input.* \[1, 6\]"),
    ],
)
def test_inputs_that_do_not_fit(
    shape: tuple[int, ...], axis: int, zero: tuple[int, ...], message: str
) -> None:
    a, b = TensorType((1, 2, 6), BYTE), TensorType(shape, replace(BYTE, zero_point=zero))
    with pytest.raises(GraphError, match=message):
        ConcatPositions((SAME, SAME), ((0,), zero), axis).output_type(a, b)
