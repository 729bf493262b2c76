"""Plots of images, ranges, functions, accuracy and integers: what is drawn are the numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hyq_hls import QuantizedModel, plots
from hyq_hls.graph import Quantization
from hyq_hls.plots import palette
from hyq_hls.support import sqnr_db
from tests.ops.examples import example_graph
from tests.plots.artists import (
    columns,
    group,
    heights,
    labels,
    line,
    lines_of,
    picture,
    points,
    rectangles,
    row,
    texts,
)

RNG = np.random.default_rng(0)
FINE = Quantization(4, signed=False, scale=(0.5,), zero_point=(2,))
WIDE = Quantization(4, signed=False, scale=(1.0,), zero_point=(2,))


@dataclass
class Range:
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    rows: NDArray[np.float64]


@pytest.fixture
def figure() -> Figure:
    return Figure()


@pytest.fixture
def axes(figure: Figure) -> Axes:
    return figure.subplots()


def test_rows_of_images(figure: Figure) -> None:
    pixels = RNG.integers(0, 256, (3, 4, 4, 3), np.uint8)
    plots.images(pixels, ["a", "b", "c"], columns=2, figure=figure)
    shown = [picture(axes) for axes in figure.axes if axes.images]
    assert len(figure.axes) == 4
    assert np.array_equal(np.stack(shown), pixels)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c", ""]


def test_named_rows_of_grey_images(figure: Figure) -> None:
    pixels = RNG.integers(0, 256, (2, 4, 4, 1), np.uint8)
    plots.images({"clean": pixels, "noisy": pixels[:1]}, figure=figure)
    assert [axes.get_ylabel() for axes in figure.axes] == ["clean", "", "noisy", ""]
    assert np.array_equal(picture(figure.axes[1]), pixels[1, :, :, 0])
    assert figure.axes[1].images[0].get_clim() == (0, 255)


def test_feature_maps_have_one_grey_for_all_levels(figure: Figure) -> None:
    one, other = [{"conv": RNG.integers(0, 99, (1, 4, 4, 5))} for _ in range(2)]
    plots.feature_maps({"C++": one, "emulation": other}, ["conv"], channels=(4,), figure=figure)
    for axes, found in zip(figure.axes, [one, other], strict=True):
        assert np.array_equal(picture(axes), found["conv"][0, :, :, 4])
    assert len({axes.images[0].get_clim() for axes in figure.axes}) == 1


def test_ranges_of_channels_and_their_codes(figure: Figure) -> None:
    low, high = np.array([-4.0, -0.5]), np.array([3.0, 0.5])
    ranges = {"conv": Range(low, high, np.stack([low, high]))}
    choices = {"one": {"conv": FINE}, "coarse": {"conv": WIDE}}
    plots.channel_ranges(ranges, choices, figure=figure)
    top, bottom = figure.axes
    whole = lines_of(top, 0)
    assert np.array_equal(whole[:, :, 1], [[-0.5, 0.5], [-4.0, 3.0]])  # sorted by range
    bars = [bar.get_height() for k in (0, 1) for bar in group(bottom, k)]
    assert bars == [2, 14, 1, 7]
    assert "2 channels" in top.get_title(loc="left")


def test_what_codes_cover(figure: Figure) -> None:
    values = RNG.normal(size=(50, 2))
    plots.code_coverage(values, {"mse": FINE, "minmax": WIDE}, chosen="mse", figure=figure)
    cover, noise, counts = figure.axes
    assert [points(one).tolist() for one in cover.get_lines()] == [
        [[-1, 0], [6.5, 0]],
        [[-2, 1], [13, 1]],
    ]
    wanted = [sqnr_db(values, q.dequantize(q.quantize(values))) for q in (FINE, WIDE)]
    assert [heights(one).item() for one in noise.get_lines()] == [0, 1]
    assert [points(one)[0, 0] for one in noise.get_lines()] == wanted
    assert sum(bar.get_height() for bar in rectangles(counts)) == 100
    assert cover.get_lines()[0].get_color() == palette.INTEGER
    assert "step 1/2" in texts(cover)


def test_usage_of_codes(figure: Figure) -> None:
    values = np.array([[0.0, 0.0], [3.5, 0.5]])  # codes 2 and 9, 2 and 3
    plots.code_usage(values, {"min-max": FINE}, outliers=[True, False], figure=figure)
    top, bottom = figure.axes
    assert [bar.get_height() for bar in rectangles(bottom)] == [3.0, 1.0]
    assert sum(bar.get_height() for bar in group(top, 0)) == 2
    assert top.get_title(loc="left") == "min-max"
    assert plots.bits_in_use(np.array([[0, 5], [255, 5]])).tolist() == [8, 0]


def test_an_approximation_and_its_error(figure: Figure) -> None:
    x, exact = np.arange(3.0), np.array([0.0, 1.0, 4.0])
    plots.approximation(x, exact, {"line": 2 * x}, step=0.5, figure=figure)
    left, right = figure.axes
    assert np.array_equal(heights(line(left, "exact")), exact)
    assert np.array_equal(heights(line(left, "line")), [0, 2, 4])
    assert np.array_equal(points(line(right, "line")), [[0, 0], [1, 2], [2, 0]])
    assert right.get_ylabel() == "error [output steps]"


def test_probabilities_and_one_row(figure: Figure) -> None:
    exact = np.array([[0.6, 0.3, 0.1], [0.9, 0.05, 0.05]])
    found = np.array([[0.5, 0.25, 0.125], [1.0, 0.0625, 0.0]])
    plots.probabilities(exact, found, (1,), figure=figure)
    left, right = figure.axes
    assert len(heights(line(left, "a probability"))) == 5  # zero has no place
    shown = columns(right)
    assert [shown[k - 0.2] for k in range(3)] == exact[1].tolist()
    assert [shown[k + 0.2] for k in range(3)] == found[1].tolist()


def test_accuracy_of_recipes(axes: Axes) -> None:
    plots.accuracy({"lean": {"a": 90.0, "b": 50.0}, "fast": {"a": 95.0}}, floating=96, axes=axes)
    assert columns(axes) == {-0.2: 90, 0.2: 50, 0.8: 95}
    assert heights(line(axes, "float")).tolist() == [96, 96]
    assert labels(axes, "x") == ["lean", "fast"]
    assert texts(axes) == ["90.0", "95.0", "50.0"]


def test_noise_and_accuracy(figure: Figure) -> None:
    found = {"W8A8": {"mse": (30.0, 91.0)}, "W4A8": {"mse": (12.0, 70.0), "minmax": (8.0, 60.0)}}
    plots.accuracy_and_noise(found, floating=92.0, figure=figure)
    left, right = figure.axes
    assert points(line(left, "mse"))[:, 0].tolist() == [30, 12]
    assert points(line(right, "minmax"))[:, 0].tolist() == [60]
    assert labels(left) == ["W8A8", "W4A8"]


def test_confusion_counts_pairs(axes: Axes) -> None:
    plots.confusion([0, 0, 1, 2], [0, 1, 1, 1], 3, axes=axes)
    found = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axes.texts}
    assert found == {(0, 0): "1", (0, 1): "1", (1, 1): "1", (2, 1): "1"}
    assert axes.get_xlabel() == "integer says"


def test_margins_of_answers(axes: Axes) -> None:
    plots.margins([[1.0, 4.0, 0.0], [2.0, 1.5, 0.0]], [False, True], axes=axes)
    assert sum(bar.get_height() for bar in group(axes, 0)) == 2
    (here,) = [bar for bar in group(axes, 1) if bar.get_height()]
    assert here.get_x() <= 0.5 <= here.get_x() + here.get_width()


def test_a_layer_in_integers(figure: Figure) -> None:
    weight, sums = RNG.integers(-8, 8, (3, 2)), RNG.integers(-2000, 2000, (5, 3))
    codes = RNG.integers(0, 16, (5, 3))
    plots.requantization(weight, sums, codes, FINE, figure=figure)
    left, middle, right, *_ = figure.axes
    assert np.array_equal(picture(left), weight.T)
    assert sum(bar.get_height() for bar in rectangles(middle)) == 15
    counts = [bar.get_height() for bar in rectangles(right)]
    assert counts == np.bincount(codes.ravel(), minlength=16).tolist()
    assert points(line(right, "zero point"))[0, 0] == 2


def test_widths_that_are_proven_and_seen(axes: Axes) -> None:
    graph = example_graph("dense", RNG)
    (node,) = (n for n in graph.nodes.values() if n.operation.name == "dense")
    plots.accumulator_widths(QuantizedModel(graph), {node.name: (-128, 127)}, axes=axes)
    assert heights(line(axes, "proven")).tolist() == [node.accumulator.bits]
    assert heights(line(axes, "seen")).tolist() == [8]
    alone = Figure().subplots()
    plots.accumulator_widths(QuantizedModel(graph), axes=alone)
    assert heights(line(alone, "proven")).tolist() == [node.accumulator.bits]


def test_speeds(axes: Axes) -> None:
    plots.throughput({"emulator": 200.0, "reference": 10.0}, axes=axes)
    assert [row(axes, k) for k in range(2)] == [[200], [10]]
    assert labels(axes) == ["emulator", "reference"]
