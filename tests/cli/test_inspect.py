"""hyq-hls inspect: names, exit codes, files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import run


@pytest.mark.slow
def test_a_whole_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run("inspect", "--html", page) == 0
    text = capsys.readouterr().out
    assert "linear_softmax.h" in text or "table_softmax.h" in text
    assert "nodes reach C++ and SystemVerilog" in text
    assert page.read_text().count("<tr>") > 100


@pytest.mark.slow
def test_a_network_of_timm_that_lacks_something(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", "--model", "efficientvit_b0", "--image-size", "64") == 1
    text = capsys.readouterr().out
    assert "to do:" in text
    assert "nodes stop on the way" in text


def test_unknown_names_and_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", "--model", "mobilevit_xx", "--image-size", "32") == 2
    assert "did you mean mobilevit_xxs" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("inspect", "--image-size", "wide")
    assert "a size such as 224 or 192x256 is wanted" in capsys.readouterr().err
