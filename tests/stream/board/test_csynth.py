"""The reports of Vitis HLS, from files and messages of the form that the tool writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hyq_hls.errors import CompilationError
from hyq_hls.tools.vitis import (
    CsynthLoop,
    CsynthReport,
    CsynthRow,
    LongPath,
    SlowLoop,
    long_paths,
    read_csynth,
    slow_loops,
)

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
{loops}
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
#: Loops of a function as 2021 and later write them; the outer one is no pipeline.
LOOPS = """<SummaryOfLoopLatency>
<Words_Groups_Beats>
<Slack>7.30</Slack>
<TripCount>1024</TripCount>
<Latency>2052</Latency>
<PipelineII>2</PipelineII>
<PipelineDepth>7</PipelineDepth>
</Words_Groups_Beats>
<Rows>
<TripCount>4</TripCount>
<Latency>80</Latency>
<IterationLatency>20</IterationLatency>
<Beats>
<Name>Beats</Name>
<TripCount>undef</TripCount>
<PipelineII>1</PipelineII>
<PipelineDepth>5</PipelineDepth>
</Beats>
</Rows>
</SummaryOfLoopLatency>
<SummaryOfViolations>
<IssueType>-</IssueType>
<ViolationType>-</ViolationType>
<SummaryOfLoopViolations>
<Words_Groups_Beats>
<Name>Words_Groups_Beats</Name>
<IssueType>-</IssueType>
<ViolationType>-</ViolationType>
<SourceLocation>firmware/hyq/dense.h:44</SourceLocation>
</Words_Groups_Beats>
</SummaryOfLoopViolations>
</SummaryOfViolations>"""
#: What the tool prints about three functions; the form is that of 2021 to 2024.
LOG = """\
INFO: [HLS 200-42] -- Implementing module 'dense_a_config_s'
INFO: [SCHED 204-61] Pipelining loop 'Words_Groups_Beats'.
WARNING: [HLS 200-880] The II Violation in module 'dense_a_config_s' (loop 'Words_Groups_Beats'): \
Unable to enforce a carried dependence constraint (II = 1, distance = 1, offset = 1) between \
'store' operation 0 bit ('acc_write_ln48', firmware/hyq/dot_product.h:48) of variable 'sum' on \
local variable 'acc' and 'load' operation 24 bit ('acc_load', firmware/hyq/dot_product.h:41) on \
local variable 'acc'.
Resolution: For help on HLS 200-880 see docs.xilinx.com/access/sources/dita/topic?resourceid=200-880
WARNING: [HLS 200-885] The II Violation in module 'dense_a_config_s' (loop 'Words_Groups_Beats'): \
Unable to schedule 'load' operation on array 'x' due to limited memory ports (II = 2).
INFO: [HLS 200-1470] Pipelining result : Target II = 1, Final II = 3, Depth = 7, loop \
'Words_Groups_Beats'
WARNING: [HLS 200-871] Estimated clock period (8.844 ns) exceeds the target (target clock period: \
6.670 ns, clock uncertainty: 1.800 ns, effective delay budget: 4.870 ns).
Resolution: For help on HLS 200-871 see docs.xilinx.com/access/sources/dita/topic?resourceid=200-871
WARNING: [HLS 200-1016] The critical path in module 'dense_a_config_s' consists of the following:
\t'phi' operation 3 bit ('beat') with incoming values : ('add_ln45') [58]  (0.000 ns)
\t'mul' operation 17 bit ('product', firmware/hyq/types.h:65) [59]  (4.170 ns)
INFO: [HLS 200-42] -- Implementing module 'fork_4_s'
INFO: [HLS 200-1470] Pipelining result : Target II = 1, Final II = 1, Depth = 2, loop 'Words'
INFO: [HLS 200-42] -- Implementing module 'integer_root_s'
INFO: [HLS 200-1470] Pipelining result : Target II = NA, Final II = 2, Depth = 4, loop 'Bits'
WARNING: [HLS 200-885] The II Violation in module 'table_act_config_s': Unable to schedule 'load' \
operation due to limited memory ports (II = 1).
INFO: [HLS 200-42] -- Implementing module 'table_act_config_s'
INFO: [HLS 200-1470] Pipelining result : Target II = 1, Final II = 2, Depth = 3
"""
ALL = "<BRAM_18K>3</BRAM_18K><DSP>17</DSP><FF>911</FF><LUT>4242</LUT><URAM>0</URAM>"


def write(folder: Path, name: str, resources: str = ALL, **values: object) -> Path:
    defaults = {"delay": "4.871", "best": 1034, "worst": 1035, "low": 258, "high": 259, "loops": ""}
    reports = folder / "net_prj" / "solution1" / "syn" / "report"
    reports.mkdir(parents=True, exist_ok=True)
    path = reports / f"{name}_csynth.xml"
    path.write_text(REPORT.format(name=name, resources=resources, **{**defaults, **values}))
    return path


@pytest.fixture
def report(tmp_path: Path) -> CsynthReport:
    write(tmp_path, "net")
    stem = "<DSP>4</DSP><FF>10</FF><LUT>20</LUT>"
    write(tmp_path, "dense_stem_conv_config_s", stem, low=7, loops=LOOPS)
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
    """Also where the name of one stage is the end of another's; a split loop belongs to it."""
    names = dict.fromkeys(("conv", "stem_conv", "em_conv", "fork"), "dense")
    found = report.of_stages(names)
    assert {name: stage.row for name, stage in found.items()} == {
        "conv": report.modules["dense_conv_config_s"],
        "stem_conv": report.modules["dense_stem_conv_config_s"],
    }
    assert found["stem_conv"].interval == 2
    assert found["conv"].interval is None
    assert report.of_stages({"stem_conv": "conv2d"}) == {}


