"""The script for Vitis HLS runs in a Tcl interpreter in which the tool's commands take notes.

So its syntax, its control flow and the names of its files are checked. That Vitis HLS takes the
commands as they stand is not.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from hyq_hls import Accelerator
from hyq_hls.tools.vitis import Steps, write_test_data
from tests.stream.hls.conftest import convert_small

MOCK = Path(__file__).with_name("vitis_mock.tcl")
TCLSH = shutil.which("tclsh")

pytestmark = pytest.mark.skipif(TCLSH is None, reason="tclsh is not installed")


@pytest.fixture(scope="module")
def accelerator(tmp_path_factory: pytest.TempPathFactory) -> Accelerator:
    """A project whose path has a space and a variable of the shell and of Tcl."""
    return convert_small(tmp_path_factory.mktemp("script") / "a $HOME [b]", "top")


def run(accelerator: Accelerator, elsewhere: Path, steps: Steps | None = None) -> tuple[int, str]:
    """Exit status and output of the script, started in another folder."""
    folder = accelerator.folder
    if steps is not None:
        (folder / "build_opt.tcl").write_text(steps.tcl)
    assert TCLSH is not None
    words = f"source {{{MOCK}}}\nset status [catch {{source {{{folder}/build_prj.tcl}}}} text]\n"
    done = subprocess.run(
        [TCLSH], input=f"{words}puts $text\nexit 9\n", cwd=elsewhere, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def calls(output: str) -> dict[str, list[str]]:
    """Arguments of every call, by command."""
    found: dict[str, list[str]] = {}
    for line in output.splitlines():
        _, command, arguments = line.split(" ", 2)
        found.setdefault(command, []).append(arguments)
    return found


@pytest.mark.slow
def test_without_samples_a_run_by_hand_says_what_to_do(
    accelerator: Accelerator, tmp_path: Path
) -> None:
    shutil.rmtree(accelerator.folder / "tb_data", ignore_errors=True)
    status, output = run(accelerator, tmp_path)
    assert status == 1
    assert len(output.splitlines()) == 1
    assert output.startswith("ERROR: the test bench has no samples: tb_data/input.dat is missing. ")
    assert "Accelerator.build(images)" in output


def test_synthesis_alone_needs_no_samples(accelerator: Accelerator, tmp_path: Path) -> None:
    shutil.rmtree(accelerator.folder / "tb_data", ignore_errors=True)
    status, output = run(accelerator, tmp_path, Steps(csim=False, export=False))
    found = calls(output)
    assert status == 0
    assert not {"csim_design", "cosim_design", "export_design"} & set(found)
    assert found["csynth_design"] == [""]
    assert len(found["add_files"]) == 2


def test_all_steps(accelerator: Accelerator, tmp_path: Path) -> None:
    codes = np.zeros((2, 3), np.int64)
    write_test_data(accelerator.folder, codes, codes)
    status, output = run(accelerator, tmp_path, Steps(cosim=True))
    found = calls(output)
    assert status == 0
    order = list(dict.fromkeys(line.split()[1] for line in output.splitlines()))
    assert [name for name in order if name.endswith("_design")] == [
        "csim_design", "csynth_design", "cosim_design", "export_design",
    ]  # fmt: skip
    assert found["open_project"] == ["-reset top_prj"], "no result of other sources stays"
    assert found["open_solution"] == ["-reset solution1 -flow_target vivado"]
    assert found["set_top"] == ["top"]
    assert found["set_part"] == [accelerator.part.device]
    assert found["create_clock"] == ["-period 10.0 -name default"]
    flags = "-cflags {-std=c++14 -Ifirmware -DHYQ_BIT_ACCURATE}"
    assert found["add_files"] == [
        f"firmware/top.cpp {flags}",
        f"-tb top_test.cpp {flags}",
        "-tb tb_data",
        f"-tb top_test.cpp {flags[:-1]} -DRTL_SIM}}",
    ]
    assert found["export_design"] == ["-format ip_catalog -ipname top -version 1.0.0"]
    assert "config_array_partition" not in output


@pytest.mark.parametrize("step", ["cosim", "export"])
def test_steps_that_need_the_rtl(step: str, accelerator: Accelerator, tmp_path: Path) -> None:
    write_test_data(accelerator.folder, np.zeros((1, 1), np.int64), np.zeros((1, 1), np.int64))
    steps = Steps(synth=False, cosim=step == "cosim", export=step == "export")
    status, output = run(accelerator, tmp_path, steps)
    assert status == 1
    assert output == (
        "ERROR: cosim and export in build_opt.tcl need the RTL of this run: set synth to 1.\n"
    )
