"""The schedule check: seeded faults that it must find, clean loops, every template."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.graph import Graph, TensorType
from hyq_hls.ops import DepthwiseConv2d
from hyq_hls.stream.flow import build_dataflow
from hyq_hls.stream.folding import Folding
from hyq_hls.stream.hls.project import build_model
from hyq_hls.support import template_dir
from tests.ops.examples import EXAMPLES, example_graph, requantize
from tests.stream.hls.hybrid import hybrid_graph, write_hybrid
from tests.stream.hls.schedule_seeds import CLEAN, SEEDS, program
from verif.clang import ClangError
from verif.intervals.check import LoopReport
from verif.schedule import TemplateReport, by_template, check_project, main

_PROCESS = re.compile(r"^void \w+\(\s*stream<", re.MULTILINE)
_LOOP = re.compile(r"for \(|convolve<")
#: Headers that define a process with loops, its own or those of ``convolve``.
TEMPLATES = sorted(
    path.stem
    for path in template_dir().glob("*.h")
    if _PROCESS.search(path.read_text()) and _LOOP.search(path.read_text())
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


#: A layer of hls4ml whose work on a position is nothing.
_HLS4ML_LAYER = """
#include "hyq/hls4ml_layers.h"
typedef hyq::word<hyq::exact<8>, 1> word_t;
struct config {
    static const unsigned words = 10, channels = 1;
};
struct copy {
    template <unsigned size> static void run(const word_t::value_type *in, word_t::value_type *out,
                                             unsigned) {
        out[0] = in[0];
    }
};
void top(hyq::stream<word_t> &data, hyq::stream<word_t> &res) {
    hyq::each_position<copy, config>(data, res);
}
"""


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TemplateReport]:
    """Every template: networks with all operations, with one lane and with random lanes."""
    folder = tmp_path_factory.mktemp("templates")
    known = {node.operation.name for node in hybrid_graph().nodes.values()}
    others = sorted(set(EXAMPLES) - known)
    for name in others:
        flow = build_dataflow(example_graph(name, np.random.default_rng(0)), {})
        build_model(flow, folder / name, name, "xc7z020clg400-1", 150).write()
    projects = [
        write_hybrid(folder / "narrow"),
        write_hybrid(folder / "wide", seed=1),
        *(folder / name for name in others),
        write_project(folder / "layer", _HLS4ML_LAYER),
    ]
    reports = by_template(report for p in projects for report in check_project(p))
    return {report.template: report for report in reports}


@pytest.mark.slow
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_loop_of_a_template_reaches_its_interval(
    templates: dict[str, TemplateReport], template: str
) -> None:
    assert templates[template].reasons == []
    assert templates[template].worst_ii == 1


@pytest.mark.slow
def test_a_border_of_each_channel(tmp_path: Path) -> None:
    """The buffer takes a word of the map or of the border: clang makes one store of both."""
    rng = np.random.default_rng(2)
    out = requantize(rng, 6)
    graph = Graph("x", TensorType((5, 7, 6), out.quantization))
    weight, bias = rng.integers(-128, 128, (6, 3, 3)), rng.integers(-9999, 9999, 6)
    zero_points = out.quantization.zero_point
    operation = DepthwiseConv2d(weight, 8, bias, (1, 2), (1, 1), zero_points, out)
    graph.add("depthwise", operation, "x")
    flow = build_dataflow(graph, {"depthwise": Folding(2, 2)})
    build_model(flow, tmp_path, "net", "xc7z020clg400-1", 150).write()
    (report,) = by_template(check_project(tmp_path))
    assert (report.loops, report.worst_ii, report.reasons) == (1, 1, [])


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
