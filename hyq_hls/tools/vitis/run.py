"""Vitis HLS, where it is installed."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hyq_hls.errors import CompilationError
from hyq_hls.tools.logged import log_error, run_logged

SCRIPT = "build_prj.tcl"
#: What the tool prints. The name vitis_hls.log belongs to the tool itself.
LOG = "build_prj.log"
#: Programs that run a script, the newer one first, and their arguments before its name.
_PROGRAMS = {"vitis-run": ("--mode", "hls", "--tcl"), "vitis_hls": ("-f",)}


@dataclass(frozen=True)
class Steps:
    """The steps that the tool takes with a project.

    Attributes:
        csim: whether the test bench runs with the C++.
        synth: whether the C++ is synthesized.
        cosim: whether the test bench runs with the RTL, by the vendor's simulator.
        export: whether the RTL is packaged as IP of a catalog (IP-XACT).
    """

    csim: bool = True
    synth: bool = True
    cosim: bool = False
    export: bool = True

    @property
    def tcl(self) -> str:
        """Content of ``build_opt.tcl``."""
        lines = [f"    {name:6} {int(wanted)}" for name, wanted in asdict(self).items()]
        return "\n".join(["array set opt {", *lines, "}", ""])


def write_test_data(folder: Path, codes: NDArray[np.int64], expected: NDArray[np.int64]) -> None:
    """Write samples for the C++ test bench, one line of codes each."""
    data = folder / "tb_data"
    data.mkdir(exist_ok=True)
    for name, array in (("input.dat", codes), ("expected.dat", expected)):
        np.savetxt(data / name, array.reshape(len(array), -1), fmt="%d")


def require_vitis() -> list[str]:
    """Return the command that runs :data:`SCRIPT`.

    Raises:
        CompilationError: Vitis HLS is not on PATH.
    """
    for program, arguments in _PROGRAMS.items():
        if shutil.which(program) is not None:
            return [program, *arguments, SCRIPT]
    raise CompilationError(
        "neither vitis-run nor vitis_hls was found: building needs AMD Vitis HLS (2023.2 or later) "
        "on PATH, for example by `source <Vitis>/settings64.sh`. C simulation (compile, predict) "
        "needs only g++."
    )


def run_vitis(folder: Path, steps: Steps) -> None:
    """Run the script of a project; what the tool prints is in :data:`LOG`.

    Args:
        folder: project written by ``convert``, with test data in ``tb_data``.
        steps: what the tool does.

    Raises:
        CompilationError: Vitis HLS is not installed, or it failed.
    """
    command = require_vitis()
    for old in folder.glob("*_prj"):  # its report is not that of this run
        shutil.rmtree(old)
    (folder / "build_opt.tcl").write_text(steps.tcl)
    log = folder / LOG
    run_logged("Vitis HLS", command, log, folder)
    if steps.synth and not any(folder.glob("*_prj/solution1/syn/report/*_csynth.xml")):
        raise log_error("Vitis HLS left no synthesis report", log)
