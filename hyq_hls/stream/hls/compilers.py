"""The HLS compilers that a project can be written for, and what Bambu alone needs."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hyq_hls.errors import ConversionError
from hyq_hls.stream.flow import Dataflow
from hyq_hls.support import template_dir

Compiler = Literal["vitis", "bambu"]
COMPILERS: tuple[Compiler, ...] = ("vitis", "bambu")

#: Devices of Bambu 2024.10 by the short name of the part, as the tool spells them.
_BAMBU_DEVICES = {"xc7z020": "xc7z020-1clg484-VVD", "xc7z045": "xc7z045-2ffg900-VVD"}
_BUILD_BAMBU = """#!/bin/bash
# {banner}
# Usage: ./build_bambu.sh [more options of bambu]
# Bambu leaves {project}.v in the folder bambu. It has its own ap_int.h and hls_stream.h.
set -e
cd "$(dirname "$0")"
mkdir -p bambu
cd bambu
exec bambu ../firmware/{project}.cpp \\
    --top-fname={project} \\
    --std=c++14 \\
    -I../firmware \\
    --compiler=I386_CLANG16 \\
    --generate-interface=INFER \\
    --hls-div=none \\
    --reset-type=sync \\
    --reset-level=low \\
    --device-name={device} \\
    --clock-period={period} \\
    "$@"
"""


def check_compiler(name: str) -> Compiler:
    """Return the name of a compiler.

    Raises:
        ConversionError: there is no such compiler.
    """
    for known in COMPILERS:
        if name == known:
            return known
    raise ConversionError(f"hls={name!r}: {' or '.join(COMPILERS)} is wanted")


def target_header(compiler: Compiler) -> Path:
    """Return the header with the integers, streams and directives of a compiler."""
    templates = template_dir()
    return templates / "target.h" if compiler == "vitis" else templates / "targets" / "bambu.h"


def check_bambu(flow: Dataflow, part: str) -> None:
    """Refuse what Bambu 2024.10 would turn into wrong Verilog, or has no device for.

    An operation with processes of its own passes its memories to them. Bambu makes ports of such
    arguments, and drives none.

    Raises:
        ConversionError: the part is unknown to Bambu, or an operation is of this kind.
    """
    if part not in _BAMBU_DEVICES:
        raise ConversionError(
            f"hls='bambu': Bambu has no device for part {part}; it has {', '.join(_BAMBU_DEVICES)}"
        )
    for stage in flow.operations:
        template = template_dir() / f"{stage.circuit.module}.h"
        has_processes = "HYQ_DATAFLOW" in template.read_text(encoding="utf-8")
        if has_processes and stage.arguments.roms:
            raise ConversionError(
                f"{stage.node.name}: {stage.node.operation.name} passes constant memories to "
                "processes of its own, and Bambu would leave them undriven; write the project with "
                "hls='vitis', or convert a network without this operation"
            )


def build_bambu_sh(flow: Dataflow, project: str, part: str, clock_mhz: float) -> str:
    """Return ``build_bambu.sh``, whose one command turns the C++ into Verilog."""
    device, period = _BAMBU_DEVICES[part], f"{1000 / clock_mhz:.3f}"
    return _BUILD_BAMBU.format(banner=flow.banner, project=project, device=device, period=period)


def fifo_places(flow: Dataflow) -> int:
    """Return the words that no FIFO of the C++ needs more than: a tensor, or a row and its wait.

    A constant of a circuit that ends in ``_depth`` counts the words of a row buffer; its template
    adds at most 64 for its pipeline.
    """
    constants = [stage.arguments.constants for stage in flow.operations]
    rows = [n + 64 for table in constants for name, n in table.items() if name.endswith("_depth")]
    return max([*rows, *(stream.beats for stream in flow.streams.values())])
