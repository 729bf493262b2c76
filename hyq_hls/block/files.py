"""The files beside a design by which other tools take it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from hyq_hls.block.component import Component
from hyq_hls.block.ipxact import component_xml

COMPONENT_FILE = "component.xml"
PAGE = "integration.md"


def write_block_files(component: Component, page: str, folder: Path) -> None:
    """Write file list, FuseSoC core, IP-XACT component and the page for people.

    Args:
        component: the block; its sources lie in the folder.
        page: text of ``integration.md``.
        folder: folder of the project.
    """
    project = component.project
    texts = {
        f"{project}.f": file_list(component),
        f"{project}.core": core_file(component),
        COMPONENT_FILE: component_xml(component),
        PAGE: page,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def file_list(component: Component) -> str:
    """Return the sources in compile order, as simulators read them with ``-f`` or ``-F``."""
    return "\n".join([f"// {component.banner}", *component.sources, ""])


def core_file(component: Component) -> str:
    """Return the core file of FuseSoC, in CAPI2."""
    files: list[Any] = [
        {path: {"file_type": _file_type(path)}} if path.endswith(".v") else path
        for path in component.sources
    ]
    sets: dict[str, Any] = {"rtl": {"files": files, "file_type": "systemVerilogSource"}}
    if component.memories:
        # A simulator runs in the folder to which they are copied, where MemoryDir finds them.
        copies = [
            {path: {"file_type": "user", "copyto": path.removeprefix("rtl/")}}
            for path in component.memories
        ]
        sets["memories"] = {"files": copies}
    if component.extras:
        sets["extras"] = {"files": [*component.extras], "file_type": "systemVerilogSource"}
    parameters = {
        name: {
            "datatype": "str",
            "default": value,
            "paramtype": "vlogparam",
            "description": "folder of the memory files",
        }
        for name, value in component.parameters.items()
    }
    lint = _target(component, sets) | {
        "flow": "lint",
        "flow_options": {"tool": "verilator", "verilator_options": ["-Wall"]},
    }
    core = {
        "name": f"hyq_hls:hyq:{component.project}:{component.version}",
        "description": component.description,
        "filesets": sets,
        **({"parameters": parameters} if parameters else {}),
        "targets": {"default": _target(component, sets), "lint": lint},
    }
    text = yaml.safe_dump(core, sort_keys=False, width=100)
    return f"CAPI=2:\n# {component.banner}\n{text}"


def _target(component: Component, sets: Mapping[str, Any]) -> dict[str, Any]:
    used = [name for name in sets if name != "extras"]
    parameters = {"parameters": [*component.parameters]} if component.parameters else {}
    return {"filesets": used, "toplevel": component.top, **parameters}


def _file_type(path: str) -> str:
    return {".v": "verilogSource", ".sv": "systemVerilogSource"}[PurePosixPath(path).suffix]
