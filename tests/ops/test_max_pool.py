"""max_pool: reference == C++ == RTL over foldings; golden values from torch and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Quantization, TensorType
from hyq_hls.ops import MaxPool
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


def random_case(seed: int) -> Case[MaxPool]:
    """Random geometry, widths and lanes; half of the cases are signed."""
    rng = np.random.default_rng(seed)
    q = Quantization(int(rng.integers(2, 17)), bool(seed % 2))
    x = TensorType((*rng.integers(3, 8, 2).tolist(), int(rng.integers(1, 6))), q)
    kernel = tuple(rng.integers(1, 4, 2).tolist())
    stride = tuple(rng.integers(1, 3, 2).tolist())
    padding = int(rng.integers(0, kernel[0] // 2 + 1)), int(rng.integers(0, kernel[1] // 2 + 1))
    operation = MaxPool(kernel, stride, padding, (q.qmin,))
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


def stem_case(lanes: int) -> Case[MaxPool]:
    """The pooling behind the stem of a ResNet."""
    x = TensorType((6, 8, 4), Quantization(8, True))
    return Case(MaxPool((3, 3), (2, 2), (1, 1), (-128,)), [x], Folding(lanes, lanes))


CASES = [*(stem_case(lanes) for lanes in (1, 4)), *(random_case(seed) for seed in range(6))]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    for csim, case in zip(compile_cases(CASES, tmp_path / "c", flags), CASES, strict=True):
        codes = random_codes(case.inputs[0], np.random.default_rng(0), samples=4)
        assert np.array_equal(csim(codes), case.operation.reference(codes)), case


@pytest.mark.slow
def test_rtl_equals_reference(tmp_path: Path) -> None:
    """Every case, stalled and not, with a reset between; ``cycles`` and ``latency`` are exact."""
    rng = np.random.default_rng(0)
    RtlBench(CASES, tmp_path / "rtl").check([[random_codes(c.inputs[0], rng)] for c in CASES])


@pytest.mark.parametrize("case", CASES)
def test_reference_equals_torch(case: Case[MaxPool]) -> None:
    (x,), pool = case.inputs, case.operation
    codes = random_codes(x, np.random.default_rng(1), samples=2)
    module = torch.nn.MaxPool2d(pool.kernel, pool.stride, pool.padding)
    wanted = module(torch.from_numpy(codes).double().permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    assert np.array_equal(pool.reference(codes), wanted.long().numpy())
    assert pool.output_type(x) == TensorType(tuple(wanted.shape[1:]), x.quantization)


def test_a_border_never_is_the_maximum() -> None:
    """Also where all codes are negative, or the smallest."""
    codes = np.full((1, 6, 8, 4), -128)
    codes[0, 3:] = -5
    found = stem_case(1).operation.reference(codes)
    assert found.min() == -128
    assert found.max() == -5
    assert (found[0, 0] == -128).all()


def test_scales_of_channels_pass() -> None:
    q = Quantization(8, False, (0.5, 0.25), (3, 9))
    pool = MaxPool((2, 2), (2, 2), (0, 0), (0,))
    assert pool.output_type(TensorType((4, 4, 2), q)) == TensorType((2, 2, 2), q)


def test_saves_and_loads(tmp_path: Path) -> None:
    case = random_case(3)
    codes = random_codes(case.inputs[0], np.random.default_rng(0))
    graph = case.graph("pool")
    again = saved_and_loaded(graph, tmp_path)
    assert again.output_type == graph.output_type
    assert np.array_equal(reference(again, codes), reference(graph, codes))


def test_work_and_foldings() -> None:
    case = stem_case(2)
    (x,), circuit = case.inputs, case.circuit
    assert case.operation.macs(x) == 0
    assert circuit.foldings == [Folding(n, n) for n in (1, 2, 4)]
    for folding in circuit.foldings:
        assert circuit.products(folding) == circuit.dsps(folding) == 0
        # Nine taps of 3 x 4 windows, and one row of ten columns that nothing hides.
        assert circuit.cycles(folding) == (9 * 12 + 10) * 4 // folding.inputs


@pytest.mark.parametrize(
    ("shape", "signed", "message"),
    [
        ((4, 4), False, r"pool: a map \(H, W, C\) is wanted, found \(4, 4\)"),
        ((4, 4, 2), True, r"pool: the smallest code of the input is -128, .* a border of \(0,\)"),
        ((1, 4, 2), False, r"pool: window \(2, 2\) with padding \(0, 0\) is larger than the map"),
    ],
)
def test_inputs_that_do_not_fit(shape: tuple[int, ...], signed: bool, message: str) -> None:
    graph = Graph("x", TensorType(shape, Quantization(8, signed)))
    with pytest.raises(GraphError, match=message):
        graph.add("pool", MaxPool((2, 2), (1, 1), (0, 0), (0,)), "x")


def test_padding_of_more_than_half_a_window() -> None:
    with pytest.raises(GraphError, match=r"padding \(2, 0\) is more than half of the window"):
        MaxPool((3, 3), (1, 1), (2, 0), (0,))
