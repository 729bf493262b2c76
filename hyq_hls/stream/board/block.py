"""The streaming machine as a block: its wrapper with registers, and what other tools must know."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

from hyq_hls.block import Component, Port, Register, write_block_files
from hyq_hls.block.component import axi_memory, axi_stream, clock_and_reset, interrupt
from hyq_hls.stream.board.integration import integration_page
from hyq_hls.stream.board.words import WordFormat
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.rtl.embedded import Memories
from hyq_hls.stream.rtl.modules import rtl_sources
from hyq_hls.stream.rtl.project import MEMORY_DIR
from hyq_hls.support import template_dir
from hyq_hls.version import __version__

BLOCK_DIR = "block"
#: Modules of the wrapper, and one that a design may put in front of it.
WRAPPER_MODULES = ("hyq_axi_lite", "hyq_block_control")
EXTRA_MODULES = ("hyq_video_input",)
#: Of the register map; a map with other meanings gets another number.
MAP_VERSION = 1
REGISTERS = (
    Register(0x00, "IDENTITY", "read-only", "0x48595131: a block of hyq_hls"),
    Register(
        0x04,
        "VERSION",
        "read-only",
        "bits 31:24 version of this register map; 23:0 version of hyq_hls, a byte for each number",
    ),
    Register(0x08, "DESIGN", "read-only", "tells this network and its folding from others"),
    Register(
        0x0C,
        "CONTROL",
        "write-only",
        "bit 0 soft reset; bit 1, with bit 0: wait neither for source nor sink",
    ),
    Register(
        0x10,
        "STATUS",
        "read-only",
        "bit 0 a soft reset is under way; bit 1 frames are inside",
    ),
    Register(0x14, "FRAMES_OUT", "read-only", "frames that left since the last reset; wraps"),
    Register(0x18, "FRAMES_IN", "read-only", "TLAST that came in since the last reset; wraps"),
    Register(
        0x1C,
        "FRAME_ERRORS",
        "read-only",
        "frames with a wrong TLAST since the last reset",
    ),
    Register(
        0x20,
        "INTERRUPT_ENABLE",
        "read-write",
        "bit 0 a frame left; bit 1 a frame had a wrong TLAST",
    ),
    Register(
        0x24, "INTERRUPT_STATUS", "read-write", "the same bits, set by the event; write 1 to clear"
    ),
    Register(0x28, "INPUT_BEATS", "read-only", "words of an input frame"),
    Register(0x2C, "OUTPUT_BEATS", "read-only", "words of an output frame"),
    Register(0x30, "CYCLES", "read-only", "cycles from frame to frame, by formula"),
)

_WRAPPER = """\
// {banner}
//
// {project} with registers: identity, counters, soft reset and interrupt behind AXI4-Lite. In
// Verilog, so that a block design takes it. integration.md describes ports and registers.
module {top} #(
  // Folder of the memory files.
  parameter MemoryDir = "{memory_dir}"
) (
  (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF s_axi:s_axis:m_axis, ASSOCIATED_RESET aresetn" *)
{ports}
);

  wire write;
  wire [7:0] write_address, read_address;
  wire [31:0] write_data, read_data;
  wire [3:0] write_strobe;
  wire core_aresetn, core_s_tvalid, core_s_tready, core_m_tvalid, core_m_tready, core_m_tlast;
  wire zero;
  wire [{output_high}:0] core_m_tdata;
  wire [15:0] frame_errors;

  assign m_axis_tdata = zero ? {output_bits}'d0 : core_m_tdata;

  hyq_axi_lite #(.AddressBits(8)) u_axi_lite (
    .clk_i(aclk),
    .rst_ni(aresetn),
{axi_lite}
    .write_o(write),
    .write_address_o(write_address),
    .write_data_o(write_data),
    .write_strobe_o(write_strobe),
    .read_address_o(read_address),
    .read_data_i(read_data)
  );

  hyq_block_control #(
    .Version(32'h{version:08x}),
    .Design(32'h{design:08x}),
    .InputBeats({input_beats}),
    .OutputBeats({output_beats}),
    .Cycles({cycles})
  ) u_control (
    .clk_i(aclk),
    .rst_ni(aresetn),
    .write_i(write),
    .write_address_i(write_address),
    .write_data_i(write_data),
    .write_strobe_i(write_strobe),
    .read_address_i(read_address),
    .read_data_o(read_data),
    .interrupt_o(irq),
    .s_valid_i(s_axis_tvalid),
    .s_ready_o(s_axis_tready),
    .s_last_i(s_axis_tlast),
    .core_s_valid_o(core_s_tvalid),
    .core_s_ready_i(core_s_tready),
    .core_m_valid_i(core_m_tvalid),
    .core_m_ready_o(core_m_tready),
    .core_m_last_i(core_m_tlast),
    .m_valid_o(m_axis_tvalid),
    .m_ready_i(m_axis_tready),
    .m_last_o(m_axis_tlast),
    .m_zero_o(zero),
    .core_rst_no(core_aresetn),
    .frame_errors_i(frame_errors)
  );

  {project} #(.MemoryDir(MemoryDir)) u_core (
    .aclk(aclk),
    .aresetn(core_aresetn),
    .s_axis_tdata(s_axis_tdata),
    .s_axis_tvalid(core_s_tvalid),
    .s_axis_tready(core_s_tready),
    .s_axis_tlast(s_axis_tlast),
    .m_axis_tdata(core_m_tdata),
    .m_axis_tvalid(core_m_tvalid),
    .m_axis_tready(core_m_tready),
    .m_axis_tlast(core_m_tlast),
    .frame_errors(frame_errors)
  );

