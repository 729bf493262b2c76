"""Random operations: a graph is refused, or emulation, reference and C++ give the same codes."""

from __future__ import annotations

from math import ceil, log2
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hyq_hls import ops
from hyq_hls.emulate.kernels import prepare
from hyq_hls.errors import GraphError
from hyq_hls.graph import Graph, Node, Operation, Quantization, TensorType
from hyq_hls.graph.graph import MAX_ACCUMULATOR_BITS
from hyq_hls.graph.requantize import Requantize
from tests.emulate.random_operations import MAKERS, SUMLESS, SWITCHES, Rng, made
from tests.ops.direct import Case, compile_cases
from tests.ops.harness import BIT_ACCURATE, FAST_COMPILE, random_codes

SEEDS = range(6)


def extreme_codes(
    operation: Operation, types: list[TensorType], rng: Rng
) -> list[NDArray[np.int64]]:
    """Random codes, the ends, the zero points, and what makes a sum of products reach furthest."""
    codes = [random_codes(x, rng, 5) for x in types]
    for x, some in zip(types, codes, strict=True):
        q = x.quantization
        near = np.asarray(q.zero_point) + rng.integers(-1, 2, x.shape)
        some[2] = np.clip(near, q.qmin, q.qmax)
    if isinstance(operation, ops.Dense):
        q = types[0].quantization
        ends = np.where(operation.weight[0] > 0, q.qmax, q.qmin)
        codes[0][0], codes[0][1] = ends, q.qmin + q.qmax - ends
    return codes


def emulated(
    operation: Operation, types: list[TensorType], codes: list[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Codes of the kernel; the operands of an operation need not come from one input."""
    accumulator = operation.accumulator(*types)
    node = Node("op", operation, (), operation.output_type(*types), accumulator)
    with torch.inference_mode():
        found = prepare(node, types)(*(torch.from_numpy(c).float() for c in codes))
    return found.numpy().astype(np.int64)


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("name", MAKERS)
def test_emulation_equals_reference(name: str, switch: int) -> None:
    for seed in SEEDS:
        case = made(name, switch, seed)
        if case is not None:
            operation, types = case
            codes = extreme_codes(operation, types, np.random.default_rng(seed))
            found, wanted = emulated(operation, types, codes), operation.reference(*codes)
            assert np.array_equal(found, wanted), f"{name} {switch} {seed}"


def test_the_switches_are_met_from_both_sides() -> None:
    """Sums below and above each of them are among the cases; those beyond the last are refused."""
    assert set(MAKERS) | SUMLESS == set(ops.OPERATIONS)
    for name in ("dense", "conv2d", "depthwise_conv2d"):
        for switch in SWITCHES:
            bits = []
            for seed in range(20):
                case = made(name, switch, seed)
                if case is not None:
                    bits.append(case[0].partial_sums(*case[1]).bits)
            assert min(bits) <= switch
            if switch == MAX_ACCUMULATOR_BITS:
                assert len(bits) < 20
            else:
                assert max(bits) > switch


def exact(operation: ops.Dense, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Python's integers, which have no width."""
    sums = codes.astype(object) @ operation.weight.astype(object).T + operation.bias.astype(object)
    r = operation.requantize
    shift = np.broadcast_to(r.shift, sums.shape[-1]).tolist()
    multiplier = np.broadcast_to(r.multiplier, sums.shape[-1]).tolist()
    zero = np.broadcast_to(r.quantization.zero_point, sums.shape[-1]).tolist()
    result = np.empty(sums.shape, np.int64)
    for place in np.ndindex(sums.shape):
        c = place[-1]
        scaled = sums[place] * multiplier[c] << max(0, -shift[c])
        right = max(0, shift[c])
        code = ((scaled + ((1 << right) >> 1)) >> right) + zero[c]
        result[place] = min(max(code, r.quantization.qmin), r.quantization.qmax)
    return result


@pytest.mark.parametrize("seed", range(30))
def test_the_reference_has_no_width(seed: int) -> None:
    for switch in SWITCHES:
        case = made("dense", switch, seed)
        if case is not None:
            operation, types = case
            assert isinstance(operation, ops.Dense)
            (codes,) = extreme_codes(operation, types, np.random.default_rng(seed))
            assert np.array_equal(operation.reference(codes), exact(operation, codes))


@pytest.mark.parametrize("bits", [40, 55, 61, 63])
def test_bounds_of_huge_weights_do_not_wrap(bits: int) -> None:
    """Sums of 64-bit products would come out small, and pass."""
    weight = np.full((2, 64), (1 << (bits - 1)) - 1)
    x = TensorType((64,), Quantization(16, False))
    out = Requantize(Quantization(8, True), np.array([62]), np.array([1]))
    operation = ops.Dense(weight, bits, np.zeros(2, int), out)
    wanted = 64 * ((1 << (bits - 1)) - 1) * ((1 << 16) - 1)
    assert operation.accumulator(x).high == wanted
    graph = Graph("x", x)
    if ceil(log2(wanted)) < MAX_ACCUMULATOR_BITS:
        graph.add("fc", operation, "x")
    else:
        with pytest.raises(GraphError, match="bits"):
            graph.add("fc", operation, "x")


def cases() -> list[Case[Operation]]:
    """One per operation at the widths of the C++'s integers, as far as there is one."""
    found = []
    for name in MAKERS:
        for switch in (31, 62):
            options = (made(name, switch, seed) for seed in SEEDS)
            case = next((c for c in options if c is not None and c[1][0].size < 1000), None)
            if case is not None:
                found.append(Case(*case))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("flags", [FAST_COMPILE, BIT_ACCURATE], ids=["native", "bit_accurate"])
def test_csim_equals_reference(flags: tuple[str, ...], tmp_path: Path) -> None:
    every = cases()
    for i, (csim, case) in enumerate(
        zip(compile_cases(every, tmp_path, flags), every, strict=True)
    ):
        types = list(case.inputs)
        codes = extreme_codes(case.operation, types, np.random.default_rng(i))
        assert np.array_equal(csim(*codes), case.operation.reference(*codes)), (i, case)
