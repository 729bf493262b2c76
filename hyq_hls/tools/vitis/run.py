"""Vitis HLS, where it is installed."""

from __future__ import annotations

import io
import shutil
import subprocess
import xml.etree.ElementTree as ET
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from hls4ml.report import parse_vivado_report
from numpy.typing import NDArray

from hyq_hls.errors import CompilationError
from hyq_hls.support.processes import run

_OPTIONS = """array set opt {{
    reset      1
    csim       {csim}
    synth      1
    cosim      {cosim}
    validation {cosim}
    export     0
    vsynth     0
    fifo_opt   0
}}
"""


def write_test_data(folder: Path, codes: NDArray[np.int64], expected: NDArray[np.int64]) -> None:
    """Write samples for the C++ test bench, one line of codes each."""
    data = folder / "tb_data"
    data.mkdir(exist_ok=True)
    for name, array in (("input.dat", codes), ("expected.dat", expected)):
        np.savetxt(data / name, array.reshape(len(array), -1), fmt="%d")


def require_vitis() -> None:
    """Raise :class:`CompilationError` unless Vitis HLS is on PATH."""
    if shutil.which("vitis-run") is None:
        raise CompilationError(
            "vitis-run was not found: building needs AMD Vitis HLS (2024.1 or later) on PATH, for "
            "example by `source <Vitis>/settings64.sh`. C simulation (compile, predict) needs only "
            "g++."
        )


def build(folder: Path, csim: bool = True, cosim: bool = False) -> dict[str, Any]:
    """Synthesize the project with Vitis HLS and return its report.

    Args:
        folder: project written by ``convert``, with test data in ``tb_data``.
        csim: run the vendor's C simulation first.
        cosim: run the vendor's RTL simulation afterwards.

    Raises:
        CompilationError: Vitis HLS is not installed, or it failed.
    """
    require_vitis()
    for old in folder.glob("*_prj"):  # its report is not that of this run
        shutil.rmtree(old)
    (folder / "build_opt.tcl").write_text(_OPTIONS.format(csim=int(csim), cosim=int(cosim)))
    log = folder / "vitis_hls.log"
    with log.open("w") as stream:
        status = run(
            ["vitis-run", "--tcl", "build_prj.tcl", "--mode", "hls"],
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
        ).returncode
    report = None if status else _report(folder)
    if report is None:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        what = f"failed with status {status}" if status else "left no synthesis report"
        raise CompilationError(f"Vitis HLS {what}, see {log}:\n{tail}")
    return report


def _report(folder: Path) -> dict[str, Any] | None:
    """Return the report as hls4ml reads it; None when there is none (hls4ml would print that)."""
    with redirect_stdout(io.StringIO()):
        try:
            report: dict[str, Any] | None = parse_vivado_report(str(folder))
        except (IndexError, AttributeError, OSError, ET.ParseError):
            return None
    return report if report and "CSynthesisReport" in report else None
