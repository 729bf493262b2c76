"""The engine as a block: what other tools must know of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hyq_hls.block import Component, Port, Register, write_block_files
from hyq_hls.block.component import axi_memory, clock_and_reset, interrupt
from hyq_hls.block.markdown import file_table, port_table, register_table, table
from hyq_hls.engine.layout import words_of
from hyq_hls.engine.machine_sizes import WORD
from hyq_hls.engine.predict import Rates
from hyq_hls.engine.rtl import TOP, module_sources
from hyq_hls.version import __version__

REGISTERS = (
    Register(
        0x00,
        "CONTROL",
        "read-write",
        "write 1: start while idle; write 2: soft reset. Read: bit 0 busy, bit 1 done since the "
        "last start, bit 2 error, bit 3 a soft reset is under way",
    ),
    Register(
        0x04,
        "STATUS",
        "read-only",
        "bits 7:0 error: 0 none, 1 version, 2 queue, 3 read response, 4 write response, 5 target; "
        "bits 31:8 index of the instruction",
    ),
    Register(
        0x08,
        "VERSION",
        "read-only",
        "bits 7:0 version of the instruction set, 15:8 outputs, 19:16 inputs, 27:20 pixels",
    ),
    Register(0x0C, "LENGTH", "read-write", "instructions of the program"),
    Register(0x10, "PROGRAM", "read-write", "address of the program, a multiple of 64"),
    Register(0x14, "BASE0", "read-write", "address of the constants, a multiple of 8"),
    Register(0x18, "BASE1", "read-write", "address of the input, a multiple of 8"),
    Register(0x1C, "BASE2", "read-write", "address of the output, a multiple of 8"),
    Register(0x20, "BASE3", "read-write", "address of the scratch memory, a multiple of 8"),
    Register(
        0x24,
        "INTERRUPT",
        "read-write",
        "bit 0 enable; the interrupt is high while done and enabled; write CONTROL to clear",
    ),
    Register(0x28, "IDENTITY", "read-only", "0x48595145"),
    Register(0x2C, "FRAMES", "read-only", "programs without an error since the last reset"),
    Register(0x30, "FRAME_ERRORS", "read-only", "programs with an error since the last reset"),
    Register(0x40, "CYCLES", "read-only", "cycles since the start, stands still when done"),
    *(
        Register(0x44 + 4 * i, f"BUSY{i}", "read-only", f"cycles in which the {unit} unit runs")
        for i, unit in enumerate(("load", "store", "array", "move", "softmax", "norm"))
    ),
    Register(0x5C, "READ", "read-only", "beats of 8 bytes that were read"),
    Register(0x60, "WRITTEN", "read-only", "beats of 8 bytes that were written"),
    Register(0x64, "ENDED", "read-only", "instructions that have ended"),
)
_PORT = re.compile(r"^ +(input|output) +wire +(?:\[(\d+):0\] +)?(\w+)", re.MULTILINE)


def write_block(folder: Path, project: str, described: Mapping[str, Any]) -> None:
    """Write the files by which other tools take the engine; see docs/block.md.

    Args:
        folder: folder of the project, with the RTL.
        project: name of the project and of the top module.
        described: what ``engine.json`` holds.
    """
    component = block_component(folder, project, described["generator"])
    write_block_files(component, _page(component, described), folder)


def block_component(folder: Path, project: str, banner: str) -> Component:
    """Describe the engine of a project for other tools."""
    rtl = folder / "rtl"
    top = rtl / f"{project}.v"
    ports = _ports(top.read_text(encoding="utf-8"))
    lite = axi_memory("s_axi", "slave", ports, "AXI4LITE")
    memory = axi_memory("m_axi", "master", ports, "AXI4")
    sources = [*module_sources([TOP], [rtl]), top]
    return Component(
        project=project,
        top=project,
        version=__version__,
        banner=banner,
        description="Engine that runs a network of integers from DRAM, layer by layer",
        ports=ports,
        buses=(
            *(lite, memory),
            *clock_and_reset("clk_i", "rst_ni", ["s_axi", "m_axi"]),
            interrupt("interrupt_o"),
        ),
        registers=REGISTERS,
        sources=tuple(path.relative_to(folder).as_posix() for path in sources),
    )


def _ports(verilog: str) -> tuple[Port, ...]:
    """Return the ports of the wrapper, which are those of the engine."""
    header = verilog.split(");", 1)[0]
    return tuple(
        Port(name, "in" if way == "input" else "out", int(high or 0) + 1)
        for way, high, name in _PORT.findall(header)
    )


def _page(component: Component, described: Mapping[str, Any]) -> str:
    """Return ``integration.md``."""
    clock, cycles, memory = (
        described["clock_mhz"],
        described["cycles_per_frame"],
        described["memory"],
    )
    program = described["program"]
    buffers = [
        ("PROGRAM", f"`{program['file']}`", str(64 * program["instructions"]), "64"),
        ("BASE0", f"`{memory['constants']['file']}`", str(memory["constants"]["bytes"]), "8"),
        ("BASE1", "the input, written for every frame", str(memory["input"]["bytes"]), "8"),
        ("BASE2", "the output", str(memory["output"]["bytes"]), "8"),
        ("BASE3", "scratch, which the host leaves alone", str(memory["scratch"]["bytes"]), "8"),
    ]
    sections = [
        f"# {component.project} in a design of your own",
        component.banner,
        "## Files",
        file_table(
            component,
            [
                (f"`rtl/{component.top}.v`", "the engine with the sizes of this project"),
                ("`engine.json`", "all numbers of this page and more, for programs"),
            ],
        ),
        "## Ports",
        port_table(component),
        "## Clock and reset",
        f"There is one clock, `clk_i`, made for {clock:g} MHz; every port belongs to it. `rst_ni` "
        "is active low. It resets at once, without a clock edge (asynchronous assertion), and must "
        "be released synchronously to `clk_i`, 1 cycle or more after it began; AXI4 asks for 16 "
        "cycles where other blocks share it.",
        "## DRAM",
        "`m_axi` reads and writes 64 bits. Its bursts have rising addresses, 1 to 16 beats, and "
        "cross no border of 4 KB, so that a port of AXI3 takes them. It has no names of transfers "
        "(ID) and keeps the order. The buffers lie where the host likes:",
        table(("register", "what lies there", "bytes", "multiple of"), buffers),
        "## A frame",
        f"1. Once: write {program['instructions']} to LENGTH, the addresses to PROGRAM and BASE0 "
        "to BASE3, and 1 to INTERRUPT if you want it.\n"
        "2. Write the codes of the input.\n"
        "3. Write 1 to CONTROL, and wait for the interrupt or for bit 1 of CONTROL.\n"
        "4. Look whether bit 2 of CONTROL is 0, and read the codes of the output.\n\n"
        f"A frame takes {cycles:,} cycles in front of a memory that never stalls and answers a "
        f"burst after {Rates().latency} cycles: {clock * 1e6 / cycles:,.1f} frames/s at {clock:g} "
        "MHz. This is the latency too, because one frame is computed at a time.",
        "## Soft reset",
        "Write 2 to CONTROL, and wait until it reads 0. The engine stops behind the instruction "
        "that runs, when DRAM has answered all of its transfers; so a soft reset breaks no "
        "transfer, and a DRAM that does not answer holds it up. Then the registers are as they are "
        "after `rst_ni`: no program is done, counters are 0, the interrupt is off. LENGTH, PROGRAM "
        "and BASE0 to BASE3 keep their values.",
        "## Words",
        f"A model takes a byte of an image as this value: {described['normalization']}. Its "
        "code is the byte itself. The table, and `engine.json`, have the layout of input and "
        "output in memory: rows of pixels, each with a byte per channel and then zeros. A code of "
        "more bytes lies in as many planes, that of the highest byte first, and a plane has all "
        "rows. The smallest code is stored as 0. The value of an output code is "
        "scale * (code - zero point).",
        table(
            (
                "",
                "rows",
                "pixels",
                "channels",
                "bytes of a pixel",
                "bytes of a row",
                "bytes of a code",
                "smallest code",
            ),
            [
                (
                    name,
                    *(str(memory[name][key]) for key in ("rows", "pixels", "channels")),
                    str(WORD * words_of(memory[name]["channels"])),
                    *(str(memory[name][key]) for key in ("row_bytes", "planes", "qmin")),
                )
                for name in ("input", "output")
            ],
        ),
        f"Scale of the output: {_numbers(described['scale'])}; zero point: "
        f"{_numbers(described['zero_point'])}.",
        "## Registers behind s_axi",
        "Registers have 32 bits, and a write writes all of them. An address without a register "
        "reads as zero, and every access is answered by OKAY.",
        register_table(component),
    ]
    return "\n\n".join([*sections, ""])


def _numbers(values: list[float]) -> str:
    return json.dumps(values) if len(values) <= 8 else f"{len(values)} numbers in engine.json"
