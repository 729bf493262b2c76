"""unfold: reference == C++, native and bit-accurate, == RTL; golden values from torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import Unfold
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
) -> Case[Unfold]:
    """A map of ``grid`` patches."""
    shape = (patch[0] * grid[0], patch[1] * grid[1], channels)
    return Case(Unfold(patch), [TensorType(shape, quantization)], Folding(lanes, lanes))


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


@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.integers(1, 3),
)
def test_reference_equals_torch(
    patch: tuple[int, int], grid: tuple[int, int], channels: int
) -> None:
    case = make_case(patch, grid, channels, Quantization(16, False))
    x = case.inputs[0]
    codes = np.arange(2 * x.size).reshape(2, *x.shape)  # every position has its own code
    columns = torch.nn.functional.unfold(
        torch.from_numpy(codes).double().permute(0, 3, 1, 2), patch, stride=patch
    )
    tokens = columns.reshape(2, channels, patch[0] * patch[1], grid[0] * grid[1])
    expected = tokens.permute(0, 2, 3, 1).long().numpy()
    assert np.array_equal(case.operation.reference(codes), expected)
    assert case.output.shape == expected.shape[1:]
    assert case.output.quantization == x.quantization


def test_addresses_are_those_of_the_documentation() -> None:
    ph, pw, rows, columns = 2, 3, 4, 2
    codes = np.arange(ph * rows * pw * columns).reshape(1, ph * rows, pw * columns, 1)
    tokens = Unfold((ph, pw)).reference(codes)
    for i, j, a, b in np.ndindex(rows, columns, ph, pw):
        assert tokens[0, a * pw + b, i * columns + j] == codes[0, i * ph + a, j * pw + b]


def test_a_token_keeps_its_channels() -> None:
    codes = random_codes(TensorType((4, 4, 6), Quantization(8, False)), np.random.default_rng(0))
    tokens = Unfold((2, 2)).reference(codes)
    assert np.array_equal(tokens[:, 3, 2], codes[:, 3, 1])


def test_saves_and_loads(tmp_path: Path) -> None:
    case = CASES[1]
    graph = case.graph("tokens")
    again = saved_and_loaded(graph, tmp_path)
    codes = random_codes(graph.input_type, np.random.default_rng(0))
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


def test_the_whole_map_is_stored_before_the_first_token() -> None:
    x = TensorType((4, 6, 3), Quantization(8, False))
    operation = Unfold((2, 3))
    circuit = circuit_of(operation, x)
    assert [circuit.cycles(f) for f in circuit.foldings] == [3 * 4 * 6, 4 * 6]
    assert circuit.latency(Folding()) == 2 * circuit.cycles(Folding())
    assert operation.macs(x) == 0


@pytest.mark.parametrize(
    ("patch", "shape", "message"),
    [
        ((2, 2), (4, 5, 3), "tokens: patch 2 x 2 does not divide a map of 4 x 5"),
        ((3, 1), (4, 5, 3), "tokens: patch 3 x 1 does not divide a map of 4 x 5"),
        ((0, 1), (4, 5, 3), "tokens: patch 0 x 1 does not divide a map of 4 x 5"),
        ((2, 2), (4, 4), r"tokens: a map \(H, W, C\) is wanted, found \(4, 4\)"),
    ],
)
def test_inputs_that_do_not_fit(
    patch: tuple[int, int], shape: tuple[int, ...], message: str
) -> None:
    graph = Graph("x", TensorType(shape, Quantization(8, True)))
    with pytest.raises(GraphError, match=message):
        graph.add("tokens", Unfold(patch), "x")
