"""The folder of a project: C++, RTL, the program for people and for the engine, constants."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hyq_hls.engine.block import write_block
from hyq_hls.engine.csim import write_csim
from hyq_hls.engine.fields import VERSION
from hyq_hls.engine.layout import TensorLayout
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.predict import Prediction
from hyq_hls.engine.program import Program
from hyq_hls.engine.rtl import (
    TOP,
    module_file,
    module_sources,
    rtl_folders,
    rtl_parameters,
)
from hyq_hls.graph import Graph
from hyq_hls.machine.output_meaning import meaning_of_codes
from hyq_hls.version import LICENCE, __version__

RTL_DIR = "rtl"
ENGINE_FILE = "engine.json"
PROGRAM_FILE, PROGRAM_TEXT, CONSTANTS_FILE = "program.bin", "program.txt", "constants.bin"
_ORIGIN = f"Written by hyq_hls {__version__}: an engine for the program in {PROGRAM_FILE}."
_BANNER = f"{_ORIGIN} {LICENCE}"
_PORT = re.compile(r"^  (input|output) +logic +(\[[^]]+\] )? *(\w+),?$", re.MULTILINE)
_WRAPPER = """\
// {banner}
//
// The engine as a block design takes it: in Verilog, with the sizes of this project.
module {project} (
{ports}
);

  {top} #(
{parameters}
  ) u_engine (
{connections}
  );

endmodule
"""
_CLOCK = '  (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF s_axi:m_axi, ASSOCIATED_RESET rst_ni" *)\n'


def write_project(
    folder: Path, graph: Graph, program: Program, prediction: Prediction, project: str, mhz: float
) -> None:
    """Write a project into an empty folder.

    Args:
        folder: the folder.
        graph: what the engine computes.
        program: its program.
        prediction: the cycles of the program.
        project: name of the top function and of the top module.
        mhz: target clock.

    Raises:
        CompilationError: hls4ml, whose open ``ap_int.h`` the C++ includes, is not installed.
    """
    write_csim(program.sizes, folder, project)
    rtl = folder / RTL_DIR
    rtl.mkdir()
    for source in module_sources([TOP], rtl_folders()):
        shutil.copy(source, rtl)
    (rtl / f"{project}.v").write_text(wrapper_v(program.sizes, project), encoding="utf-8")
    (folder / PROGRAM_FILE).write_bytes(program.code)
    (folder / PROGRAM_TEXT).write_text(program.text(), encoding="utf-8")
    (folder / CONSTANTS_FILE).write_bytes(program.constants.tobytes())
    described = _described(graph, program, prediction, mhz)
    text = json.dumps(described, indent=1) + "\n"
    (folder / ENGINE_FILE).write_text(text, encoding="utf-8")
    write_block(folder, project, described)


def wrapper_v(sizes: Sizes, project: str) -> str:
    """Return the top module: the engine with its sizes, in Verilog."""
    ports = _PORT.findall(module_file(TOP, rtl_folders()).read_text(encoding="utf-8"))
    declared = [f"  {way:<6} wire {width}{name}" for way, width, name in ports]
    parameters = rtl_parameters(sizes)
    return _WRAPPER.format(
        banner=_BANNER,
        project=project,
        top=TOP,
        ports=_CLOCK + ",\n".join(declared),
        parameters=",\n".join(f"    .{name}({value})" for name, value in parameters.items()),
        connections=",\n".join(f"    .{name}({name})" for _, _, name in ports),
    )


def _described(
    graph: Graph, program: Program, prediction: Prediction, mhz: float
) -> dict[str, Any]:
    """Return what a person, or a driver, must know beside the binary files."""
    return {
        "generator": _ORIGIN,
        "instruction_set": VERSION,
        "sizes": asdict(program.sizes),
        "clock_mhz": mhz,
        "cycles_per_frame": prediction.cycles,
        "frames_per_second": round(mhz * 1e6 / prediction.cycles, 2),
        "cycles_by_kind": prediction.by_kind,
        "cycles_by_node": prediction.by_node,
        "dram_read_bytes": prediction.read,
        "dram_written_bytes": prediction.written,
        "program": {"file": PROGRAM_FILE, "instructions": len(program.instructions)},
        # In the order of the base registers; docs/engine.md describes layouts and registers.
        "memory": {
            "constants": {"file": CONSTANTS_FILE, "bytes": program.constants.size},
            "input": _tensor(program.input),
            "output": _tensor(program.output),
            "scratch": {"bytes": program.scratch},
        },
        **meaning_of_codes(graph),
    }


def _tensor(layout: TensorLayout) -> dict[str, int]:
    return {"bytes": layout.size, "row_bytes": layout.pitch, **asdict(layout)}
