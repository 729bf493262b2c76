"""Yosys passes in a process of their own: an error in a pass ends the interpreter it runs in."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from hyq_hls.errors import CompilationError
from hyq_hls.tools.logged import run_logged

_SCRIPT = """\
import sys
from pyosys import libyosys as yosys
design = yosys.Design()
for command in sys.argv[1:]:
    yosys.run_pass(command, design)
"""


def run_yosys(commands: Sequence[str], log: Path, cwd: Path) -> None:
    """Run passes one after the other on one design that is empty at first.

    Args:
        commands: passes as Yosys' own scripts have them, such as ``write_json top.json``.
        log: file for all that the passes print.
        cwd: folder to which the commands' paths are relative.

    Raises:
        CompilationError: pyosys is missing, or a pass failed; shows the log's last lines.
    """
    yosys_share()
    command = [sys.executable, "-c", _SCRIPT, *commands]
    run_logged("Yosys", command, log, cwd, {**os.environ, "LC_ALL": "C"})


def read_rtl(folder: Path, project: str, *options: str) -> list[str]:
    """Return commands that read what :func:`hyq_hls.stream.rtl.write_rtl` wrote, and its memories.

    They are for :func:`run_yosys` with ``cwd=folder``, where the memory files are looked for.

    Args:
        folder: folder of the RTL project.
        project: name of its top module.
        options: options of ``read_slang``, such as ``--keep-hierarchy``.

    Raises:
        CompilationError: there is no such project.
    """
    top = folder / f"{project}.sv"
    if not top.is_file():
        raise CompilationError(
            f"{top} does not exist; a folder with a project of that name is wanted, "
            "such as the rtl folder that convert() writes"
        )
    modules = sorted(path.relative_to(folder).as_posix() for path in folder.glob("hyq/*.sv"))
    sources = " ".join([*modules, top.name])
    return [
        " ".join(["read_slang", "--top", project, *options, sources]),
        f"hierarchy -check -top {project}",
    ]


def yosys_version() -> str:
    """Return the version of the installed pyosys.

    Raises:
        CompilationError: pyosys is not installed.
    """
    yosys_share()
    return version("pyosys")


def yosys_share() -> Path:
    """Return the folder of Yosys' own data: cell libraries, C++ headers of CXXRTL.

    Raises:
        CompilationError: pyosys is not installed.
    """
    spec = find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise CompilationError("Yosys was not found; install it with 'pip install pyosys==0.70'")
    return Path(spec.origin).parent / "share"
