"""transpose: reference == C++, native and bit-accurate, == RTL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hyq_hls.emulate.kernels import prepare
from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import Transpose
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, random_codes, saved_and_loaded

CASES = [
    Case(Transpose(), [TensorType(shape, quantization)])
    for shape, quantization in (
        ((2, 3, 2, 5), Quantization(8, False, (0.5,), (9,))),
        ((4, 3), Quantization(16, True)),
        ((3, 1, 4), Quantization(2, False, encoding="log2")),
        ((2, 4, 1), Quantization(5, True)),
        ((3, 1, 1), Quantization(7, False)),
    )
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


@pytest.mark.parametrize("case", CASES)
def test_rows_and_columns_change_places(case: Case[Transpose], tmp_path: Path) -> None:
    graph = case.graph("heads")
    codes = random_codes(graph.input_type, np.random.default_rng(0))
    found = case.operation.reference(codes)
    for place in np.ndindex(*codes.shape):
        turned = (*place[:-2], place[-1], place[-2])
        assert found[turned] == codes[place]
    assert case.output.shape == found.shape[1:]
    assert case.output.quantization == case.inputs[0].quantization
    emulated = prepare(graph.nodes["heads"], case.inputs)(torch.from_numpy(codes).float())
    assert np.array_equal(emulated.numpy(), found)
    again = saved_and_loaded(graph, tmp_path)
    assert np.array_equal(dict(again.reference(codes))["heads"], found)


def test_a_matrix_is_stored_before_it_leaves() -> None:
    x = TensorType((2, 3, 4, 5), Quantization(8, False))
    circuit = circuit_of(Transpose(), x)
    assert circuit.foldings == [Folding(1, 1)]
    assert circuit.cycles(Folding()) == 2 * 3 * 20
    assert circuit.latency(Folding()) == 2 * 3 * 20 + 20
    assert [(m.width, m.depth) for m in circuit.memories(Folding())] == [(8, 40)]
    assert circuit.macs == 0


def test_what_does_not_fit_is_refused() -> None:
    graph = Graph("x", TensorType((6,), Quantization(8, False)))
    with pytest.raises(GraphError, match=r"heads: two axes or more .* are wanted, found \(6,\)"):
        graph.add("heads", Transpose(), "x")
    graph = Graph("x", TensorType((4, 2), Quantization(8, False, (1.0, 2.0))))
    with pytest.raises(GraphError, match="one scale and one zero point are wanted"):
        graph.add("heads", Transpose(), "x")
