"""An RTL project on disk: the top level, the modules that it needs, and the memory files."""

from __future__ import annotations

import shutil
from pathlib import Path

from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.rtl.embedded import Memories, either_form, package_name, package_sv
from hyq_hls.stream.rtl.memories import memory_text
from hyq_hls.stream.rtl.modules import module_file, needed_modules
from hyq_hls.stream.rtl.parameters import memory_name
from hyq_hls.stream.rtl.top import modules_of, top_sv

MEMORY_DIR = "memory"


def write_rtl(
    flow: Dataflow, folder: Path, project: str, memories: Memories = "files"
) -> list[Path]:
    """Write ``<project>.sv``, ``hyq/*.sv`` and ``memory/*.mem`` into ``folder``.

    The same dataflow gives the same bytes.

    Args:
        flow: stages and streams.
        folder: where to write.
        project: name of the top level.
        memories: where the top level has its constants from: the files, or a package. The files
            are written in any case, for circuits that are simulated or synthesized alone.

    Returns:
        The SystemVerilog files, the top level last.

    Raises:
        ConversionError: an operation has no module, or its module needs a parameter that the
            operation does not give.
    """
    package = package_name(project) if memories == "embedded" else None
    top = top_sv(flow, project, package)
    files, modules = folder / MEMORY_DIR, folder / "hyq"
    for path in (files, modules):
        path.mkdir(parents=True)
    sources = []
    for module in needed_modules(modules_of(flow)):
        sources.append(modules / f"{module}.sv")
        shutil.copyfile(module_file(module), sources[-1])
        if package is not None:
            sources[-1].write_text(either_form(sources[-1].read_text("utf-8")), encoding="utf-8")
    for stage in flow.operations:
        for rom in stage.arguments.roms:
            (files / memory_name(stage, rom.name)).write_text(memory_text(rom))
    if package is not None:
        sources.append(modules / f"{package}.sv")
        sources[-1].write_text(package_sv(flow, project), encoding="utf-8")
    sources.append(folder / f"{project}.sv")
    sources[-1].write_text(top, encoding="utf-8")
    return sources
