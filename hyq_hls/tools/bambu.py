"""Bambu, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from hyq_hls.errors import CompilationError, InputError
from hyq_hls.support.processes import run

#: The script in a project, and the folder where its Verilog appears.
BUILD_BAMBU = "build_bambu.sh"
BAMBU_DIR = "bambu"


def require_bambu() -> None:
    """Raise :class:`CompilationError` unless Bambu is on PATH."""
    if shutil.which("bambu") is None:
        raise CompilationError(
            "bambu was not found: building needs PandA Bambu 2024.10 on PATH, as a command of this "
            "name (rename or link its AppImage). C simulation (compile, predict) needs only g++."
        )


def build(folder: Path, project: str, testbench: bool = False) -> dict[str, str]:
    """Let Bambu turn the C++ of a project into Verilog.

    Args:
        folder: project written by ``convert`` with ``hls="bambu"``.
        project: name of its top function.
        testbench: whether a test bench was asked for, which is refused.

    Returns:
        The path of the file as ``Verilog``.

    Raises:
        CompilationError: Bambu is not installed, it failed, or it left no Verilog.
        InputError: a test bench was asked for.
    """
    if testbench:
        raise InputError("Bambu runs no test bench: give neither images nor cosim")
    require_bambu()
    output = folder / BAMBU_DIR
    shutil.rmtree(output, ignore_errors=True)  # its Verilog is not that of this run
    log = folder / "bambu.log"
    with log.open("w") as stream:
        status = run(
            [f"./{BUILD_BAMBU}"], cwd=folder, stdout=stream, stderr=subprocess.STDOUT
        ).returncode
    verilog = output / f"{project}.v"
    if status or not verilog.is_file():
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        what = f"failed with status {status}" if status else f"left no {project}.v"
        raise CompilationError(f"Bambu {what}, see {log}:\n{tail}")
    return {"Verilog": str(verilog)}
