"""Write what vendor tools and boards need: project scripts, constraints, a driver."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from hyq_hls.machine.output_meaning import meaning_of_codes
from hyq_hls.parts import Part
from hyq_hls.stream.board.words import WordFormat
from hyq_hls.stream.board.wrapper import wrapper_v
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.rtl.modules import needed_modules
from hyq_hls.support import template_dir

BOARD_DIR = "board"


def write_board_files(
    flow: Dataflow, folder: Path, project: str, part: Part, clock_mhz: float
) -> None:
    """Write scripts for Vivado and a driver for PYNQ into ``folder``; see docs/boards.md.

    The scripts are the same for every project. What differs stands in ``settings.tcl`` (part,
    clock, word widths), ``clock.xdc`` and ``streams.json``, which the driver reads.

    Args:
        flow: what was written as RTL and HLS C++.
        folder: a new folder; ``rtl`` with the RTL is expected beside it when the scripts run.
        project: name of the project.
        part: the part, with the name of its device.
        clock_mhz: target clock.
    """
    shutil.copytree(template_dir("board_templates"), folder, ignore=_PYTHON_CACHE)
    source, sink = (WordFormat.of(flow.streams[name]) for name in (flow.source, flow.sink))
    for backend, core in (("rtl", project), ("hls", f"{project}_vitis")):
        (folder / backend).mkdir()
        text = wrapper_v(project, core, flow.banner, source, sink, memories=backend == "rtl")
        (folder / backend / f"{project}_dma.v").write_text(text, encoding="utf-8")
    settings = {
        "project": project,
        "part": part.device,
        "family": part.family,
        "clock_mhz": f"{clock_mhz:g}",
        "input_bytes": source.word_bytes,
        "output_bytes": sink.word_bytes,
        "port_modules": f"{{{' '.join(needed_modules({'hyq_axis_input', 'hyq_axis_output'}))}}}",
    }
    lines = [f"# {flow.banner}", *(f"set {name} {value}" for name, value in settings.items())]
    (folder / "settings.tcl").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / "clock.xdc").write_text(
        f"# {flow.banner}\n"
        f"create_clock -name aclk -period {1000 / clock_mhz:.3f} [get_ports aclk]\n",
        encoding="utf-8",
    )
    streams = {
        "generator": flow.origin,
        "project": project,
        "clock_mhz": clock_mhz,
        "input": asdict(source),
        "output": asdict(sink),
        **meaning_of_codes(flow.graph),
    }
    (folder / "streams.json").write_text(json.dumps(streams, indent=1) + "\n", encoding="utf-8")


_PYTHON_CACHE = shutil.ignore_patterns("__pycache__")
