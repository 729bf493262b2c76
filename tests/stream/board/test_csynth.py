"""The reports of Vitis HLS, from files of the form that the tool writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyq_hls.errors import CompilationError
from hyq_hls.tools.vitis import CsynthReport, CsynthRow, read_csynth

#: Shortened; the form is that of Vitis HLS 2020 to 2024.
REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<profile>
<ReportVersion><Version>2024.1</Version></ReportVersion>
<UserAssignments>
<unit>ns</unit>
<ProductFamily>zynq</ProductFamily>
<Part>xc7z020-clg400-1</Part>
<TopModelName>{name}</TopModelName>
<TargetClockPeriod>6.67</TargetClockPeriod>
<ClockUncertainty>1.80</ClockUncertainty>
</UserAssignments>
<PerformanceEstimates>
<PipelineType>dataflow</PipelineType>
<SummaryOfTimingAnalysis><unit>ns</unit><EstimatedClockPeriod>{delay}</EstimatedClockPeriod>
</SummaryOfTimingAnalysis>
<SummaryOfOverallLatency>
<unit>clock cycles</unit>
<Best-caseLatency>{best}</Best-caseLatency>
<Average-caseLatency>{worst}</Average-caseLatency>
<Worst-caseLatency>{worst}</Worst-caseLatency>
<Interval-min>{low}</Interval-min>
<Interval-max>{high}</Interval-max>
</SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates>
<Resources>
{resources}
</Resources>
<AvailableResources>
<BRAM_18K>280</BRAM_18K><DSP>220</DSP><FF>106400</FF><LUT>53200</LUT><URAM>0</URAM>
</AvailableResources>
</AreaEstimates>
</profile>
"""
ALL = "<BRAM_18K>3</BRAM_18K><DSP>17</DSP><FF>911</FF><LUT>4242</LUT><URAM>0</URAM>"


def write(folder: Path, name: str, resources: str = ALL, **values: object) -> Path:
    defaults = {"delay": "4.871", "best": 1034, "worst": 1035, "low": 258, "high": 259}
    reports = folder / "net_prj" / "solution1" / "syn" / "report"
    reports.mkdir(parents=True, exist_ok=True)
    path = reports / f"{name}_csynth.xml"
    path.write_text(REPORT.format(name=name, resources=resources, **{**defaults, **values}))
    return path


@pytest.fixture
def report(tmp_path: Path) -> CsynthReport:
    write(tmp_path, "net")
    write(tmp_path, "dense_stem_conv_config_s", "<DSP>4</DSP><FF>10</FF><LUT>20</LUT>", low=7)
    write(tmp_path, "dense_stem_conv_config_Pipeline_rows", "<FF>1</FF><LUT>2</LUT>")
    write(tmp_path, "dense_conv_config_s", "<DSP48E>9</DSP48E><FF>3</FF><LUT>4</LUT>")
    write(tmp_path, "fork_4_s", best="undef", worst="?", low="undef", high="undef")
    return read_csynth(tmp_path, "net")


def test_total(report: CsynthReport) -> None:
    assert report.total == CsynthRow(
        lut=4242,
        ff=911,
        dsp=17,
        bram18=3,
        uram=0,
        latency_min=1034,
        latency_max=1035,
        interval_min=258,
        interval_max=259,
        delay_ns=4.871,
    )
    assert (report.part, report.target_ns) == ("xc7z020-clg400-1", 6.67)


def test_modules(report: CsynthReport) -> None:
    assert list(report.modules) == [
        "dense_conv_config_s",
        "dense_stem_conv_config_Pipeline_rows",
        "dense_stem_conv_config_s",
        "fork_4_s",
    ]
    conv = report.modules["dense_stem_conv_config_s"]
    assert (conv.lut, conv.ff, conv.dsp, conv.bram18, conv.interval_min) == (20, 10, 4, 0, 7)
    assert report.modules["dense_conv_config_s"].dsp == 9, "older versions count DSP48E"
    fork = report.modules["fork_4_s"]
    assert (fork.latency_min, fork.latency_max, fork.interval_min) == (None, None, None)


def test_the_function_of_a_stage(report: CsynthReport) -> None:
    assert report.of_stage("stem_conv") is report.modules["dense_stem_conv_config_s"]
    assert report.of_stage("fork") is None
    assert report.of_stage("em_conv") is None


def test_no_report(tmp_path: Path) -> None:
    with pytest.raises(CompilationError, match=r"no synthesis report .*net_csynth\.xml; run Accel"):
        read_csynth(tmp_path, "net")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</profile>", "", r"is no report of Vitis HLS \(no element found"),
        ("<LUT>4242</LUT>", "", "has no AreaEstimates/Resources/LUT; this version of Vitis HLS"),
        ("4242", "many", "'many'; a number is wanted"),
        ("4.871", "undef", "'undef'; a number is wanted"),
        ("<TargetClockPeriod>6.67</TargetClockPeriod>", "", "has no UserAssignments/TargetClockPe"),
        (">6.67<", ">fast<", "'fast'; a number is wanted"),
    ],
)
def test_damaged_report(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, "net")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(CompilationError, match=message) as caught:
        read_csynth(tmp_path, "net")
    assert str(path) in str(caught.value)
