"""The palette is told apart, functions have one look, and a missing matplotlib has a remedy."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hyq_hls import plots
from hyq_hls.errors import MissingPackageError
from hyq_hls.plots import look, palette

#: Machado, Oliveira and Fernandes (2009): linear RGB as seen without one kind of cone.
BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
LINEAR_TO_XYZ = [
    [0.4124, 0.3576, 0.1805],
    [0.2126, 0.7152, 0.0722],
    [0.0193, 0.1192, 0.9505],
]


def lab(colour: str, eye: str | None) -> NDArray[np.float64]:
    """A colour in CIE L*a*b*, as an eye sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if eye is not None:
        linear = np.clip(BLINDNESS[eye] @ linear, 0, 1)
    xyz = LINEAR_TO_XYZ @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", [None, *BLINDNESS])
def test_colours_of_a_plot_are_told_apart_by_every_eye(eye: str | None) -> None:
    levels = [palette.FLOAT, palette.QUANTIZED, palette.INTEGER, palette.CPP]
    resources = [colour for _, colour in palette.RESOURCES.values()]
    for colours in (levels, resources):
        for one, other in combinations(colours, 2):
            assert np.linalg.norm(lab(one, eye) - lab(other, eye)) > 15, (one, other)


def test_roles_take_their_colours_from_the_palette() -> None:
    roles = [palette.QUANTIZED, palette.INTEGER, palette.CPP, palette.RTL, palette.ALARM]
    assert set(roles) < set(palette.OKABE_ITO)
    assert len(set(roles)) == len(roles)


def test_the_look_ends_with_its_block() -> None:
    before = dict(mpl.rcParams)
    with plots.style():
        assert not mpl.rcParams["axes.spines.top"]
        axes = Figure().subplots()
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == list(palette.OKABE_ITO)
    assert dict(mpl.rcParams) == before
    assert not axes.spines["top"].get_visible()


def test_other_settings_stay_as_they_become_inside() -> None:
    """The first figure in a notebook switches to drawing at once; the next ones need it too."""
    before = mpl.rcParams["interactive"]
    try:
        with plots.style():
            mpl.rcParams["interactive"] = not before
        assert mpl.rcParams["interactive"] is not before
    finally:
        mpl.rcParams["interactive"] = before


def test_given_axes_and_figures_are_kept() -> None:
    figure = Figure()
    axes = figure.subplots()
    assert look.new_axes(axes) is axes
    assert look.new_figure(figure) is figure


def test_a_missing_matplotlib_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r'pip install "hyq_hls\[plots\]"'):
        plots.grouped_bars({"a": {"b": 1.0}}, ylabel="LUT")


def test_reports_load_without_matplotlib() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None; "
        "import hyq_hls.machine, hyq_hls.plots.streams, hyq_hls.plots.resources; "
        "assert hyq_hls.plots.palette.BLUE == '#0072B2'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_face_names_what_there_is() -> None:
    assert sorted([*plots._HOMES, "palette"]) == plots.__all__
    for name in plots.__all__:
        assert getattr(plots, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'heat_map'"):
        plots.heat_map  # noqa: B018
