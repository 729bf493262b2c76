"""Plots of noise: lines, bars and bands are the numbers of the reports."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyq_hls import plots
from hyq_hls.errors import InputError
from hyq_hls.plots import palette
from hyq_hls.plots.noise import block_of
from hyq_hls.quant.judge import Sensitivity, SensitivityReport
from hyq_hls.verify import NodeLevels, VerifyReport
from tests.plots.artists import heights, labels, line, points, row, texts

NODES = [
    NodeLevels("stem.conv", 36.0, 35.5, "emulation"),
    NodeLevels("stages.0.0.act", 33.0, 31.0, "emulation"),
    NodeLevels("stages.0.0.attn.pair", None, 20.0, "emulation"),
    NodeLevels("stages.1.1.attn.softmax", 12.5, 12.25, "emulation"),
    NodeLevels("head.fc", 25.0, 24.5, "emulation"),
]
SENSITIVITIES = SensitivityReport(
    [
        Sensitivity("a", "weights", 10, {4: 1e-2, 8: 1e-5}),
        Sensitivity("b", "weights", 20, {4: 3e-2, 8: 1e-6}),
        Sensitivity("b", "activations", 30, {4: 2e-2, 8: 4e-5}),
    ]
)


@pytest.fixture
def axes() -> Axes:
    return Figure().subplots()


def test_lines_are_the_noise_of_the_nodes(axes: Axes) -> None:
    assert VerifyReport(NODES).plot(axes) is axes
    quantized, integer = line(axes, "quantized float"), line(axes, "integer")
    wanted = [36.0, 33.0, np.nan, 12.5, 25.0]
    assert np.array_equal(heights(quantized), wanted, equal_nan=True)
    assert np.array_equal(heights(integer), [35.5, 31.0, 20.0, 12.25, 24.5])
    assert quantized.get_color() == palette.QUANTIZED
    assert {"softmax", "stem", "stages.0", "stages.1", "head"} <= set(texts(axes))
    assert "dB" in axes.get_ylabel()


def test_a_loaded_network_has_no_noise_to_plot(axes: Axes) -> None:
    with pytest.raises(InputError, match="no float graph; verify the network that quantize"):
        plots.sqnr_by_node(VerifyReport([NodeLevels("a", None, None, "C++")]), axes=axes)


def test_blocks_of_names() -> None:
    names = ("stages.1.0.conv", "head.fc", "image", "layers.12.x")
    assert [block_of(name) for name in names] == ["stages.1", "head", "image", "layers.12"]


def test_the_most_sensitive_one_is_on_top(axes: Axes) -> None:
    assert SENSITIVITIES.plot(axes) is axes
    assert [row(axes, place) for place in range(3)] == [[3e-2], [2e-2], [1e-2]]
    assert labels(axes) == ["b", "b", "a"]
    assert axes.yaxis_inverted()


def test_sensitivity_at_another_width(axes: Axes) -> None:
    plots.sensitivity(SENSITIVITIES, bits=8, nodes=2, axes=axes)
    assert [row(axes, place) for place in range(3)] == [[4e-5], [1e-5], []]
    with pytest.raises(InputError, match=r"bits=5: .* at \[4, 8\] bits"):
        plots.sensitivity(SENSITIVITIES, bits=5, axes=axes)
    with pytest.raises(InputError, match="at no bits"):
        plots.sensitivity([], axes=axes)


def test_the_table_of_sensitivities_is_in_decibels() -> None:
    head, first, *_ = str(SENSITIVITIES).splitlines()
    assert head.split() == ["node", "kind", "count", "4", "bits", "8", "bits"]
    assert first.split() == ["a", "weights", "10", "-20.0", "dB", "-50.0", "dB"]
    assert SENSITIVITIES._repr_html_().startswith("<pre>node")


def test_medians_by_bits(axes: Axes) -> None:
    plots.sensitivity_by_bits(SENSITIVITIES, axes=axes)
    weights, activations = axes.get_lines()
    assert np.allclose(points(weights), [[4, 2e-2], [8, 5.5e-6]])
    assert np.allclose(heights(activations), [2e-2, 4e-5])


def test_the_front_and_its_marks(axes: Axes) -> None:
    measured: dict[str, dict[float, float]] = {
        "mixed": {6.0: 27.2},
        "same everywhere": {5: 14.0, 8: 30.0},
    }
    plots.bits_front([(4.0, 10.0), (8.0, 31.0)], measured, axes=axes)
    predicted, mixed, same = map(points, axes.get_lines())
    assert np.array_equal(predicted, [[4, 10], [8, 31]])
    assert np.array_equal(mixed, [[6, 27.2]])
    assert np.array_equal(same, [[5, 14], [8, 30]])
