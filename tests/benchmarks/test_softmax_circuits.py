"""Softmax circuits of the area comparison: RTL == reference, stalled or not; formulas; errors."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.circuits import softmax
from benchmarks.circuits.point import Point
from benchmarks.circuits.softmax_circuit import (
    Codes,
    Function,
    SoftmaxCircuit,
    divided_codes,
    published,
    tight,
)
from benchmarks.circuits.softmax_errors import exponential_errors, logit_codes, softmax_errors
from hyq_hls.ops import LinearSoftmax
from tests.benchmarks.stream_points import BROKEN, lint, sources
from tests.stream.rtl.stream_bench import Case, StreamBench, Traffic

FUNCTIONS: tuple[Function, ...] = ("linear", "polynomial", "shiftmax", "table")
# ``polynomial_lut`` is the RTL of ``polynomial_dsp``; lanes: see tests/ops/test_linear_softmax.py.
POINTS = {
    point.name: point
    for point in softmax.points()
    if point.circuit not in ("polynomial_lut", "linear_template_4_lanes") and point.n != 64
}
CIRCUITS = {(c.name, c.regime): c.circuit for c in softmax.circuits()} | {
    ("linear_template", "tight"): tight("linear")
}


def rows(circuit: SoftmaxCircuit, n: int) -> Codes:
    """Rows (13, n): as in the comparison, over a few octaves, over all codes, extremes, ties."""
    rng = np.random.default_rng(n)
    top = (1 << circuit.bits) - 1
    real = logit_codes(circuit, n)[[0, 1, -2, -1]]
    near = rng.integers(0, min(4 * circuit.step, top) + 1, (2, n))
    full = rng.integers(0, top + 1, (2, n))
    extremes = np.array([np.full(n, 0), np.full(n, top), [top, *[0] * (n - 1)]])
    far = np.full(n, top)
    far[-1] = max(0, top - circuit.step * (circuit.shift + 1))
    tie = top - circuit.step * np.array(tied_octaves(n))
    return np.concatenate([real, near, full, extremes, [far, tie]])


def tied_octaves(n: int) -> list[int]:
    """Octaves below the maximum of n codes whose exponentials sum up to 2.5 times the largest."""
    octaves = [1]
    while len(octaves) < n - 2:
        largest = octaves.pop(0)
        octaves += [largest + 1] * 2
    return [0, 0, *octaves]


def bench_case(point: Point) -> Case:
    circuit = CIRCUITS[point.circuit, point.regime]
    codes = rows(circuit, point.n)
    words = codes.ravel().tolist()
    return Case(
        name=point.name,
        module=point.top,
        parameters=point.parameters,
        in_bits=circuit.bits,
        words=words,
        outputs=[circuit.reference(codes).ravel().tolist()],
        out_bits=4,
        in_cycles=range(len(words)),
        out_cycles=range(point.cycles - point.n, point.cycles - point.n + len(words)),
    )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> StreamBench:
    cases = [bench_case(point) for point in POINTS.values()]
    return StreamBench(cases, tmp_path_factory.mktemp("bench"), sources("softmax"))


@pytest.mark.slow
def test_rtl_takes_a_code_per_cycle_without_gap(bench: StreamBench) -> None:
    for case, found in zip(bench.cases, bench.run(Traffic(100, 100, 5000)).values(), strict=True):
        assert np.array_equal(found.outputs[0], case.outputs[0]), case.name
        assert found.in_cycles == list(case.in_cycles), case.name
        assert found.out_cycles[0] == list(case.out_cycles), case.name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("valid", "ready", "reset_cycle"), [(50, 50, -1), (25, 90, -1), (95, 25, -1), (60, 60, 99)]
)
def test_rtl_with_stalls(bench: StreamBench, valid: int, ready: int, reset_cycle: int) -> None:
    traffic = Traffic(valid, ready, 20000, reset_cycle)
    for case, found in zip(bench.cases, bench.run(traffic, seed=7).values(), strict=True):
        assert np.array_equal(found.outputs[0], case.outputs[0]), case.name
        assert not found.seen & BROKEN, (case.name, found.seen)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, point in POINTS.items() if point.n == 16])
def test_lint_finds_nothing(name: str, tmp_path: Path) -> None:
    assert lint(POINTS[name], tmp_path) == ""


@pytest.mark.smoke
@pytest.mark.slow
def test_a_circuit_that_rounds_ties_up_is_found_out(tmp_path: Path) -> None:
    """A total of 2.5 exponentials counts as 2, which is one level less than 3."""
    circuit, n = published("linear", 8, 0.05), 16
    files = sources("softmax")
    right, wrong = "(above_half || quotient[0])", "1'b1"
    assert right in files["softmax_quotient"]
    files["softmax_quotient"] = files["softmax_quotient"].replace(right, wrong)
    codes = 255 - circuit.step * np.array(tied_octaves(n))
    wanted = circuit.reference(codes).tolist()
    parameters = softmax.unit_parameters(circuit, n)
    case = Case("ties", "softmax_unit", parameters, 8, codes.tolist(), [wanted], 4, (), ())
    found = StreamBench([case], tmp_path, files).run(Traffic(100, 100, 200))["ties"].outputs[0]
    assert wanted[:2] == [1, 1]
    assert np.array_equal(found[:2], [2, 2])


def test_names_are_unique() -> None:
    names = [point.name for point in softmax.points()]
    assert len(set(names)) == len(names) == 51


def released_code(x: torch.Tensor, scale: float, polynomial: bool) -> torch.Tensor:
    """HyQ's QIntSoftmax and its quantizer in double precision, which is exact at these sizes."""
    n = 30
    x0 = floor(-0.6931 / scale)
    d = torch.clamp(x - x.max(dim=-1, keepdim=True)[0], min=n * x0)
    k = torch.floor(d / x0)
    r = d - x0 * k
    if polynomial:
        value = (r + floor(0.96963238 / 0.35815147 / scale)) * r + floor(1 / 0.35815147 / scale**2)
    else:
        value = r + floor(0.12121466 / 0.08947606 / scale)
    e = torch.clamp(torch.floor(value * 2 ** (n - k)), min=0)
    t = torch.round(e.sum(dim=-1, keepdim=True) / e)
    level = torch.floor(torch.log2(t))
    level = level + (t - 2**level >= 2 ** (level - 1))
    return torch.clamp(level, max=15)


