"""The vendor's figures stand in the same table as the estimate and the synthesis."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import CompilationError, FileFormatError
from hyq_hls.machine.comparison import compared
from tests.stream.board.test_csynth import write
from tests.stream.hls.conftest import small_graph


@pytest.fixture(scope="module")
def accelerator(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    folder = tmp_path_factory.mktemp("vendor") / "net"
    return convert(QuantizedModel(small_graph()), output_dir=folder)


def test_nothing_was_built(accelerator: Accelerator) -> None:
    assert not accelerator.has_vendor_report
    with pytest.raises(
        CompilationError, match=r"no synthesis report .*; run Accelerator.build\(\)"
    ):
        accelerator.vendor_report()


def test_side_by_side(accelerator: Accelerator) -> None:
    write(accelerator.folder, "net")
    write(accelerator.folder, "dense_a_config_s", "<DSP>4</DSP><FF>10</FF><LUT>20</LUT>")
    report = accelerator.vendor_report()
    assert report.total.lut == 4242
    assert report.design.operations["a"].dsp == 4
    assert list(report.design.operations) == ["a"]
    assert report.design.plumbing["FIFOs and all without a function"].lut == 4242 - 20
    lines = compared([accelerator.estimate(), report]).splitlines()
    head, a, b = lines[0], lines[1].split(), lines[2].split()
    assert "estimate LUT" in head
    assert "Vitis HLS LUT" in head
    assert (a[0], a[2], a[6]) == ("a", "20", "4")
    assert (b[0], b[2]) == ("b", "-")  # Vitis HLS gave it no function of its own
    assert lines[-1].split()[2] == "4,242"


def test_cycles_are_those_of_the_vendor(accelerator: Accelerator) -> None:
    write(accelerator.folder, "net")
    write(accelerator.folder, "dense_b_config_s", low=900, high=901)
    report = accelerator.vendor_report()
    assert report.cycles["b"] == report.cycles_per_frame == 901
    assert report.bottleneck == "b"
    assert report.plan is None


def test_report_text_and_file(accelerator: Accelerator, tmp_path: Path) -> None:
    report = accelerator.estimate()
    text = str(report)
    assert all(node in text for node in small_graph().nodes)
    assert "estimate: fits xc7z020" in text
    assert report.save(tmp_path / "r.json").is_file()
    with pytest.raises(FileFormatError, match="cannot write"):
        report.save(tmp_path / "missing" / "r.json")
