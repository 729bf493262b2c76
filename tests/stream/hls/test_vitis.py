"""Building with Vitis HLS: here by a stand-in that compiles the test bench with g++."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator, QuantizedModel, convert
from hyq_hls.errors import CompilationError, InputError
from hyq_hls.machine import BuildReport
from tests.stream.board.test_csynth import ALL, LOG, LOOPS, REPORT
from tests.stream.hls.conftest import expected, images, small_graph

#: ``source`` is also a name inside the test bench and the bridge.
PROJECT = "source"

HEAD = """#!/bin/bash
set -e
case "$(basename $0) $*" in
"vitis-run --mode hls --tcl build_prj.tcl" | "vitis_hls -f build_prj.tcl") ;;
*) echo "odd arguments: $*"; exit 90 ;;
esac
grep -q 'set_top' build_prj.tcl || { echo "not in the project"; exit 91; }
"""
COMPILE = f"""
g++ -std=c++14 -O0 -DHYQ_BIT_ACCURATE -Ifirmware -Ifirmware/ap_types \\
    {PROJECT}_test.cpp firmware/{PROJECT}.cpp -o tb
./tb
"""


def built(accelerator: Accelerator, pixels: np.ndarray) -> BuildReport:
    """The report of a build with Vitis HLS."""
    report = accelerator.build(pixels)
    assert isinstance(report, BuildReport)
    return report


def written(name: str, **values: object) -> str:
    """Commands that write the report of a function."""
    defaults = {"delay": "4.871", "best": 1034, "worst": 1035, "low": 258, "high": 259, "loops": ""}
    text = REPORT.format(name=name, **{"resources": ALL, **defaults, **values})
    return f"""
report={PROJECT}_prj/solution1/syn/report
mkdir -p $report
cat > $report/{name}_csynth.xml <<'XML'
{text}
XML
"""


TOP = written(PROJECT)
STAGE = written(
    "dense_a_config_s", resources="<DSP>4</DSP><FF>10</FF><LUT>20</LUT>", loops=LOOPS, high=99
)
LOGGED = f"cat <<'LOG'\n{LOG}LOG\n"


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
    assert "neither vitis-run nor vitis_hls was found: building needs AMD Vitis HLS" in message
    assert "settings64.sh" in message
    assert not (accelerator.folder / "tb_data").exists(), "nothing happened yet"


@pytest.mark.slow
def test_report(accelerator: Accelerator, vitis: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The test bench compiles, reads the samples and agrees; planned stands beside reported."""
    install(vitis, COMPILE + TOP + STAGE)
    pixels = images(5)
    report = built(accelerator, pixels)
    codes = expected(accelerator.qmodel.graph, pixels)
    for name in ("expected.dat", "csim_results.log"):
        assert np.array_equal(np.loadtxt(accelerator.folder / "tb_data" / name, int), codes)
    assert "INFO: 5 samples equal" in (accelerator.folder / "build_prj.log").read_text()
    assert report.ok
    assert report.total.interval_max == 259
    assert report.plan == accelerator.estimate().plan
    assert report.ip is None
    text, errors = capsys.readouterr()
    assert (text, errors) == (f"{report}\n", "")
    head, a, b, *_ = text.splitlines()
    assert head.split()[:4] == ["cycles", "plan", "cycles", "latency"]
    planned = report.plan.operations["a"]
    assert a.split() == [
        *("a", f"{planned.cycles}", "99", f"{planned.latency}", "1,035", "2"),
        *(f"{planned.used.dsp}", "4", f"{planned.used.bram18}", "0"),
        *(f"{planned.used.lut:,}", "20", f"{planned.used.ff:,}", "10"),
    ]
    assert b.split().count("-") == 7, "it has no function of its own"
    total = next(line for line in text.splitlines() if line.startswith("total")).split()
    assert total[2] == "259"
    assert (total[-3], total[-1]) == ("4,242", "911")
    assert "every loop has the II" in text