def test_the_whole_function_has_the_name_of_the_template(tmp_path: Path) -> None:
    """A function inside it may have a shorter name."""
    write(tmp_path, "net")
    write(tmp_path, "softmax_maxima_s_config_s", "<FF>1</FF><LUT>1</LUT>", loops=LOOPS)
    write(tmp_path, "linear_softmax_s_config_word_s", "<FF>2</FF><LUT>2</LUT>")
    found = read_csynth(tmp_path, "net").of_stages({"s": "linear_softmax"})
    assert found["s"].row.lut == 2
    assert found["s"].interval == 2


def test_loops(report: CsynthReport) -> None:
    assert report.loops["dense_stem_conv_config_s"] == [
        CsynthLoop("Words_Groups_Beats", 1024, 2, 7, "firmware/hyq/dense.h:44"),
        CsynthLoop("Beats", None, 1, 5, ""),
    ]
    assert report.loops["fork_4_s"] == []


def test_slow_loops() -> None:
    """The first message tells what prevents II 1; a loop without a wanted II is none."""
    slow, function = slow_loops(LOG)
    assert slow == SlowLoop(
        "dense_a_config_s",
        "Words_Groups_Beats",
        wanted=1,
        found=3,
        reason=slow.reason,
        source="firmware/hyq/dot_product.h:48",
    )
    assert slow.reason.startswith("Unable to enforce a carried dependence constraint (II = 1,")
    assert str(slow).startswith(
        "II 3 instead of 1 in dense_a_config_s, loop Words_Groups_Beats at "
        "firmware/hyq/dot_product.h:48: Unable to enforce"
    )
    assert (function.module, function.loop, function.found) == ("table_act_config_s", "", 2)
    assert str(function).startswith("II 2 instead of 1 in table_act_config_s: Unable to schedule")


def test_long_paths() -> None:
    (path,) = long_paths(LOG)
    assert path == LongPath("dense_a_config_s", 8.844, 4.87, "firmware/hyq/types.h:65")
    assert str(path) == "8.844 ns instead of 4.87 ns in dense_a_config_s at firmware/hyq/types.h:65"


def test_older_messages_have_no_space_before_the_unit() -> None:
    older = LOG.replace(" ns", "ns").replace("consists of the following:\n", "consists of:\n")
    assert long_paths(older) == []
    older = LOG.replace(" ns", "ns").replace("following:\n", "following:")
    assert long_paths(older)[0].source == "firmware/hyq/types.h:65"


def test_a_quiet_log() -> None:
    assert slow_loops("INFO: nothing\n") == []
    assert long_paths("") == []


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
