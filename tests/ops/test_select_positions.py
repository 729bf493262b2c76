"""select_positions: reference == C++ == RTL over foldings; it is numpy's indexing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hyq_hls.errors import GraphError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.ops import SelectPositions
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import FAST_COMPILE, random_codes, reference, saved_and_loaded

BYTE = Quantization(8, True)
#: A class token, tokens without it, the last one, every second pixel, all, a hole, one position.
CHOICES: list[tuple[tuple[int, int], tuple[int, ...], tuple[int, ...]]] = [
    ((1, 5), (0,), (0,)),
    ((1, 5), (0,), (1, 2, 3, 4)),
    ((1, 5), (0,), (4,)),
    ((4, 5), (0, 2), (0, 2, 4)),
    ((2, 3), (0, 1), (0, 1, 2)),
    ((3, 3), (0, 2), (1,)),
    ((1, 1), (0,), (0,)),
]


def random_case(seed: int) -> Case[SelectPositions]:
    rng = np.random.default_rng(seed)
    lead, rows, columns = CHOICES[seed % len(CHOICES)]
    q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    x = TensorType((*lead, int(rng.choice([1, 4, 6]))), q)
    operation = SelectPositions(rows, columns)
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


CASES = [random_case(seed) for seed in range(len(CHOICES))]


@pytest.mark.slow
def test_csim_equals_reference(tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path / "c", FAST_COMPILE), CASES, strict=True):
        codes = random_codes(case.inputs[0], np.random.default_rng(0))
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Every case, stalled and not, with a reset between; ``cycles`` and ``latency`` are exact."""
    codes = [[random_codes(case.inputs[0], np.random.default_rng(0))] for case in CASES]
    RtlBench(CASES, tmp_path / "rtl").check(codes)


@pytest.mark.parametrize("case", CASES)
def test_it_is_indexing(case: Case[SelectPositions]) -> None:
    operation, (x,) = case.operation, case.inputs
    codes = random_codes(x, np.random.default_rng(1))
    wanted = codes.take(operation.rows, axis=1).take(operation.columns, axis=2)
    assert np.array_equal(operation.reference(codes), wanted)
    assert case.output == TensorType(wanted.shape[1:], x.quantization)


def test_it_takes_all_words_and_ends_with_the_last_that_stays() -> None:
    x = TensorType((1, 5, 6), BYTE)
    for column, latencies in ((0, (7, 2)), (4, (31, 6))):
        circuit = circuit_of(SelectPositions((0,), (column,)), x)
        lanes = [Folding(1, 1), Folding(6, 6)]
        assert [circuit.cycles(folding) for folding in lanes] == [30, 5]
        assert tuple(circuit.latency(folding) for folding in lanes) == latencies


def test_in_a_graph_that_is_saved_and_loaded(tmp_path: Path) -> None:
    graph = CASES[3].graph("op")
    codes = random_codes(graph.input_type, np.random.default_rng(2))
    assert np.array_equal(
        reference(saved_and_loaded(graph, tmp_path), codes), reference(graph, codes)
    )


@pytest.mark.parametrize("rows", [(), (1, 1), (2, 1), (-1,), (0.5,)])
def test_bad_choices(rows: Any) -> None:
    with pytest.raises(GraphError, match="rows: integers from 0 on in ascending order"):
        SelectPositions(rows, (0,))


@pytest.mark.parametrize("shape", [(2, 3), (2, 2, 4), (1, 3, 4)])
def test_inputs_that_do_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(GraphError, match="more than 1 rows and 2 columns of channels is wanted"):
        SelectPositions((0, 1), (0, 2)).output_type(TensorType(shape, BYTE))
