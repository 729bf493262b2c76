"""The schedule check: seeded faults that it must find, clean loops, every template."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hyq_hls.support import template_dir
from tests.stream.hls.hybrid import write_hybrid
from tests.stream.hls.schedule_seeds import CLEAN, SEEDS, program
from verif.clang import ClangError
from verif.intervals.check import LoopReport
from verif.schedule import TemplateReport, by_template, check_project, main

#: Templates whose loops miss their interval at 150 MHz, with what is wrong. A template that is
#: repaired makes its test fail until its line is deleted here.
MISSES = {
    "conv2d": "32-bit counters of sliding_window.h",
    "depthwise_conv2d": "32-bit counters of sliding_window.h",
    "attention_scores": "32-bit counters of matrix_buffer.h",
    "attention_values": "32-bit counters of matrix_buffer.h",
    "layer_norm": "the root takes two adders and a selection",
}
TEMPLATES = sorted(
    path.stem
    for path in template_dir().glob("*.h")
    if "HYQ_PIPELINE(" in path.read_text() and path.stem != "target"
)


def write_project(folder: Path, body: str) -> Path:
    """A project whose only C++ file is ``body`` behind the templates."""
    firmware = folder / "firmware"
    firmware.mkdir(parents=True)
    shutil.copytree(template_dir(), firmware / "hyq")
    (firmware / "top.cpp").write_text(body)
    return folder


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[LoopReport]]:
    """Reports of all seeds and clean loops, by function; they are compiled at once."""
    folder = write_project(tmp_path_factory.mktemp("seeds"), program())
    reports: dict[str, list[LoopReport]] = {}
    for report in check_project(folder):
        reports.setdefault(report.function, []).append(report)
    return reports


@pytest.mark.slow
@pytest.mark.smoke
@pytest.mark.parametrize("name", SEEDS)
def test_seeded_fault_is_found(seeded: dict[str, list[LoopReport]], name: str) -> None:
    reasons = [reason for report in seeded[name] for reason in report.reasons]
    assert any(SEEDS[name].wanted in reason for reason in reasons), seeded[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", CLEAN)
def test_clean_loop_passes(seeded: dict[str, list[LoopReport]], name: str) -> None:
    (report,) = seeded[name]
    assert report.interval == 1
    assert report.reasons == []


@pytest.mark.slow
def test_a_report_names_line_and_path(seeded: dict[str, list[LoopReport]]) -> None:
    (report,) = seeded["wide_counter"]
    text = program().splitlines()
    file, line = report.place.split(":")
    assert file == "top.cpp"
    assert "HYQ_PIPELINE(1)" in text[int(line) - 1]
    assert report.interval == 2
    assert report.nanoseconds == pytest.approx(5.72)
    assert [step.split()[0] for step in report.path.split(" -> ")] == ["add", "compare", "select"]
    assert [(t.stream, t.bits, t.reads, t.writes) for t in report.transfers] == [
        ("data", 16, 1, 0),
        ("res", 16, 0, 1),
    ]


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TemplateReport]:
    """A network with every operation, one lane each."""
    folder = write_hybrid(tmp_path_factory.mktemp("hybrid") / "project")
    return {report.template: report for report in by_template(check_project(folder))}


@pytest.mark.slow
@pytest.mark.parametrize(
    "template",
    [
        pytest.param(t, marks=[pytest.mark.xfail(reason=MISSES[t])] if t in MISSES else [])
        for t in TEMPLATES
    ],
)
def test_every_loop_of_a_template_reaches_its_interval(
    hybrid: dict[str, TemplateReport], template: str
) -> None:
    assert hybrid[template].reasons == []
    assert hybrid[template].worst_ii == 1


def test_every_miss_is_a_template() -> None:
    assert set(MISSES) <= set(TEMPLATES)


@pytest.mark.slow
def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = write_project(tmp_path / "slow", program(["wide_counter"]))
    record = tmp_path / "record.json"
    assert main([str(slow), "--json", str(record)]) == 1
    assert "1 loops at 150 MHz: 1 miss their interval" in capsys.readouterr().out
    (template,) = json.loads(record.read_text())
    assert (template["template"], template["loops"], template["worst_ii"]) == ("top", 1, 2)
    assert main([str(slow), "--mhz", "100"]) == 0
    assert "wide_counter: II 1, 5.72 ns: add top.cpp:" in capsys.readouterr().out


def test_no_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "found none; convert a model" in capsys.readouterr().err


@pytest.mark.slow
def test_a_directive_to_unroll_must_come_first(tmp_path: Path) -> None:
    project = write_project(tmp_path / "late", program(["wide_counter"]))
    header = project / "firmware" / "hyq" / "fork.h"
    header.write_text(
        header.read_text().replace("HYQ_PIPELINE(1)", "HYQ_PIPELINE(1)\nHYQ_UNROLL", 1)
    )
    with pytest.raises(ClangError, match=r"fork.h:\d+: HYQ_UNROLL must come first in the body"):
        check_project(project)
