"""Requantization circuits of the area comparison: RTL == reference, stalled or not; errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.circuits import requant
from benchmarks.circuits.point import Point
from benchmarks.circuits.requant_reference import (
    CHANNELS,
    OUTPUT,
    PUBLISHED_BITS,
    Integers,
    Scaling,
    accumulators,
    by_dyadic,
    by_published_dyadic,
    by_shift,
    by_tight_dyadic,
    errors,
    real_factors,
)
from hyq_hls.graph.requantize import Requantize
from tests.benchmarks.stream_points import TRAFFIC, check_run, lint, sources, stream_case
from tests.stream.rtl.stream_bench import Case, StreamBench, Traffic

# Per channel, ``dyadic_lut`` is the RTL of ``dyadic_dsp``.
POINTS = {p.name: p for p in requant.points() if not p.circuit.startswith("dyadic_lut_per_channel")}


def described(point: Point) -> tuple[Scaling, int]:
    """Integers and lanes of a circuit, read off its name."""
    method = point.circuit.split("_per_")[0]
    row = requant.scaling(method, point.regime, point.n, "per_channel" in point.circuit)
    return row, 4 if point.circuit.endswith("_4_lanes") else 1


def tried(row: Scaling, bits: int) -> Integers:
    """Accumulators (16, CHANNELS): random, both extremes, 0, and exact halves of a step."""
    rng = np.random.default_rng(bits)
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    spread = rng.integers(low >> 2, high >> 2, (6, CHANNELS))
    small = rng.integers(low >> 6, high >> 6, (5, CHANNELS))
    ends = np.broadcast_to(np.array([low, high, 0])[:, None], (3, CHANNELS))
    half = np.int64(1) << np.minimum(row.shift - 1, bits - 2)
    halves = np.broadcast_to(np.array([3, -3])[:, None] * half, (2, CHANNELS))
    return np.concatenate([spread, small, ends, np.clip(halves, low, high)])


def bench_case(point: Point) -> Case:
    row, lanes = described(point)
    acc = tried(row, point.n)
    return stream_case(point, lanes, acc, point.n, row(acc), requant.STAGES)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> StreamBench:
    cases = [bench_case(point) for point in POINTS.values()]
    return StreamBench(cases, tmp_path_factory.mktemp("bench"), sources("requant"))


@pytest.mark.slow
def test_rtl_without_stalls(bench: StreamBench) -> None:
    for name, found in bench.run(Traffic(100, 100, 700)).items():
        check_run(bench_case(POINTS[name]), found, stalled=False)
        _, lanes = described(POINTS[name])
        assert found.out_cycles[0][CHANNELS // lanes - 1] + 1 == POINTS[name].cycles


@pytest.mark.slow
@pytest.mark.parametrize("traffic", TRAFFIC)
def test_rtl_with_stalls(bench: StreamBench, traffic: str) -> None:
    for name, found in bench.run(TRAFFIC[traffic], seed=7).items():
        check_run(bench_case(POINTS[name]), found, stalled=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", POINTS)
def test_lint_finds_nothing(name: str, tmp_path: Path) -> None:
    assert lint(POINTS[name], tmp_path) == ""


@pytest.mark.slow
def test_names_are_unique() -> None:
    names = [point.name for point in requant.points()]
    assert len(set(names)) == len(names)


@given(st.integers(0, 2**32 - 1))
def test_scaling_is_the_requantization_of_the_project(seed: int) -> None:
    """Where Requantize can hold the multipliers, both are the same integers."""
    rng = np.random.default_rng(seed)
    shift = rng.integers(1, 40, CHANNELS)
    multiplier = rng.integers(1, 1 << 16, CHANNELS)
    acc = rng.integers(-(1 << 31), 1 << 31, (8, CHANNELS)) >> rng.integers(0, 31, (8, 1))
    for factor in (multiplier, None):
        ones = np.array([1]) if factor is None else factor
        assert np.array_equal(Scaling(factor, shift)(acc), Requantize(OUTPUT, shift, ones)(acc))


@pytest.mark.parametrize("per_channel", [False, True])
def test_powers_of_two_cost_rounding_alone(per_channel: bool) -> None:
    """With the factors that the quantizer chooses, shifts are as exact as multipliers."""
    factors = np.exp2(np.rint(np.log2(real_factors(24, per_channel))))
    assert errors(by_shift(factors), factors)[0] <= 0.5
    assert errors(by_published_dyadic(factors), factors)[0] <= 0.5


@pytest.mark.parametrize("bits", requant.BITS)
def test_accumulators_fit_and_fill_the_output(bits: int) -> None:
    factors = real_factors(bits, per_channel=True)
    acc = accumulators(factors)
    assert np.abs(acc).max() < 1 << (bits - 1)
    codes = by_published_dyadic(factors)(acc)
    assert (codes.min(axis=0) == OUTPUT.qmin).all()
    assert (codes.max(axis=0) == OUTPUT.qmax).all()


def test_other_factors_cost_shifts_their_accuracy() -> None:
    factors = real_factors(24, per_channel=True)
    assert errors(by_shift(factors), factors)[0] > 20
    assert errors(by_published_dyadic(factors), factors)[0] < 0.501


@pytest.mark.parametrize("per_channel", [False, True])
def test_tight_multipliers_are_the_narrowest(per_channel: bool) -> None:
    factors = real_factors(24, per_channel)
    tight = by_tight_dyadic(factors)
    assert tight.multiplier is not None
    bits = int(tight.multiplier.max()).bit_length()
    assert errors(tight, factors)[0] <= 0.6
    assert errors(by_dyadic(factors, bits - 1), factors)[0] > 0.6


def test_published_multipliers_fill_their_bits() -> None:
    row = by_published_dyadic(real_factors(32, per_channel=True))
    assert row.multiplier is not None
    assert {int(m).bit_length() for m in row.multiplier} == {PUBLISHED_BITS}
