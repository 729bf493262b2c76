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


def check_bambu_part(part: str) -> None:
    """Raise :class:`ConversionError` for a part that Bambu 2024.10 does not know."""
    if part not in _BAMBU_DEVICES:
        raise ConversionError(
            f"hls='bambu': Bambu has no device for part {part}; it has {', '.join(_BAMBU_DEVICES)}"
        )


def build_bambu_sh(flow: Dataflow, project: str, part: str, clock_mhz: float) -> str:
    """Return ``build_bambu.sh``, whose one command turns the C++ into Verilog."""
    device, period = _BAMBU_DEVICES[part], f"{1000 / clock_mhz:.3f}"
    return _BUILD_BAMBU.format(banner=flow.banner, project=project, device=device, period=period)


def fifo_places(flow: Dataflow) -> int:
    """Return the words that no FIFO of the C++ needs more than: a tensor, or a row and its wait."""
    inside = [m.depth for s in flow.operations for m in s.circuit.inner_streams(s.folding)]
    return max([*inside, *(stream.beats for stream in flow.streams.values())])
