"""hyq-hls estimate: tables, files, exit codes, with and without synthesis."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from hyq_hls import Accelerator
from tests.cli.conftest import run


def total(text: str, method: str) -> list[str]:
    """LUT, FF, DSP, BRAM36 of the line of sums before the verdict of ``method``."""
    table = text[: text.index(f"{method}: ")]
    return [line for line in table.splitlines() if line.startswith("total")][-1].split()[2:6]


def test_a_network_without_a_project(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    assert run("estimate", network, "--target-fps", 5000, "--report", report) == 0
    text = capsys.readouterr().out
    assert "estimate: fits xc7z020; binding: " in text
    data = json.loads(report.read_text())
    found = data["total"]
    shown = [int(cell.replace(",", "")) for cell in total(text, "estimate")[:3]]
    assert shown == [found["lut"], found["ff"], found["dsp"]]
    assert data["fits"] is True
    assert data["fps"] >= 5000
    assert list(data["cycles"]) == list(data["design"]["operations"])


@pytest.mark.slow
def test_synthesis_beside_the_estimate(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    assert run("estimate", network, "--synth", "--work", work, "--target-fps", 2000) == 0
    text = capsys.readouterr().out
    assert "synthesis: fits xc7z020" in text
    assert re.search(r"estimate LUT +synthesis LUT +estimate FF", text)
    estimated, found = total(text, "estimate"), total(text, "synthesis")
    assert estimated[2:] == found[2:]  # DSP slices and block RAMs are exact
    accelerator = Accelerator.open(work / "net")
    kept = sorted((work / "synthesis").glob("*.json"))
    again = accelerator.synthesize(work / "synthesis")
    assert f"{again.total.lut:,}" == found[0]
    assert sorted((work / "synthesis").glob("*.json")) == kept
    assert run("estimate", work / "net") == 0
    capsys.readouterr()
    assert run("estimate", work / "net", "--part", "xczu9eg", "--share", 0.5) == 2
    assert "--part, --share: " in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--part", "xc7z02"), "unknown part 'xc7z02'; did you mean xc7z020"),
        (("--target-fps", 0), "a positive frame rate is wanted"),
        (("--target-fps", 1e9), "at its fastest folding; lower the frame rate to"),
        (("--share", 2), "above 0 and at most 1"),
        (("--share", 0.0001), "does not fit 0% of xc7z020: it needs"),
        (("--clock-mhz", -5), "between 1 and 1000 is wanted"),
    ],
)
def test_what_cannot_be(
    options: tuple[object, ...], message: str, network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("estimate", network, *options) == 2
    assert message in capsys.readouterr().err


def test_a_design_that_is_too_large_is_told_apart(
    network: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hyq_hls import parts  # noqa: PLC0415

    known, boards = parts._tables()
    tiny = replace(known["xc7z010"], luts=300)
    monkeypatch.setattr(parts, "_tables", lambda: ({**known, "xc7z010": tiny}, boards))
    assert run("estimate", network, "--part", "xc7z010", "--any-size") == 1
    assert "does NOT fit xc7z010; binding: LUT" in capsys.readouterr().out
