"""Bambu, where it is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from hyq_hls.errors import CompilationError
from hyq_hls.tools.logged import log_error, run_logged

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


def run_bambu(folder: Path, project: str) -> Path:
    """Let Bambu turn the C++ of a project into Verilog, and return the Verilog file.

    Args:
        folder: project written by ``convert`` with ``hls="bambu"``.
        project: name of its top function.

    Raises:
        CompilationError: Bambu is not installed, it failed, or it left no Verilog.
    """
    require_bambu()
    output, log = folder / BAMBU_DIR, folder / "bambu.log"
    shutil.rmtree(output, ignore_errors=True)  # its Verilog is not that of this run
    run_logged("Bambu", [f"./{BUILD_BAMBU}"], log, folder)
    verilog = output / f"{project}.v"
    if not verilog.is_file():
        raise log_error(f"Bambu left no {verilog.name}", log)
    return verilog
