"""fold: reference == C++, native and bit-accurate, == RTL; golden values from torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import Fold, Unfold
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import (
    BIT_ACCURATE,
    FAST_COMPILE,
    random_codes,
    reference,
    saved_and_loaded,
)


def make_case(
    patch: tuple[int, int],
    grid: tuple[int, int],
    channels: int,
    quantization: Quantization,
    lanes: int = 1,
) -> Case[Fold]:
    """Tokens of a map of ``grid`` patches."""
    operation = Fold(patch, patch[0] * grid[0], patch[1] * grid[1])
    shape = (patch[0] * patch[1], grid[0] * grid[1], channels)
    return Case(operation, [TensorType(shape, quantization)], Folding(lanes, lanes))


CASES = [
    make_case((2, 2), (3, 2), 6, Quantization(8, False, zero_point=(9,)), lanes=2),
    make_case((3, 2), (1, 4), 2, Quantization(16, True, (1.0, 2.0), (0, -3)), lanes=2),
    make_case((1, 1), (3, 4), 1, Quantization(2, False, encoding="log2")),
    make_case((4, 5), (1, 1), 3, Quantization(16, False), lanes=3),
    make_case((1, 3), (2, 2), 2, Quantization(5, True)),
    make_case((1, 1), (1, 1), 1, Quantization(7, True)),
]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path, flags), CASES, strict=True):
        codes = random_codes(case.inputs[0], np.random.default_rng(0))
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Codes, cycles and latency, with and without stalls."""
    rng = np.random.default_rng(0)
    codes = [[random_codes(case.inputs[0], rng)] for case in CASES]
    RtlBench(CASES, tmp_path / "bench").check(codes)


PATCHES = st.tuples(st.integers(1, 4), st.integers(1, 4))


@given(PATCHES, PATCHES, st.integers(1, 3))
def test_reference_equals_torch(
    patch: tuple[int, int], grid: tuple[int, int], channels: int
) -> None:
    case = make_case(patch, grid, channels, Quantization(16, False))
    x, operation = case.inputs[0], case.operation
    codes = np.arange(2 * x.size).reshape(2, *x.shape)  # every position has its own code
    columns = torch.from_numpy(codes).double().permute(0, 3, 1, 2).reshape(2, -1, x.shape[1])
    size = (operation.height, operation.width)
    maps = torch.nn.functional.fold(columns, size, patch, stride=patch)
    expected = maps.permute(0, 2, 3, 1).long().numpy()
    assert np.array_equal(operation.reference(codes), expected)
    assert case.output.shape == expected.shape[1:]
    assert case.output.quantization == x.quantization


@given(PATCHES, PATCHES, st.integers(1, 3))
def test_is_the_inverse_of_unfold(
    patch: tuple[int, int], grid: tuple[int, int], channels: int
) -> None:
    case = make_case(patch, grid, channels, Quantization(8, False))
    codes = random_codes(case.inputs[0], np.random.default_rng(0))
    assert np.array_equal(Unfold(patch).reference(case.operation.reference(codes)), codes)
    assert Unfold(patch).output_type(case.output) == case.inputs[0]
    maps = random_codes(case.output, np.random.default_rng(1))
    assert np.array_equal(case.operation.reference(Unfold(patch).reference(maps)), maps)


def test_saves_and_loads(tmp_path: Path) -> None:
    case = CASES[1]
    graph = case.graph("map")
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, np.random.default_rng(0))
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


def test_all_tokens_are_stored_before_the_first_row() -> None:
    x = TensorType((6, 4, 3), Quantization(8, False))
    operation = Fold((2, 3), 4, 6)
    circuit = circuit_of(operation, x)
    assert [circuit.cycles(f) for f in circuit.foldings] == [3 * 4 * 6, 4 * 6]
    assert circuit.latency(Folding()) == 2 * circuit.cycles(Folding())
    assert operation.macs(x) == 0


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ((2, 2), "patch 2 x 2 does not divide a map of 4 x 5"),
        ((3, 1), "patch 3 x 1 does not divide a map of 4 x 5"),
        ((2, 0), "patch 2 x 0 does not divide a map of 4 x 5"),
    ],
)
def test_patch_must_divide_the_map(patch: tuple[int, int], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        Fold(patch, 4, 5)


@pytest.mark.parametrize("shape", [(4, 6, 3), (6, 5, 3), (6, 4), (6, 4, 3, 1)])
def test_tokens_must_fill_the_map(shape: tuple[int, ...]) -> None:
    graph = Graph("x", TensorType(shape, Quantization(8, True)))
    with pytest.raises(GraphError, match=r"map: tokens \(6, 4, C\) are wanted, found"):
        graph.add("map", Fold((2, 3), 4, 6), "x")


def test_map_must_not_be_empty() -> None:
    with pytest.raises(GraphError, match="does not divide a map of 0 x 4"):
        Fold((2, 2), 0, 4)