@pytest.mark.parametrize(("bits", "scale"), [(8, 0.05), (8, 0.1), (8, 0.02), (32, 2.0**-10)])
@pytest.mark.parametrize("function", ["linear", "polynomial"])
def test_published_is_the_released_code(function: Function, bits: int, scale: float) -> None:
    circuit = published(function, bits, scale)
    for n in (16, 256):
        codes = np.concatenate([rows(circuit, n), logit_codes(circuit, n)])
        wanted = released_code(torch.tensor(codes).double(), scale, function == "polynomial")
        assert np.array_equal(circuit.reference(codes), wanted.long().numpy())


def test_published_shiftmax_is_the_code_of_i_vit() -> None:
    scale, n = 0.05, 30
    circuit = published("shiftmax", 8, scale)
    d = -torch.arange(256).double()
    x0 = floor(-1.0 / scale)
    p = torch.clamp(d + torch.floor(d / 2) - torch.floor(d / 16), min=n * x0)
    k = torch.floor(p / x0)
    e = torch.floor((((p - x0 * k) / 2) - x0) * 2 ** (n - k))
    assert np.array_equal(circuit.exponentials(np.arange(256)), 2 * e.long().numpy())


def test_tight_linear_is_the_operation() -> None:
    circuit = tight("linear")
    operation = LinearSoftmax(4, circuit.shift, 4, "log2")
    assert operation.line_offset == circuit.offset
    for n in (16, 256):
        codes = np.concatenate([rows(circuit, n), logit_codes(circuit, n)])
        assert np.array_equal(circuit.reference(codes), operation.reference(codes))
        # More fraction bits, as the quantizer has them, change no integer.
        assert np.array_equal(
            LinearSoftmax(4, 17, 4, "log2").reference(codes), operation.reference(codes)
        )


def test_divided_codes_are_exact() -> None:
    """Against fractions: every quotient of small integers, ties among them."""
    for e in range(1, 41):
        totals = np.arange(e, 121)  # a total has the exponential in it
        rounded = [round(Fraction(t, e)) for t in totals.tolist()]  # half to even
        levels = [sum(2 * t >= 3 << j for j in range(16)) for t in rounded]
        assert np.array_equal(divided_codes(np.array(e), totals), levels)


@pytest.mark.parametrize("regime", ["published", "published_8bit", "tight"])
def test_exponentials_approximate_exp(regime: str) -> None:
    """A line is off by some percent, a polynomial by tenths of one."""
    worst = {f: exponential_errors(_circuit(f, regime))[0] for f in FUNCTIONS}
    assert worst["polynomial"] < 0.004
    assert 0.02 < worst["linear"] < 0.04
    assert 0.02 < worst["shiftmax"] < 0.045
    assert worst["table"] < worst["linear"]


def test_mean_errors_are_those_of_the_output() -> None:
    """Four bits of log2 decide: the functions of a regime differ by a twentieth."""
    for regime in ("published", "published_8bit", "tight"):
        for n in (16, 256):
            means = [softmax_errors(_circuit(f, regime), n)[1] for f in FUNCTIONS]
            assert max(means) < 1.05 * min(means)


def _circuit(function: Function, regime: str) -> SoftmaxCircuit:
    if regime == "tight":
        return tight(function)
    bits, scale = (8, 0.05) if regime == "published_8bit" else (32, 2.0**-10)
    return published(function, bits, scale)
