"""Plots of designs and runs: bars, lines and colours are the numbers of the reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from hyq_hls import plots
from hyq_hls.errors import InputError
from hyq_hls.machine import (
    CosimReport,
    DesignUtilization,
    HlsPlan,
    PlannedFunction,
    ResourceReport,
    StreamReport,
)
from hyq_hls.parts import Part, part
from hyq_hls.plots import palette
from hyq_hls.tools.verilator import RunResult, StreamStatistics
from hyq_hls.tools.yosys import Utilization
from tests.plots.artists import columns, heights, labels, line, points, row, texts

PART = part("xc7z020")  # 53,200 LUT, 106,400 FF, 220 DSP, 140 block RAMs
DESIGN = DesignUtilization(
    {
        "stages.0.0.a": Utilization(lut=532, ff=1064, dsp=22, bram18=28),
        "stages.0.1.b": Utilization(lut=532),
        "head.fc": Utilization(lut=5320, dsp=11),
    },
    {"FIFOs": Utilization(ff=1064, bram18=28)},
)


@pytest.fixture
def axes() -> Axes:
    return Figure().subplots()


def resources(plan: HlsPlan | None = None) -> ResourceReport:
    return ResourceReport(
        PART, 100.0, "estimate", DESIGN, {}, {}, 1000, 33, 0.5, "head.fc", 1.0, 1.0, plan
    )


def test_bars_are_shares_of_the_part(axes: Axes) -> None:
    assert resources().plot(axes) is axes
    assert np.allclose(row(axes, 0), [2, 10, 0])  # LUT of stages.0, head, FIFOs
    assert np.allclose(row(axes, 1), [1, 0, 1])
    assert np.allclose(row(axes, 2), [10, 5, 0])
    assert np.allclose(row(axes, 3), [10, 0, 10])
    assert texts(axes) == ["12 %", "2 %", "15 %", "20 %"]
    assert "xc7z020 [%]" in axes.get_xlabel()


def test_every_node_and_the_plan_of_the_cpp(axes: Axes) -> None:
    planned = PlannedFunction(1000, 1000, Utilization(lut=26600))
    plots.utilization(resources(HlsPlan({"head.fc": planned}, {}, 1000)), blocks=False, axes=axes)
    assert np.allclose(row(axes, -0.2), [1, 1, 10, 0])
    assert np.allclose(row(axes, 0.22), [50])


@dataclass
class Solution:
    used: Utilization


@dataclass
class Point:
    fps: float
    solution: Solution
    part: Part = PART


def test_the_front_is_a_line_per_resource(axes: Axes) -> None:
    front = [
        Point(100, Solution(Utilization(lut=5320, ff=1064, dsp=22, bram18=28))),
        Point(1000, Solution(Utilization(lut=53200, ff=10640, dsp=220, bram18=56))),
    ]
    plots.design_front(front, {"chosen": front[0]}, axes=axes)
    assert np.allclose(points(line(axes, "LUT")), [[100, 10], [1000, 100]])
    assert np.allclose(heights(line(axes, "BRAM")), [10, 20])
    assert np.allclose(points(line(axes, "chosen")), [[100, 10]])


def test_estimates_stand_over_synthesis(axes: Axes) -> None:
    plots.estimate_and_synthesis([0, 10, 11], [0, 10, 9], axes=axes)
    assert np.array_equal(points(line(axes, "a circuit")), [[1, 1], [11, 11], [10, 12]])
    assert axes.get_title(loc="left") == "LUT of 3 circuits, sum +10.5%"


def test_groups_of_bars(axes: Axes) -> None:
    plots.grouped_bars(
        {"16": {"a": 1.0, "b": 2.0}, "64": {"b": 3.0}}, ylabel="LUT", number="%.1f", axes=axes
    )
    assert columns(axes) == {-0.2: 1.0, 0.2: 2.0, 1.2: 3.0}
    assert texts(axes) == ["1.0", "2.0", "3.0"]


def run(activity: bool) -> CosimReport:
    """Two frames through two FIFOs; the second one works on a frame after the other."""
    first, second = (
        StreamStatistics(name, 8, 8, 3, 0, 0, begin, begin + 9, begin, begin + 9)
        for name, begin in (("one", np.array([0, 100])), ("two", np.array([20, 120])))
    )
    counts = {"one": np.array([4, 0, 2, 0]), "two": np.array([0, 8, 0, 8])}
    result = RunResult(
        np.zeros((2, 1), np.int64),
        200,
        np.array([0, 100]),
        np.array([50, 150]),
        np.array([60, 160]),
        np.array([90, 190]),
        0,
        (first, second),
        counts if activity else {},
        50 if activity else 0,
    )
    streams = [StreamReport("one", 16, 8, 17, 0, 0), StreamReport("two", 2, 8, 2, 5, 0)]
    return CosimReport(2, 2, 2, 90, 100, 100, "one", 200, 100, 0, 0, streams, result=result)


def test_fifos_by_their_depth(axes: Axes) -> None:
    assert run(activity=False).plot(axes) is axes
    assert row(axes, 0) == [16, 17]
    assert row(axes, 1) == [2, 2]
    assert labels(axes) == ["one", "two"]


def test_fifos_before_and_after(axes: Axes) -> None:
    plots.fifo_depths({"a": 2, "b": 512, "c": 9}, {"a": 2, "b": 80, "c": 3}, fifos=2, axes=axes)
    assert labels(axes) == ["b", "c"]
    assert row(axes, 0) == [512, 80]
    assert row(axes, 1) == [9, 3]


def test_activity_is_dark_where_words_pass(axes: Axes) -> None:
    assert run(activity=True).plot(axes) is axes
    (image,) = axes.images
    white, blue, orange = (np.array(to_rgb(c)) for c in ("white", palette.BLUE, palette.ORANGE))
    half = 1 - (1 - orange) / 2  # frame 1, half as busy
    wanted = [[blue, white, half, white], [white, blue, white, orange]]
    assert np.allclose(image.get_array(), wanted)  # type: ignore[arg-type]
    assert tuple(image.get_extent()) == (0, 0.2, 1.5, -0.5)  # thousand cycles
    assert texts(axes) == ["frame 0", "frame 1"]
    assert axes.get_xlim() == (0, 0.19)


def test_what_was_not_counted_cannot_be_drawn(axes: Axes) -> None:
    with pytest.raises(InputError, match="activity_cycles=1000"):
        plots.activity(run(activity=False), axes=axes)
    report = run(activity=False)
    report.streams = []
    with pytest.raises(InputError, match="no FIFOs"):
        report.plot(axes)


@dataclass
class Circuit:
    name: str
    macs: int
    cycles: int
    rom_bits: int


CIRCUITS = [
    Circuit("stem.conv", 2000, 500, 8192),
    Circuit("stem.act", 0, 600, 0),
    Circuit("head.fc", 4000, 900, 16384),
]


def test_work_and_cycles_of_nodes(axes: Axes) -> None:
    figure = Figure()
    plots.work_by_node(CIRCUITS, figure=figure)
    found = [list(columns(one).values()) for one in figure.axes]
    assert found == [[2, 0, 4], [0.5, 0.6, 0.9], [1, 0, 2]]
    plots.cycles_by_node(CIRCUITS, axes=axes)
    assert columns(axes) == {0: 500, 1: 600, 2: 900}
    _, names = axes.get_legend_handles_labels()
    assert names[-1] == "slowest: head.fc, 900 cycles"


@dataclass
class Program:
    by_node: dict[str, int]
    by_kind: dict[str, int]


def test_cycles_of_the_engine() -> None:
    figure = Figure()
    nodes = {"stages.1.1.conv": 1000, "stages.1.1.act": 500, "head.fc": 250}
    plots.engine_cycles(Program(nodes, {"MATMUL": 1500, "LOAD": 250}), figure=figure)
    left, right = figure.axes
    assert list(columns(left).values()) == [1.5, 0.25]
    assert labels(left, "x") == ["stages.1.1", "head"]
    assert [row(right, k) for k in range(2)] == [[1.5], [0.25]]
