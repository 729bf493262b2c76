"""upsample: reference == C++, native and bit-accurate, == RTL; golden values from torch."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from hyq_hls.emulate.kernels import prepare
from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import Upsample
from hyq_hls.ops.upsample import UpsampleMode
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, random_codes, saved_and_loaded

MODES: tuple[UpsampleMode, ...] = get_args(UpsampleMode)
every_mode = pytest.mark.parametrize("mode", MODES)


def make_case(
    mode: UpsampleMode, shape: tuple[int, int, int], quantization: Quantization, lanes: int = 1
) -> Case[Upsample]:
    return Case(Upsample(mode), [TensorType(shape, quantization)], Folding(lanes, lanes))


CASES = [
    *(
        make_case(mode, shape, quantization, lanes)
        for mode in MODES
        for shape, quantization, lanes in (
            ((3, 4, 6), Quantization(8, False, zero_point=(9,)), 2),
            ((2, 3, 2), Quantization(16, True, (1.0, 2.0), (0, -3)), 2),
            ((4, 1, 3), Quantization(5, True), 1),
            ((1, 5, 2), Quantization(16, False), 1),
            ((1, 1, 1), Quantization(2, False), 1),
        )
    ),
    make_case("nearest", (2, 2, 1), Quantization(3, False, encoding="log2")),
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


@every_mode
@given(size=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3)), seed=st.integers())
def test_reference_and_emulation_equal_torch(
    mode: UpsampleMode, size: tuple[int, int, int], seed: int
) -> None:
    case = make_case(mode, size, Quantization(16, False))
    graph = case.graph("up")
    codes = random_codes(case.inputs[0], np.random.default_rng(abs(seed)))
    real = torch.from_numpy(codes).double().permute(0, 3, 1, 2)
    wanted = functional.interpolate(real, scale_factor=2.0, mode=mode).permute(0, 2, 3, 1)
    found = case.operation.reference(codes)
    assert np.array_equal(found, torch.floor(wanted + 0.5).long().numpy())
    emulated = prepare(graph.nodes["up"], case.inputs)(torch.from_numpy(codes).float())
    assert np.array_equal(emulated.numpy(), found)
    assert case.output.shape == found.shape[1:]
    assert case.output.quantization == case.inputs[0].quantization


def test_the_formula_is_that_of_the_documentation() -> None:
    """Every pixel by itself; a border repeats its codes."""
    codes = random_codes(TensorType((3, 4, 1), Quantization(8, True)), np.random.default_rng(0))
    found = Upsample("bilinear").reference(codes)
    for y, x in np.ndindex(6, 8):
        row, column = y // 2, x // 2
        other_row = min(max(row + (1 if y % 2 else -1), 0), 2)
        other_column = min(max(column + (1 if x % 2 else -1), 0), 3)
        a, b = codes[:, row, column], codes[:, row, other_column]
        c, d = codes[:, other_row, column], codes[:, other_row, other_column]
        assert np.array_equal(found[:, y, x], (9 * a + 3 * b + 3 * c + d + 8) >> 4)


@every_mode
@pytest.mark.parametrize("signed", [False, True])
def test_bounds_are_reached_and_no_code_saturates(mode: UpsampleMode, signed: bool) -> None:
    case = make_case(mode, (2, 2, 1), Quantization(4, signed))
    q, bounds = case.inputs[0].quantization, case.operation.accumulator(*case.inputs)
    unit, half = (16, 8) if mode == "bilinear" else (1, 0)
    assert (bounds.low, bounds.high) == (unit * q.qmin, unit * q.qmax + half)
    for code in (q.qmin, q.qmax):
        found = case.operation.reference(np.full((1, 2, 2, 1), code))
        assert (found == code).all()


def test_a_word_leaves_in_every_cycle() -> None:
    for mode, stages in zip(MODES, (6, 0), strict=True):
        operation, x = Upsample(mode), TensorType((3, 4, 6), Quantization(8, False))
        circuit = circuit_of(operation, x)
        assert circuit.foldings == [Folding(n, n) for n in (1, 2, 3, 6)]
        assert circuit.cycles(Folding(2, 2)) == 6 * 8 * 3
        assert circuit.latency(Folding(2, 2)) == 6 * 8 * 3 - 1 + stages
        assert circuit.products(Folding(2, 2)) == operation.macs(x) == 0


def test_two_rows_and_two_pixels_are_stored() -> None:
    x = TensorType((3, 4, 6), Quantization(8, False))
    bilinear, nearest = (circuit_of(Upsample(mode), x) for mode in MODES)
    found = [(m.width, m.depth) for m in bilinear.memories(Folding(2, 2))]
    assert sorted(found) == [(16, 12), (16, 12), (20, 3), (20, 3)]
    assert [(m.width, m.depth) for m in nearest.memories(Folding(2, 2))] == [(16, 12), (16, 3)]


def test_saves_and_loads(tmp_path: Path) -> None:
    for case in CASES[1::5]:
        graph = case.graph("up")
        again = saved_and_loaded(graph, tmp_path)
        codes = random_codes(graph.input_type, np.random.default_rng(0))
        found, wanted = (dict(g.reference(codes))["up"] for g in (again, graph))
        assert again.output_type == graph.output_type
        assert np.array_equal(found, wanted)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(GraphError, match="mode 'bicubic' is unknown; choose one of bilinear, near"):
        Upsample("bicubic")  # type: ignore[arg-type]
    graph = Graph("x", TensorType((4, 6), Quantization(8, False)))
    with pytest.raises(GraphError, match=r"up: a map \(H, W, C\) is wanted, found \(4, 6\)"):
        graph.add("up", Upsample("nearest"), "x")
    graph = Graph("x", TensorType((4, 6, 1), Quantization(3, False, encoding="log2")))
    with pytest.raises(GraphError, match="log2 codes; affine is wanted"):
        graph.add("up", Upsample("bilinear"), "x")
