"""Constant memories in the RTL itself, in the place of files that a tool must find.

A package holds every memory as one number. It travels in the parameter in which otherwise the name
of a file stands, below a byte of zeros, which no name begins with. The modules that read a memory
are written in a form that takes both, because the circuits above them know nothing of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from hyq_hls.errors import ConversionError
from hyq_hls.stream.arguments import RequantizeRom, Rom
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.rtl.memories import memory_bits
from hyq_hls.stream.rtl.parameters import memory_name

Memories = Literal["files", "embedded"]
#: Bits of a part of a number; Verilator takes no literal of more than 65,536.
_PART = 512

_FROM_FILE = re.compile(
    r"^( *)initial begin : load\n *\$readmemh\(File, memory\);\n *end$", re.MULTILINE
)
_FROM_EITHER = r"""\1if ($bits(File) == Width * Depth + 8) begin : gen_embedded
\1  initial begin : load
\1    for (int unsigned i = 0; i < Depth; i++) memory[i] = File[i*Width +: Width];
\1  end
\1end else begin : gen_file
\1  initial begin : load
\1    $readmemh(File, memory);
\1  end
\1end"""


def check_memories(value: str) -> Memories:
    """Return a choice of where constants stand.

    Raises:
        ConversionError: there is no such choice.
    """
    for known in get_args(Memories):
        if value == known:
            return known  # type: ignore[no-any-return]
    raise ConversionError(f'memories={value!r}: "files" or "embedded" is wanted')


def package_name(project: str) -> str:
    """Return the name of the package with the memories of a project."""
    return f"{project}_memories_pkg"


def package_sv(flow: Dataflow, project: str) -> str:
    """Return the package with all constant memories of a dataflow."""
    lines = [
        f"// {flow.banner}",
        "//",
        "// Word 0 of a memory has the lowest bits; a byte of zeros lies above the last word.",
        f"package {package_name(project)};",
    ]
    for stage in flow.operations:
        for rom in stage.arguments.roms:
            # The name of the file, without its ending.
            lines += ["", *_constant(Path(memory_name(stage, rom.name)).stem, rom)]
    return "\n".join([*lines, "", "endpackage", ""])


def either_form(text: str) -> str:
    """Return a module in the form that takes a memory from a file or from its parameter."""
    changed, count = _FROM_FILE.subn(_FROM_EITHER, text)
    assert count == text.count("$readmemh("), "every module reads its memories in the same words"
    return changed


def _constant(name: str, rom: Rom | RequantizeRom) -> list[str]:
    last_word_first = memory_bits(rom)[::-1]
    digits = (last_word_first + np.uint8(ord("0"))).tobytes().decode("ascii")
    parts = [digits[max(end - _PART, 0) : end] for end in range(len(digits), 0, -_PART)]
    literals = [f"{len(part)}'h{int(part, 2):x}" for part in reversed(parts)]
    lines = [f"    {literal}," for literal in ("8'h00", *literals)]
    lines[-1] = lines[-1].removesuffix(",")
    return [f"  localparam logic [{len(digits) + 7}:0] {name} = {{", *lines, "  };"]