def test_violations_are_shown_by_loop_and_line(
    accelerator: Accelerator, vitis: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(vitis, LOGGED + TOP + STAGE)
    report = built(accelerator, images(1))
    assert not report.ok
    assert "VIOLATED" in repr(report)
    text = capsys.readouterr().out
    assert "VIOLATED: II 3 instead of 1 in dense_a_config_s, loop Words_Groups_Beats at fi" in text
    assert "VIOLATED: 8.844 ns instead of 4.87 ns in dense_a_config_s at firmware/hyq/ty" in text
    assert str(accelerator.build_report()) == str(report), "the log of the run stays"


def test_the_packaged_ip_is_found(accelerator: Accelerator, vitis: Path) -> None:
    ip = f"{PROJECT}_prj/solution1/impl/ip"
    install(vitis, f"{TOP}\nmkdir -p {ip}; touch {ip}/component.xml")
    report = built(accelerator, images(1))
    assert report.ip == accelerator.folder / ip
    assert f"IP for a catalog: {report.ip}" in str(report)


@pytest.mark.skipif(shutil.which("vitis-run") is not None, reason="Vitis HLS is installed")
def test_the_older_program(accelerator: Accelerator, vitis: Path) -> None:
    install(vitis.with_name("vitis_hls"), TOP)
    assert built(accelerator, images(1)).total.lut == 4242


def test_the_test_bench_sees_one_wrong_code(
    accelerator: Accelerator, vitis: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = expected(accelerator.qmodel.graph, images(3))
    wrong[1, 2] += 1
    monkeypatch.setattr(QuantizedModel, "stream_codes", lambda self, pixels: wrong)
    install(vitis, "[ -x tb ] && ./tb" if (accelerator.folder / "tb").exists() else COMPILE)
    with pytest.raises(CompilationError, match="ERROR: sample 1, word 2, lane 0: found"):
        accelerator.build(images(3))


@pytest.mark.parametrize(("cosim", "export"), [(False, True), (True, False)])
def test_options(cosim: bool, export: bool, accelerator: Accelerator, vitis: Path) -> None:
    install(vitis, "cat build_opt.tcl; exit 3")
    with pytest.raises(CompilationError, match=r"failed with status 3, see .*build_prj\.log"):
        accelerator.build(images(1), cosim=cosim, export=export)
    words = (accelerator.folder / "build_prj.log").read_text().split()
    options = dict(zip(words[4:-1:2], words[5:-1:2], strict=True))
    assert options == {
        "csim": "1", "synth": "1", "cosim": str(int(cosim)), "export": str(int(export)),
    }  # fmt: skip


def test_failure_shows_the_end_of_the_log(accelerator: Accelerator, vitis: Path) -> None:
    install(vitis, r"for i in $(seq 20); do echo line $i; done; printf '\377 last\n' >&2; exit 1")
    with pytest.raises(CompilationError) as caught:
        accelerator.build(images(1))
    lines = str(caught.value).splitlines()
    assert lines[0] == f"Vitis HLS failed with status 1, see {accelerator.folder}/build_prj.log:"
    assert lines[1:8] == [f"line {i}" for i in range(14, 21)]
    assert lines[8].endswith(" last")


@pytest.mark.parametrize(
    "script",
    ["true", f"mkdir {PROJECT}_prj", f"{TOP}rm -r {PROJECT}_prj/solution1/syn"],
    ids=["nothing", "empty", "no_synthesis"],
)
def test_no_report_is_an_error(script: str, accelerator: Accelerator, vitis: Path) -> None:
    """Also when an earlier run left one."""
    install(vitis, TOP)
    assert built(accelerator, images(1)).total.lut == 4242
    install(vitis, f"echo working\n{script}")
    with pytest.raises(CompilationError, match=r"left no synthesis report, see .*:\nworking"):
        accelerator.build(images(1))


def test_a_damaged_report_is_an_error(accelerator: Accelerator, vitis: Path) -> None:
    install(vitis, f"{TOP}echo > $report/{PROJECT}_csynth.xml")
    with pytest.raises(CompilationError, match="is no report of Vitis HLS"):
        accelerator.build(images(1))


def test_unusable_images(accelerator: Accelerator, vitis: Path) -> None:
    install(vitis, TOP)
    with pytest.raises(InputError, match="the set is empty"):
        accelerator.build(images(0))
