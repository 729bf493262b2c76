"""The reports of vivado_rtl.tcl, from files of the form that Vivado writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyq_hls.errors import CompilationError
from hyq_hls.tools.vivado import VivadoReport, VivadoRow, read_vivado

#: Shortened; lines around the table are Vivado's.
REPORT = """\
Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.
-----------------------------------------------------------------
| Tool Version : Vivado v.2022.2 (lin64) Build 3671981
| Command      : report_utilization -hierarchical -file synthesis_utilization.rpt
| Device       : xc7z020clg400-1
-----------------------------------------------------------------

Utilization Design Information

1. Utilization by Hierarchy
---------------------------

+-----------------+----------------+------------+---------+-----+--------+--------+------------+
|     Instance    |     Module     | Total LUTs | LUTRAMs | FFs | RAMB36 | RAMB18 | DSP Blocks |
+-----------------+----------------+------------+---------+-----+--------+--------+------------+
| net_dma         |          (top) |       1100 |      20 | 970 |      1 |      3 |         17 |
|   (net_dma)     |          (top) |          0 |       0 |   0 |      0 |      0 |          0 |
|   u_core        |            net |       1000 |      20 | 900 |      1 |      3 |         17 |
|     (u_core)    |            net |          1 |       0 |   0 |      0 |      0 |          0 |
|     u_a         |      hyq_dense |        600 |       0 | 500 |      1 |      1 |         12 |
|       u_replay  |     hyq_replay |         40 |      20 |  12 |      0 |      1 |          0 |
|     u_head      |    hyq_dense_0 |        399 |       0 | 400 |      0 |      2 |          5 |
|   u_frames      | hyq_dma_frames |        100 |       0 |  70 |      0 |      0 |          0 |
+-----------------+----------------+------------+---------+-----+--------+--------+------------+
* Note: The sum of lower-level cells may be larger than their parent cells total.
"""


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    (tmp_path / "synthesis_utilization.rpt").write_text(REPORT)
    (tmp_path / "synthesis_path.txt").write_text("slack_ns -0.25\ndelay_ns 6.75\n")
    return tmp_path


def test_rows(reports: Path) -> None:
    assert read_vivado(reports) == VivadoReport(
        total=VivadoRow(lut=1000, ff=900, dsp=17, bram18=5),
        modules={
            "u_a": VivadoRow(600, 500, 12, 3),
            "u_a/u_replay": VivadoRow(40, 12, 0, 1),
            "u_head": VivadoRow(399, 400, 5, 2),
        },
        delay_ns=6.75,
        slack_ns=-0.25,
    )


def test_older_versions_name_the_dsp_otherwise(reports: Path) -> None:
    path = reports / "synthesis_utilization.rpt"
    path.write_text(REPORT.replace("DSP Blocks", "DSP48 Blocks"))
    assert read_vivado(reports).total.dsp == 17


def test_no_report(reports: Path) -> None:
    with pytest.raises(CompilationError, match=r"route_utilization\.rpt: No such file .* Vivado"):
        read_vivado(reports, "route")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Instance", "Instrument", "has no table of instances"),
        ("Total LUTs", "Total LABs", "has no column Total LUTs; found are Instance, Module"),
        ("u_core ", "u_kern ", "has no instance u_core"),
        ("       600 |", "   no idea |", "net_dma/u_core/u_a: .* whole numbers are wanted"),
    ],
)
def test_another_table(old: str, new: str, message: str, reports: Path) -> None:
    assert old in REPORT
    (reports / "synthesis_utilization.rpt").write_text(REPORT.replace(old, new))
    with pytest.raises(CompilationError, match=message):
        read_vivado(reports)


@pytest.mark.parametrize("text", ["", "slack_ns 1\n", "slack_ns 1\ndelay_ns fast\n", "a b c\n"])
def test_another_path(text: str, reports: Path) -> None:
    (reports / "synthesis_path.txt").write_text(text)
    with pytest.raises(CompilationError, match=r"synthesis_path\.txt: .* are wanted"):
        read_vivado(reports)
