"""The SystemVerilog modules: where they are, which parameters they declare, which they contain."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from hyq_hls.errors import ConversionError
from hyq_hls.support import template_dir

_HEADER = re.compile(r"^module\s+(\w+)\s*#\((.*?)\n\)\s*\(", re.DOTALL | re.MULTILINE)
_PARAMETER = re.compile(
    r"^\s*parameter\s+(?:(?:int|bit|logic|string|unsigned|signed|\[[^\]]*\])\s+)*(\w+)\s*(=?)",
    re.MULTILINE,
)


def module_file(module: str) -> Path:
    """The file of a module, ``hyq_<name>.sv``.

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
    """Parameters in the header of ``module``, and whether each has a default value."""
    header = _HEADER.search(module_file(module).read_text(encoding="utf-8"))
    if header is None or header.group(1) != module:
        raise ConversionError(f"{module}.sv: `module {module} #(` with a parameter list is wanted")
    return {name: default == "=" for name, default in _PARAMETER.findall(header.group(2))}


def needed_modules(modules: set[str]) -> list[str]:
    """``modules`` and everything that they instantiate, sorted."""
    done: set[str] = set()
    waiting = sorted(modules)
    while waiting:
        module = waiting.pop()
        if module not in done:
            done.add(module)
            waiting += sorted(_instantiated(module) - done)
    return sorted(done)


@cache
def _instantiated(module: str) -> frozenset[str]:
    text = module_file(module).read_text(encoding="utf-8")
    return frozenset(re.findall(r"^\s*(hyq_\w+)\s*#?\s*\(", text, re.MULTILINE)) | frozenset(
        re.findall(r"^\s*(hyq_\w+)\s+u_\w+", text, re.MULTILINE)
    )
