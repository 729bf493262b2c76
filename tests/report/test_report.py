"""One HTML page: its figures are those of the reports, and what nobody measured is named."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import Markup

import hyq_hls
from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import FileFormatError, InputError
from hyq_hls.graph import Graph, TensorType
from hyq_hls.machine import CosimReport, StreamReport
from hyq_hls.report import write_report
from hyq_hls.report.content import ParetoPoint, Unmeasured
from hyq_hls.report.pareto import pareto_front
from hyq_hls.tools.yosys import Utilization
from tests.stream.hls.conftest import BYTE, dense, images, small_graph


class Page(HTMLParser):
    """What a browser would find: identifiers, places that it would load, tables, visible text.

    Attributes:
        ids: identifiers of elements.
        links: targets of links inside the page.
        loaded: addresses of everything that is loaded.
        tables: rows of cells of every table.
        text: all text.
    """

    EMPTY = frozenset({"meta", "link", "img", "br", "hr", "input"})
    #: Elements of SVG that the pages close by themselves.
    SHAPES = frozenset({"path", "rect", "use", "image"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, dict(attrs))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, dict(attrs))
        if tag not in self.EMPTY:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def _start(self, tag: str, attributes: dict[str, str | None]) -> None:
        if name := attributes.get("id"):
            self.ids.append(name)
        for key in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
            address = attributes.get(key)
            if address and address.startswith("#"):
                self.links.append(address[1:])
            elif address:
                self.loaded.append(address)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("style", "script"):
            return
        self.text += data
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data.strip()

    def table(self, head: str) -> list[list[str]]:
        """The rows of the table that has a column of that name."""
        return next(table for table in self.tables if head in table[0])

    def row(self, head: str, name: str) -> dict[str, str]:
        """A row by the text of one of its cells, as cells by the heads of their columns."""
        rows = self.table(head)
        return dict(zip(rows[0], next(row for row in rows if name in row), strict=True))


@pytest.fixture
def drawn() -> None:
    """Ask for true charts, which take most of the time of a page."""


@pytest.fixture(autouse=True)
def empty_charts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the charts empty in tests that look at tables and words."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr("hyq_hls.report.figures._svg", lambda *_: Markup("<svg></svg>"))


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    """The small network as a stream; its C++ is not compiled."""
    folder = tmp_path_factory.mktemp("report") / "stream"
    return convert(QuantizedModel(small_graph()), output_dir=folder)


def cosim_of(accelerator: Accelerator, **changes: Any) -> CosimReport:
    """The report of a co-simulation of three frames, invented here."""
    names = list(accelerator.flow.streams)
    fields: dict[str, Any] = {
        "images": 3,
        "rtl_equal_images": 3,
        "csim_equal_images": 3,
        "latency_cycles": 123,
        "cycles_per_frame": 48,
        "predicted_cycles": accelerator.machine.cycles_per_frame,
        "bottleneck": "a",
        "cycles": 400,
        "clock_mhz": 100.0,
        "idle": 0.0,
        "backpressure": 0.0,
        "streams": [
            StreamReport(name, depth, 8, 1 + number, 40, 100)
            for number, (name, depth) in enumerate(accelerator.flow.depths.items())
        ],
        "activity_cycles": 10,
        "activity": {name: [0, 3, 5, 1] for name in [*names, "s_axis", "m_axis"]},
    }
    return CosimReport(**{**fields, **changes})


def test_figures_are_those_of_the_estimate(stream: Accelerator) -> None:
    written = stream.report()
    assert written.path == stream.folder / "report.html"
    assert written.path.read_text() == written.text
    page, report = Page(written.text), stream.estimate()
    assert report.plan is not None
    for name, used in report.design.operations.items():
        row, planned = page.row("sum bits", name), report.plan.operations[name]
        node = stream.qmodel.graph.nodes[name]
        assert row["shape"] == "\N{MULTIPLICATION SIGN}".join(map(str, node.type.shape))
        assert row["operation"] == node.operation.name
        assert row["lanes"] == report.foldings[name]
        assert row["cycles"] == f"{report.cycles[name]:,}"
        assert row["MAC"] == f"{node.operation.macs(*stream.qmodel.graph.input_types(node)):,}"
        assert (row["LUT"], row["FF"]) == (f"{used.lut:,}", f"{used.ff:,}")
        assert (row["DSP"], row["BRAM36"]) == (f"{used.dsp:,}", f"{used.bram36:g}")
        assert row["C++ cycles"] == f"{planned.cycles:,}"
        assert (row["C++ LUT"], row["C++ DSP"]) == (
            f"{planned.used.lut:,}",
            f"{planned.used.dsp:,}",
        )
    total = page.row("sum bits", "total")
    assert total["LUT"] == f"{report.total.lut:,}"
    assert total["C++ FF"] == f"{report.plan.total.ff:,}"
    fill = page.row("part has", "DSP")
    assert fill["part has"] == f"{report.part.dsps:,}"
    assert f"{report.cycles_per_frame:,} cycles per frame" in page.text
    assert f"✓ fits {report.part.name}" in page.text
    assert f"{report.supported_clock_mhz:,.0f} MHz in reach" in page.text


def test_what_nobody_measured_is_named_with_its_remedy(stream: Accelerator) -> None:
    (stream.folder / "cosim.json").unlink(missing_ok=True)
    page = Page(stream.report().text)
    for words in (
        "no images were given; give images= and labels=, or run hyq-hls report with --images",
        f"the project has no cosim.json; run hyq-hls cosim {stream.folder}",
        "takes up to some minutes; give pareto=True, or run hyq-hls report with --pareto",
        "Vitis HLS has not synthesized the C++",
    ):
        assert words in page.text
    assert "top-1" not in page.text
    assert "levels agree" not in page.text


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_it_loads_nothing_and_every_link_has_its_end(stream: Accelerator) -> None:
    text = stream.report(images=images(4), cosim=cosim_of(stream), progress=False).text
    page = Page(text)
    assert [address for address in page.loaded if not address.startswith("data:image/png")] == []
    without_images = re.sub(r'"data:image/png;base64,[^"]*"', '""', text)
    assert not re.search(r"//\w|@import|url\((?!#)", without_images)
    assert set(page.links) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "default-src 'none'" in text


def test_accuracy_and_equality(stream: Accelerator) -> None:
    pixels = images(12)
    truth = stream.qmodel.codes(pixels).argmax(axis=1)
    truth[:3] = (truth[:3] + 1) % 5
    page = Page(stream.report(images=pixels, labels=truth, progress=False).text)
    level = page.row("top-1", "integers")
    assert (level["images"], level["right"], level["top-1"]) == ("12", "9", "75.00 %")
    assert level["like float"] == level["output SQNR"] == "-"
    assert "All levels that were run agree on every code" in page.text
    assert "5 nodes are equal from the integer reference up to: emulation" in page.text
    assert {row["equal up to"] for row in [page.row("sum bits", n) for n in "abc"]} == {"emulation"}
    # Neither the float network nor compiled C++ is there.
    assert "float: not measured: a saved network does not hold the float network" in page.text
    assert "C++: not measured: the C simulation is not compiled" in page.text


def test_a_cosimulation_is_shown_from_its_file(stream: Accelerator, tmp_path: Path) -> None:
    saved = cosim_of(stream).save(stream.folder / "cosim.json")
    try:
        page = Page(stream.report().text)
    finally:
        saved.unlink()
    assert "✓ RTL equals the emulation" in page.text
    assert "48 measured" in page.text
    first = next(iter(stream.flow.streams.values()))
    row = page.row("most words", first.name)
    assert (row["depth"], row["most words"]) == (f"{first.depth:,}", "1")
    assert (row["writer waits"], row["reader waits"]) == ("10 %", "25 %")
    assert "from the first input to the last output of its first frame" in page.text
    assert "earlier design" not in page.text


def test_a_saved_report_of_a_cosimulation_is_read_again(
    stream: Accelerator, tmp_path: Path
) -> None:
    report = cosim_of(stream, details=["1, 2", "[3, 4]"])
    assert CosimReport.load(report.save(tmp_path / "cosim.json")) == report


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clock_mhz": 50.0}, "the clock was 50 MHz"),
        ({"predicted_cycles": 7}, "another number of cycles per frame"),
        ({"streams": [StreamReport("a", 99, 8, 1, 0, 0)]}, "the FIFOs had other depths"),
    ],
)
def test_a_cosimulation_of_an_earlier_design_is_said_to_be_one(
    change: dict[str, Any], words: str, stream: Accelerator
) -> None:
    page = Page(stream.report(cosim=cosim_of(stream, **change)).text)
    assert words in page.text


def test_a_frame_that_differs_is_shown_as_one(stream: Accelerator) -> None:
    page = Page(stream.report(cosim=cosim_of(stream, rtl_equal_images=2)).text)
    assert "✗ RTL differs" in page.text
    assert "equal to the emulation on 2 of 3 frames" in page.text


def test_a_damaged_report_of_a_cosimulation_is_refused(stream: Accelerator) -> None:
    file = stream.folder / "cosim.json"
    file.write_text('{"streams": [{"depth": 3}]}')
    try:
        with pytest.raises(FileFormatError, match=r"cosim.json is no report of a co-simulation"):
            stream.report()
    finally:
        file.unlink()


@pytest.mark.usefixtures("drawn")
def test_names_from_a_model_stay_text(tmp_path: Path) -> None:
    """Names come from files that others made."""
    rng = np.random.default_rng(0)
    graph = Graph("image<i>", TensorType((4, 4, 3), BYTE), {"model": "<script>alert(1)</script>"})
    graph.add("<b>bold</b>", dense(rng, 3, 4), "image<i>")
    graph.add('"><img src=x onerror=y>', dense(rng, 4, 5), "<b>bold</b>")
    graph.add("$x^2$ & co", dense(rng, 5, 5), '"><img src=x onerror=y>')
    found = write_report(
        QuantizedModel(graph),
        tmp_path / "page.html",
        images(2),
        machine=convert(QuantizedModel(small_graph()), output_dir=tmp_path / "net").machine,
        command="rm '<x>'",
        progress=False,
    )
    assert "<b>bold" not in found.text
    assert "<script>alert" not in found.text
    assert "<img" not in found.text
    page = Page(found.text)
    for name in ("<script>alert(1)</script>", "<b>bold</b>", "$x^2$ & co", "rm '<x>'"):
        assert name in page.text


@pytest.mark.slow
def test_an_engine_has_units_and_nodes_with_cycles(tmp_path: Path) -> None:
    accelerator = convert(
        QuantizedModel(small_graph()), output_dir=tmp_path / "engine", architecture="engine"
    )
    page, report = Page(accelerator.report(pareto=True).text), accelerator.estimate()
    for name, used in report.design.operations.items():
        row = page.row("unit", name)
        assert (row["LUT"], row["FF"]) == (f"{used.lut:,}", f"{used.ff:,}")
        assert row["cycles"] == (f"{report.cycles[name]:,}" if name in report.cycles else "")
    rows = page.table("sum bits")
    cycles = {row[1]: row[rows[0].index("cycles")] for row in rows[1:]}
    assert any(count != "-" for count in cycles.values())
    assert "computes all nodes with the same units" in page.text
    assert page.row("design", "this design")["cycles"] == f"{report.cycles_per_frame:,}"
    assert "no FIFOs between nodes" in page.text
    assert "a model for simulation" in page.text


def test_other_designs_of_a_stream(stream: Accelerator) -> None:
    page = Page(stream.report(pareto=True).text)
    rows = page.table("design")
    found = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    cycles = [int(row["cycles"].replace(",", "")) for row in found]
    assert cycles == sorted(cycles)
    assert sum(row["design"] == "this design" for row in found) == 1
    others = [row for row in found if row["design"] != "this design"]
    sizes = [int(row["LUT"].replace(",", "")) for row in others]
    assert sizes == sorted(sizes, reverse=True)
    assert others


def test_the_front_has_no_design_that_another_one_beats(
    stream: Accelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither another one of the search, nor the design of the page."""
    cycles = stream.machine.cycles_per_frame
    sizes: dict[str, tuple[float, int]] = {
        "slower, larger": (2, 5),
        "slower, small": (3, 1),
        "slowest, small": (4, 1),
        "fast, large": (0.5, 9),
        "fast, larger": (0.5, 10),
    }
    points = [
        ParetoPoint(label, int(slow * cycles), 1.0, Utilization(lut=lut), True)
        for label, (slow, lut) in sizes.items()
    ]
    monkeypatch.setattr("hyq_hls.report.pareto._streams", lambda graph, machine: iter(points))
    found = pareto_front(stream.qmodel.graph, stream.machine, Utilization(lut=4))
    assert not isinstance(found, Unmeasured)
    assert [p.label for p in found] == ["fast, large", "this design", "slower, small"]


