"""hyq-hls report: a page of a network file, with the options of a design and of images."""

from __future__ import annotations

from pathlib import Path

import pytest
from markupsafe import Markup

from tests.cli.conftest import run


@pytest.fixture(autouse=True)
def empty_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the charts empty: their tests are in another room."""
    monkeypatch.setattr("hyq_hls.report.figures._svg", lambda *_: Markup("<svg></svg>"))


@pytest.mark.slow
def test_a_network_without_a_project(
    network: Path, workplace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    images = workplace / "images.npz"
    options = ("--images", images, "--count", 8, "--trace", 1, "--target-fps", 2000)
    assert run("report", network, "--output", page, *options) == 0
    assert capsys.readouterr().out == f"wrote {page}\n"
    text = page.read_text()
    assert f"hyq-hls report {network} --images {images} --count 8 --trace 1" in text
    assert "--target-fps 2000.0" in text
    assert "8 images. The class is the place" in text
    assert '<td class="left">float</td><td>8</td>' in text  # the model was found again
    assert "there is no project on disk" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--count", 0), "--count 0: at least one image is wanted"),
        (("--rtl",), "compare numbers on images: give --images too"),
        (("--output", "missing/page.html"), "cannot write --output"),
        (("--images", "missing.npz"), "no such file: missing.npz"),
        (("--part", "xc7z02"), "unknown part 'xc7z02'"),
    ],
)
def test_what_cannot_be(
    options: tuple[object, ...], message: str, network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", network, *options) == 2
    assert message in capsys.readouterr().err
