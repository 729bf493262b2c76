"""Unary circuits of the area comparison: RTL == reference for all 256 codes, stalled or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.circuits import unary
from benchmarks.circuits.point import Point
from benchmarks.circuits.unary_reference import (
    CODES,
    INPUT,
    OUTPUT,
    errors,
    hard_sigmoid,
    piecewise_sigmoid,
    range_entries,
    range_table,
    silu,
    true_table,
)
from tests.benchmarks.stream_points import (
    TRAFFIC,
    check_run,
    lint,
    sources,
    stream_case,
)
from tests.stream.rtl.stream_bench import Case, StreamBench, Traffic

# ``_lut`` is the RTL of ``_dsp``.
POINTS = {p.name: p for p in unary.points() if not p.circuit.endswith("_lut")}


def bench_case(point: Point) -> Case:
    beats = CODES.size // point.n
    wanted = unary.codes(point.circuit)
    return stream_case(point, point.n, CODES, INPUT.bits, wanted, point.cycles - beats)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> StreamBench:
    cases = [bench_case(point) for point in POINTS.values()]
    return StreamBench(cases, tmp_path_factory.mktemp("bench"), sources("unary"))


@pytest.mark.slow
def test_every_code_without_stalls(bench: StreamBench) -> None:
    for name, found in bench.run(Traffic(100, 100, 400)).items():
        check_run(bench_case(POINTS[name]), found, stalled=False)
        assert found.out_cycles[0][-1] - found.in_cycles[0] + 1 == POINTS[name].cycles


@pytest.mark.slow
@pytest.mark.parametrize("traffic", TRAFFIC)
def test_every_code_with_stalls(bench: StreamBench, traffic: str) -> None:
    for name, found in bench.run(TRAFFIC[traffic], seed=7).items():
        check_run(bench_case(POINTS[name]), found, stalled=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", POINTS)
def test_lint_finds_nothing(name: str, tmp_path: Path) -> None:
    assert lint(POINTS[name], tmp_path) == ""


def test_names_are_unique() -> None:
    names = [point.name for point in unary.points()]
    assert len(set(names)) == len(names)


def test_output_grid_holds_every_value() -> None:
    """No circuit loses by saturation: SiLU of every code lies between the output's ends."""
    real = silu(INPUT.dequantize(CODES)) / OUTPUT.scale[0] + OUTPUT.zero_point[0]
    assert real.min() > OUTPUT.qmin - 0.5
    assert real.max() < OUTPUT.qmax + 0.5


def test_table_is_off_by_rounding_alone() -> None:
    worst, mean = errors(true_table())
    assert 0.4 < worst <= 0.5
    assert 0.2 < mean < 0.3


def test_errors_see_one_wrong_code() -> None:
    wrong = true_table().copy()
    wrong[200] -= 7
    assert 6.5 <= errors(wrong)[0] <= 7.5


@pytest.mark.parametrize("fraction", [3, 4, 6])
def test_hard_sigmoid_near_its_formula(fraction: int) -> None:
    """Rounded down from a factor that is 0.2 % too large; 0 and 1 are exact."""
    x = np.arange(-8 << fraction, 8 << fraction)
    found = hard_sigmoid(x, fraction, 8)
    formula = np.clip(x * 2.0**-fraction + 3, 0, 6) / 6
    assert np.abs(found / 256 - formula).max() < 1 / 256 + 0.002
    assert np.array_equal(found[x >= 3 << fraction], np.full((x >= 3 << fraction).sum(), 256))
    assert np.array_equal(found[x <= -3 << fraction], np.zeros((x <= -3 << fraction).sum()))


@pytest.mark.parametrize("fraction", [3, 4, 6])
def test_piecewise_sigmoid_as_published(fraction: int) -> None:
    """PLAN's worst error is 1.89 % (Amin et al. 1997), and no line is cut short."""
    x = np.arange(-8 << fraction, 8 << fraction)
    real, found = x * 2.0**-fraction, piecewise_sigmoid(x, fraction, fraction + 5)
    size = np.abs(real)
    line = np.where(size < 2.375, 0.125 * size + 0.625, 0.03125 * size + 0.84375)
    line = np.where(size < 1, 0.25 * size + 0.5, np.where(size < 5, line, 1.0))
    line = np.where(real < 0, 1 - line, line)
    assert np.array_equal(found * 2.0 ** -(fraction + 5), line)
    assert np.abs(line - 1 / (1 + np.exp(-real))).max() < 0.0190


def test_range_table_saturates_its_index() -> None:
    """Beyond [-8, 8) the first and the last entry answer, as in hls4ml."""
    entries = range_entries(1024, 10)
    x = np.array([-200, -128, 0, 127, 200])
    assert np.array_equal(range_table(x, 4, 10), entries[[0, 0, 512, 1020, 1023]])
    assert entries[512] == 512
    assert (np.diff(entries) >= 0).all()
