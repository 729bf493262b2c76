"""Building with Vitis HLS: here by a stand-in that compiles the test bench with g++."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import CompilationError, InputError
from tests.stream.hls.conftest import expected, images, small_graph

#: What hls4ml's parser wants of a project.
SYNTHESIS = """<profile>
<UserAssignments><TargetClockPeriod>6.67</TargetClockPeriod></UserAssignments>
<PerformanceEstimates>
<SummaryOfTimingAnalysis><EstimatedClockPeriod>4.871</EstimatedClockPeriod></SummaryOfTimingAnalysis>
<SummaryOfOverallLatency><Best-caseLatency>1034</Best-caseLatency>
<Worst-caseLatency>1035</Worst-caseLatency><Interval-min>258</Interval-min>
<Interval-max>259</Interval-max></SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates><Resources><DSP>17</DSP><LUT>4242</LUT></Resources>
<AvailableResources><DSP>220</DSP><LUT>53200</LUT></AvailableResources></AreaEstimates>
</profile>"""

#: ``source`` is also a name inside the test bench and the bridge.
PROJECT = "source"

HEAD = """#!/bin/bash
set -e
[ "$*" = "--tcl build_prj.tcl --mode hls" ] || { echo "odd arguments: $*"; exit 90; }
grep -q 'set_top' build_prj.tcl || { echo "not in the project"; exit 91; }
"""
COMPILE = f"""
g++ -std=c++14 -O0 -Ifirmware -Ifirmware/ap_types {PROJECT}_test.cpp firmware/{PROJECT}.cpp -o tb
./tb
"""
REPORT = f"""
report={PROJECT}_prj/solution1/syn/report
mkdir -p $report
cat > {PROJECT}_prj/hls.app <<'XML'
<project><solutions><solution name="solution1"/></solutions></project>
XML
cat > $report/{PROJECT}_csynth.xml <<'XML'
{SYNTHESIS}
XML
"""


@pytest.fixture(scope="module")
def accelerator(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    folder = tmp_path_factory.mktemp("vitis") / "p"
    return convert(QuantizedModel(small_graph()), output_dir=folder, project=PROJECT)


@pytest.fixture
def vitis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Path of ``vitis-run`` on PATH; the test writes it."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path / "bin" / "vitis-run"


def install(path: Path, script: str) -> None:
    path.write_text(HEAD + script)
    path.chmod(0o755)


@pytest.mark.skipif(shutil.which("vitis-run") is not None, reason="Vitis HLS is installed")
def test_without_vitis(accelerator: Accelerator) -> None:
    with pytest.raises(CompilationError) as caught:
        accelerator.build(images(2))
    message = str(caught.value)
    assert "\n" not in message
    assert "vitis-run was not found: building needs AMD Vitis HLS" in message
    assert "settings64.sh" in message
    assert not (accelerator.folder / "tb_data").exists(), "nothing happened yet"


def test_report(accelerator: Accelerator, vitis: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The test bench compiles, reads the samples and agrees; the report is parsed, quietly."""
    install(vitis, COMPILE + REPORT)
    pixels = images(5)
    report = accelerator.build(pixels)
    assert report["CSynthesisReport"] == {
        "TargetClockPeriod": "6.67",
        "EstimatedClockPeriod": "4.871",
        "BestLatency": "1034",
        "WorstLatency": "1035",
        "IntervalMin": "258",
        "IntervalMax": "259",
        "DSP": "17",
        "LUT": "4242",
        "AvailableDSP": "220",
        "AvailableLUT": "53200",
    }
    codes = expected(accelerator.qmodel.graph, pixels)
    assert np.array_equal(np.array(report["CSimResults"], dtype=int), codes)
    assert np.array_equal(np.loadtxt(accelerator.folder / "tb_data/expected.dat", int), codes)
    assert "INFO: 5 samples equal" in (accelerator.folder / "vitis_hls.log").read_text()
    assert capsys.readouterr() == ("", "")


def test_the_test_bench_sees_one_wrong_code(
    accelerator: Accelerator, vitis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = expected(accelerator.qmodel.graph, images(3))
    wrong[1, 2] += 1
    monkeypatch.setattr(QuantizedModel, "stream_codes", lambda self, pixels: wrong)
    install(vitis, "[ -x tb ] && ./tb" if (accelerator.folder / "tb").exists() else COMPILE)
    with pytest.raises(CompilationError, match="ERROR: sample 1, word 2, lane 0: found"):
        accelerator.build(images(3))


@pytest.mark.parametrize("cosim", [False, True])
def test_options(cosim: bool, accelerator: Accelerator, vitis: Path) -> None:
    install(vitis, "cat build_opt.tcl; exit 3")
    with pytest.raises(CompilationError, match=r"failed with status 3, see .*vitis_hls\.log"):
        accelerator.build(images(1), cosim=cosim)
    words = (accelerator.folder / "vitis_hls.log").read_text().split()
    options = dict(zip(words[4:-1:2], words[5:-1:2], strict=True))
    assert options["cosim"] == options["validation"] == str(int(cosim))
    assert (options["csim"], options["synth"], options["reset"]) == ("1", "1", "1")
    assert (options["export"], options["vsynth"]) == ("0", "0")


def test_failure_shows_the_end_of_the_log(accelerator: Accelerator, vitis: Path) -> None:
    install(vitis, r"for i in $(seq 20); do echo line $i; done; printf '\377 last\n' >&2; exit 1")
    with pytest.raises(CompilationError) as caught:
        accelerator.build(images(1))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"Vitis HLS failed with status 1, see {accelerator.folder}/vitis_hls.log:"
    assert lines[1:8] == [f"line {i}" for i in range(14, 21)]
    assert lines[8].endswith(" last")


@pytest.mark.parametrize(
    "script",
    [
        "true",
        f"mkdir {PROJECT}_prj",
        REPORT + f"echo '<project' > {PROJECT}_prj/hls.app",
        REPORT + f"rm -r {PROJECT}_prj/solution1/syn",
        REPORT + "echo > $report/*.xml",
    ],
    ids=["nothing", "empty", "broken_app", "no_synthesis", "empty_synthesis"],
)
def test_no_report_is_an_error(script: str, accelerator: Accelerator, vitis: Path) -> None:
    """Also when an earlier run left one."""
    install(vitis, REPORT)
    assert accelerator.build(images(1))["CSynthesisReport"]["LUT"] == "4242"
    install(vitis, f"echo working\n{script}")
    with pytest.raises(CompilationError, match=r"left no synthesis report, see .*:\nworking"):
        accelerator.build(images(1))


def test_unusable_images(accelerator: Accelerator, vitis: Path) -> None:
    install(vitis, REPORT)
    with pytest.raises(InputError, match="the set is empty"):
        accelerator.build(images(0))