endmodule
"""


def write_block(
    flow: Dataflow, folder: Path, project: str, clock_mhz: float, memories: Memories = "files"
) -> None:
    """Write ``block/`` and the files by which other tools take it; see docs/block.md.

    Args:
        flow: what was written as RTL.
        folder: folder of the project, in which ``rtl`` lies.
        project: name of the project.
        clock_mhz: target clock.
        memories: where the RTL has its constants from.
    """
    block = folder / BLOCK_DIR
    block.mkdir()
    for module in (*WRAPPER_MODULES, *EXTRA_MODULES):
        shutil.copyfile(block_module(module), block / f"{module}.sv")
    (block / f"{project}_axi.v").write_text(wrapper_v(flow, project), encoding="utf-8")
    component = block_component(flow, folder, project, memories)
    write_block_files(component, integration_page(flow, component, clock_mhz), folder)


def block_module(module: str) -> Path:
    """Return the file of a module of the wrapper."""
    return template_dir("rtl_templates") / BLOCK_DIR / f"{module}.sv"


def block_ports(flow: Dataflow) -> tuple[Port, ...]:
    """Return the ports of the wrapper."""
    source, sink = (WordFormat.of(flow.streams[name]) for name in (flow.source, flow.sink))
    return (
        Port("aclk", "in"),
        Port("aresetn", "in"),
        Port("irq", "out"),
        Port("s_axi_awaddr", "in", 8),
        Port("s_axi_awvalid", "in"),
        Port("s_axi_awready", "out"),
        Port("s_axi_wdata", "in", 32),
        Port("s_axi_wstrb", "in", 4),
        Port("s_axi_wvalid", "in"),
        Port("s_axi_wready", "out"),
        Port("s_axi_bresp", "out", 2),
        Port("s_axi_bvalid", "out"),
        Port("s_axi_bready", "in"),
        Port("s_axi_araddr", "in", 8),
        Port("s_axi_arvalid", "in"),
        Port("s_axi_arready", "out"),
        Port("s_axi_rdata", "out", 32),
        Port("s_axi_rresp", "out", 2),
        Port("s_axi_rvalid", "out"),
        Port("s_axi_rready", "in"),
        Port("s_axis_tdata", "in", 8 * source.beat_bytes),
        Port("s_axis_tvalid", "in"),
        Port("s_axis_tready", "out"),
        Port("s_axis_tlast", "in"),
        Port("m_axis_tdata", "out", 8 * sink.beat_bytes),
        Port("m_axis_tvalid", "out"),
        Port("m_axis_tready", "in"),
        Port("m_axis_tlast", "out"),
    )


def wrapper_v(flow: Dataflow, project: str) -> str:
    """Return the module ``<project>_axi``."""
    ports, sink = block_ports(flow), flow.streams[flow.sink]
    bits = next(port.width for port in ports if port.name == "m_axis_tdata")
    lite = [port.name for port in ports if port.name.startswith("s_axi_")]
    return _WRAPPER.format(
        banner=flow.banner,
        project=project,
        top=f"{project}_axi",
        memory_dir=MEMORY_DIR,
        ports=",\n".join(f"  {port.verilog}" for port in ports),
        output_high=bits - 1,
        output_bits=bits,
        axi_lite="\n".join(f"    .{name}({name})," for name in lite),
        version=_version(),
        design=design_number(flow),
        input_beats=flow.streams[flow.source].beats,
        output_beats=sink.beats,
        cycles=flow.cycles_per_frame,
    )


def design_number(flow: Dataflow) -> int:
    """Return 32 bits that depend on the operations, their folding and all constants."""
    number = 0
    for stage in flow.operations:
        text = f"{stage.name} {stage.circuit.module} {stage.folding}"
        number = zlib.crc32(text.encode(), number)
        for rom in stage.arguments.roms:
            number = zlib.crc32(rom.stored.tobytes(), number)
    return number


def block_component(
    flow: Dataflow, folder: Path, project: str, memories: Memories = "files"
) -> Component:
    """Describe the block for other tools.

    Args:
        flow: what was written.
        folder: folder of the project, with ``rtl``.
        project: name of the project.
        memories: where the RTL has its constants from.
    """
    ports = block_ports(flow)
    rtl = folder / "rtl"
    sources = [path.relative_to(folder).as_posix() for path in rtl_sources(rtl, project)]
    sources += [f"{BLOCK_DIR}/{module}.sv" for module in WRAPPER_MODULES]
    files = sorted((rtl / MEMORY_DIR).glob("*.mem")) if memories == "files" else []
    streams = [axi_stream("s_axis", "slave"), axi_stream("m_axis", "master")]
    lite = axi_memory("s_axi", "slave", ports, "AXI4LITE")
    clocked = clock_and_reset("aclk", "aresetn", ["s_axi", "s_axis", "m_axis"])
    return Component(
        project=project,
        top=f"{project}_axi",
        version=__version__,
        banner=flow.banner,
        description=f"Integer network of {len(flow.operations)} operations behind AXI4-Stream, "
        "with AXI4-Lite registers",
        ports=ports,
        buses=(lite, *streams, *clocked, interrupt("irq")),
        registers=REGISTERS,
        sources=(*sources, f"{BLOCK_DIR}/{project}_axi.v"),
        memories=tuple(path.relative_to(folder).as_posix() for path in files),
        parameters={"MemoryDir": MEMORY_DIR} if memories == "files" else {},
        extras=tuple(f"{BLOCK_DIR}/{module}.sv" for module in EXTRA_MODULES),
    )


def _version() -> int:
    major, minor, patch = (int(part) for part in __version__.split(".")[:3])
    return MAP_VERSION << 24 | major << 16 | minor << 8 | patch