def test_a_model_without_a_design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = hyq_hls.write_report(QuantizedModel(small_graph()))
    assert found.path == tmp_path / "report.html"
    assert "no design was chosen" in Page(found.text).text


def test_a_call_in_python_is_named_with_its_arguments(stream: Accelerator) -> None:
    text = stream.report(images=images(2), trace_images=1, progress=False).text
    folder = str(stream.folder)
    call = f"Accelerator.open({folder!r}).report(images=<2 images>, trace_images=1)"
    assert call in Page(text).text


def test_where_it_comes_from(stream: Accelerator) -> None:
    text = stream.report(command="hyq-hls report net").text
    page = Page(text)
    assert "hyq-hls report net" in page.text
    assert hyq_hls.__version__ in page.text
    settings = json.loads(re.findall(r"\{.*?\n\}", page.text, re.DOTALL)[-1])
    assert settings["part"] == stream.part.device


def test_a_notebook_shows_the_page_in_a_frame(stream: Accelerator) -> None:
    shown = stream.report()._repr_html_()
    assert shown.count("<iframe") == 1
    assert "<!DOCTYPE" not in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": np.zeros(3, int)}, "labels without images"),
        ({"images": images(3), "labels": np.zeros(2, int)}, r"integers \(3,\) are wanted"),
        ({"images": images(3), "rtl": True}, "a compiled project is wanted"),
    ],
)
def test_what_cannot_be(arguments: dict[str, Any], message: str, stream: Accelerator) -> None:
    with pytest.raises(InputError, match=message):
        stream.report(progress=False, **arguments)


def test_a_report_of_something_else_is_refused() -> None:
    design: Any = small_graph()
    with pytest.raises(InputError, match="of an Accelerator or of a QuantizedModel; found Graph"):
        write_report(design)
