"""permute_positions: reference == C++ == RTL over foldings; windows are numpy's transpositions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hyq_hls.emulate.kernels import prepare
from hyq_hls.errors import GraphError
from hyq_hls.graph import Quantization, TensorType
from hyq_hls.ops import PermutePositions
from hyq_hls.stream.circuits import circuit_of
from hyq_hls.stream.folding import Folding
from tests.ops.direct import Case, compile_cases, random_folding
from tests.ops.direct_rtl import RtlBench
from tests.ops.harness import FAST_COMPILE, random_codes, saved_and_loaded

Order = NDArray[np.int64]
BYTE = Quantization(8, True)


def windows(height: int, width: int, window: tuple[int, int], shift: int = 0) -> Order:
    """The pixels of each window, as Swin partitions a map that it shifted."""
    wh, ww = window
    pixels = np.roll(np.arange(height * width).reshape(height, width), (-shift, -shift), (0, 1))
    pixels = pixels.reshape(height // wh, wh, width // ww, ww).transpose(0, 2, 1, 3)
    found: Order = pixels.reshape(-1, wh * ww)
    return found


def back(order: Order, height: int, width: int) -> Order:
    return np.argsort(order, axis=None).reshape(height, width)


#: An order by the size of the map: windows, wide ones, shifted ones, and all of them back; an
#: identity, a single position, and pairs.
ORDERS: list[tuple[tuple[int, int], Order]] = [
    ((4, 6), windows(4, 6, (2, 3))),
    ((6, 2), back(windows(4, 3, (2, 3)), 4, 3)),
    ((4, 4), windows(4, 4, (2, 2), 1)),
    ((4, 4), back(windows(4, 4, (2, 2), 1), 4, 4)),
    ((2, 3), np.arange(6).reshape(3, 2)),
    ((1, 1), np.zeros((1, 1), np.int64)),
    ((1, 6), np.array([[1, 0, 3], [2, 5, 4]])),
]


def random_case(seed: int) -> Case[PermutePositions]:
    rng = np.random.default_rng(seed)
    lead, order = ORDERS[seed % len(ORDERS)]
    q = Quantization(int(rng.integers(2, 17)), bool(rng.integers(2)))
    x = TensorType((*lead, int(rng.choice([1, 4, 6]))), q)
    operation = PermutePositions(order)
    return Case(operation, [x], random_folding(rng, circuit_of(operation, x)))


CASES = [random_case(seed) for seed in range(2 * len(ORDERS))]


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
def test_each_position_shows_that_of_the_order(
    case: Case[PermutePositions], tmp_path: Path
) -> None:
    operation, (x,) = case.operation, case.inputs
    codes = random_codes(x, np.random.default_rng(1))
    found = operation.reference(codes)
    for place in np.ndindex(*operation.order.shape):
        shown = np.unravel_index(operation.order[place], x.shape[:2])
        there, here = (slice(None), *place), (slice(None), *shown)
        assert np.array_equal(found[there], codes[here])
    assert case.output == TensorType(found.shape[1:], x.quantization)
    graph = case.graph("op")
    emulated = prepare(graph.nodes["op"], case.inputs)(torch.from_numpy(codes).float())
    assert np.array_equal(emulated.numpy(), found)
    again = saved_and_loaded(graph, tmp_path)
    assert np.array_equal(dict(again.reference(codes))["op"], found)


def test_windows_need_two_rows_of_windows_and_shifted_ones_two_maps() -> None:
    x = TensorType((8, 8, 6), BYTE)
    for shift, positions, bits in ((0, 32, 7), (2, 64, 8)):
        circuit = circuit_of(PermutePositions(windows(8, 8, (4, 4), shift)), x)
        buffer, order = circuit.memories(Folding(3, 3))
        assert (buffer.width, buffer.depth) == (24, 2 * positions * 2)
        assert (order.width, order.depth) == (bits - 1, positions)
        assert circuit.cycles(Folding(3, 3)) == 64 * 2
        assert circuit.latency(Folding(3, 3)) == 64 * 2 + positions * 2


@pytest.mark.parametrize("order", [[[0, 0]], [[1, 2]], [[]], [0, 1], [[0.0]]])
def test_orders_that_are_none(order: list[object]) -> None:
    with pytest.raises(GraphError, match="permute_positions order: "):
        PermutePositions(np.array(order))


@pytest.mark.parametrize("shape", [(2, 2, 3), (6, 4), (1, 2, 3, 4)])
def test_inputs_that_do_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(GraphError, match=r"an input of 6 positions \(X, Y, C\) is wanted"):
        PermutePositions(np.arange(6).reshape(2, 3)).output_type(TensorType(shape, BYTE))
