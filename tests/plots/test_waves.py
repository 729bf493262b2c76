"""Timing diagrams: WaveJSON and lines say what was recorded, cycle by cycle."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyq_hls import plots
from hyq_hls.errors import InputError, MissingPackageError
from hyq_hls.plots import palette
from hyq_hls.plots.waves import Recording
from tests.plots.artists import heights, labels, texts

RECORDED: Recording = [
    {"data": None, "in_valid": 0},
    {"data": 72, "in_valid": 1},
    {"data": 72, "in_valid": 1},
    {"data": "7 -3", "in_valid": 1},
    {"data": None, "in_valid": 0},
]


@pytest.fixture
def axes() -> Axes:
    return Figure().subplots()


def test_wave_json_is_the_recording() -> None:
    found = plots.timing_diagram(RECORDED, first=16, title="a layer").wave_json
    clock, data, valid = found["signal"]
    assert clock == {"name": "clock", "wave": "p...."}
    assert data == {"name": "data", "wave": "x=.=x", "data": ["72", "7 -3"]}
    assert valid == {"name": "in_valid", "wave": "01..0"}
    assert found["head"] == {"tick": 16, "every": 2, "text": "a layer"}
    assert found["config"] == {"hscale": 1}
    wide = plots.timing_diagram([{"data": "105 121"}]).wave_json
    assert wide["config"] == {"hscale": 2}


def test_wave_json_is_read_back(tmp_path: Path) -> None:
    diagram = plots.timing_diagram(RECORDED, ["in_valid"])
    saved = diagram.save(tmp_path / "wave.json")
    assert json.loads(saved.read_text()) == diagram.wave_json
    with pytest.raises(InputError, match=r"\.json or \.svg is wanted"):
        diagram.save(tmp_path / "wave.png")


def test_wavedrom_draws_it(tmp_path: Path) -> None:
    pytest.importorskip("yowasp_wavedrom", reason="yowasp-wavedrom is not installed")
    diagram = plots.timing_diagram(RECORDED)
    text = diagram.save(tmp_path / "wave.svg").read_text()
    assert text.startswith("<svg")
    assert "7 -3" in text
    assert diagram._repr_svg_() == text.rstrip("\n")


def test_a_missing_renderer_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yowasp_wavedrom", None)
    with pytest.raises(MissingPackageError, match=r"pip install .*or open the file of save"):
        plots.timing_diagram(RECORDED).svg()


def test_a_waveform_is_the_recording(axes: Axes) -> None:
    plots.waveform(RECORDED, first=16, colours={"in_valid": palette.CPP}, axes=axes)
    assert labels(axes) == ["data", "in_valid"]
    assert texts(axes) == ["72", "7 -3"]
    step = next(one for one in axes.get_lines() if one.get_color() == palette.CPP)
    base = -1.5
    assert np.allclose(heights(step), base + 0.9 * np.array([0, 1, 1, 1, 0, 0]))
    assert list(np.asarray(step.get_xdata())) == [16, 17, 18, 19, 20, 21]
    boxes = [patch.get_path().vertices for patch in axes.patches]
    ends = [(float(np.min(v[:, 0])), float(np.max(v[:, 0]))) for v in map(np.asarray, boxes)]
    assert ends == [(17, 19), (19, 20)]


def test_what_cannot_be_drawn_is_named(axes: Axes) -> None:
    with pytest.raises(InputError, match="empty recording"):
        plots.waveform([], axes=axes)
    with pytest.raises(InputError, match="sample 0 lacks the signal 'out'; it has data, in_valid"):
        plots.timing_diagram(RECORDED, ["out"])
    with pytest.raises(InputError, match="in_valid is 2 in sample 0"):
        plots.waveform([{"in_valid": 2}], axes=axes)
