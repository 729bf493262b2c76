"""Attention circuits of the area comparison: RTL == reference, cycles; errors by plain loops."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.circuits import attention_v
from benchmarks.circuits.attention_reference import (
    DEPTH,
    PROBABILITIES,
    VALUE,
    errors,
    operation,
    probability_codes,
    rows,
    types,
)
from hyq_hls.ops import AttentionValues
from hyq_hls.stream.folding import Folding
from tests.benchmarks.stream_points import lint
from tests.ops.direct import Case
from tests.ops.direct_rtl import RtlBench

POINTS = {(p.n, p.circuit): p for p in attention_v.points()}
#: ``uniform_lut`` is the RTL of ``uniform_dsp``.
CIRCUITS = {"log2": "log2", "uniform_dsp": "uniform"}


def case(encoding: str, tokens: int, suffix: str) -> Case[AttentionValues]:
    return Case(operation(encoding), types(encoding, tokens), attention_v.FOLDINGS[suffix])


def operands(encoding: str, tokens: int) -> list[NDArray[np.int64]]:
    """The rows that errors are measured on, then the largest weights and the extreme values."""
    real, value = rows(tokens)
    probability = probability_codes(encoding, real)
    heaviest = 0 if encoding == "log2" else PROBABILITIES[encoding].qmax
    weights = np.full((2, *probability.shape[1:]), heaviest)
    ends = np.broadcast_to(
        np.array([VALUE.qmin, VALUE.qmax])[:, None, None, None], (2, *value.shape[1:])
    )
    return [np.concatenate([probability, weights]), np.concatenate([value, ends])]


@pytest.mark.slow
def test_rtl_of_16_tokens(tmp_path: Path) -> None:
    """Every circuit: codes, cycles and latency; stalls, a reset in between."""
    names = list(product(CIRCUITS, attention_v.FOLDINGS))
    cases = [case(CIRCUITS[circuit], 16, suffix) for circuit, suffix in names]
    codes = [operands(CIRCUITS[circuit], 16) for circuit, _ in names]
    bench = RtlBench(cases, tmp_path / "bench")
    bench.check(codes)
    for (circuit, suffix), found in zip(names, bench.run(codes), strict=True):
        beats = 16 * DEPTH // attention_v.FOLDINGS[suffix].outputs
        first = min(taken[0] for taken in found.in_cycles)
        cycles = found.out_cycles[beats - 1] - first + 1
        assert cycles == POINTS[16, circuit + suffix].cycles


@pytest.mark.slow
@pytest.mark.parametrize("tokens", [64, 256])
def test_rtl_of_more_tokens(tokens: int, tmp_path: Path) -> None:
    encodings = list(CIRCUITS.values())
    bench = RtlBench([case(e, tokens, "_4x4") for e in encodings], tmp_path / "bench")
    bench.run([[codes[:1] for codes in operands(e, tokens)] for e in encodings], 95, 95)


@pytest.mark.slow
@pytest.mark.parametrize("circuit", ["log2", "log2_4x4", "uniform_lut", "uniform_lut_4x4"])
def test_lint_finds_nothing(circuit: str, tmp_path: Path) -> None:
    assert lint(POINTS[16, circuit], tmp_path) == ""


def test_points_are_all_there() -> None:
    assert len(POINTS) == len(attention_v.points()) == 18
    assert attention_v.FOLDINGS["_4x4"] == Folding(4, 4)


def test_codes_of_probabilities() -> None:
    """Log2 codes change at 2/3, 1/3, 1/6 ...: half of a power of two times 1.5; 15 stands for 0."""
    real = np.array([1.0, 0.67, 0.66, 0.34, 0.33, 0.17, 0.16, 4.5e-5, 4.0e-5, 1e-9])
    assert probability_codes("log2", real).tolist() == [0, 0, 1, 1, 2, 2, 3, 14, 15, 15]
    real = np.array([1.0, 0.999, 0.5, 0.0021, 0.0019, 0.0])
    assert probability_codes("uniform", real).tolist() == [255, 255, 128, 1, 0, 0]


@pytest.mark.parametrize("encoding", PROBABILITIES)
def test_errors_by_written_out_sums(encoding: str) -> None:
    """The same numbers from a loop over queries with probabilities that are dequantized."""
    real, value = rows(16)
    step = PROBABILITIES[encoding].dequantize(probability_codes(encoding, real))
    centred = value - VALUE.zero_point[0]
    distances = []
    for frame in range(len(value)):
        for query in range(16):
            found = np.floor(step[frame, 0, query, 0] @ centred[frame, 0] + 0.5)
            found = np.clip(found, -128, 127)
            distances.append(np.abs(found - real[frame, 0, query, 0] @ centred[frame, 0]))
    worst, mean = errors(encoding, 16)
    assert worst == pytest.approx(np.max(distances), rel=1e-9)
    assert mean == pytest.approx(np.mean(distances), rel=1e-9)
