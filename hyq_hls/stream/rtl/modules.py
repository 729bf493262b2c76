"""The SystemVerilog modules: their files, the parameters they declare, the modules they need."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from hyq_hls.errors import ConversionError
from hyq_hls.support import template_dir
from hyq_hls.tools.systemverilog import declared

_PACKAGE = re.compile(r"\b(\w+_pkg)::")


def module_file(module: str) -> Path:
    """Return the file of a module, ``hyq_<name>.sv``.

    Raises:
        ConversionError: there is no such module.
    """
    path = template_dir("rtl_templates") / f"{module}.sv"
    if not path.is_file():
        raise ConversionError(
            f"there is no SystemVerilog module {module}; an operation needs one in {path.name}"
        )
    return path


@cache
def declared_parameters(module: str) -> dict[str, bool]:
    """Return the parameters in the header of ``module``, and whether each has a default value."""
    return declared(module, module_file(module).read_text(encoding="utf-8"))


def needed_modules(modules: set[str]) -> list[str]:
    """Return ``modules`` and all that they instantiate or import, sorted, packages first."""
    done: set[str] = set()
    waiting = sorted(modules)
    while waiting:
        module = waiting.pop()
        if module not in done:
            done.add(module)
            waiting += sorted(_instantiated(module) - done)
    return sorted(done, key=_order)


def rtl_sources(folder: Path, project: str | None = None) -> list[Path]:
    """Return the SystemVerilog files of a written RTL project, in the order of reading.

    :func:`~hyq_hls.stream.rtl.write_rtl` wrote them.

    Args:
        folder: folder of the RTL project.
        project: name of the top level, which comes last; None returns only the modules.
    """
    modules = sorted((folder / "hyq").glob("*.sv"), key=lambda path: _order(path.stem))
    return modules if project is None else [*modules, folder / f"{project}.sv"]


def _order(module: str) -> tuple[bool, str]:
    return not module.endswith("_pkg"), module


@cache
def _instantiated(module: str) -> frozenset[str]:
    text = module_file(module).read_text(encoding="utf-8")
    return frozenset(re.findall(r"^\s*(hyq_\w+)\s*#?\s*\(", text, re.MULTILINE)) | frozenset(
        re.findall(r"^\s*(hyq_\w+)\s+u_\w+", text, re.MULTILINE) + _PACKAGE.findall(text)
    )
