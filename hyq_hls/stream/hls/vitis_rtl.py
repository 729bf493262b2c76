"""The Verilog that Vitis HLS generated, behind the ports of our own top level.

So one driver runs both. No vendor tool was at hand when this was written: the port names and the
two layouts of TDATA are those that its documentation describes, and anything else is refused.
"""

from __future__ import annotations

import re
from pathlib import Path

from hyq_hls.errors import SimulationError
from hyq_hls.stream.flow import Dataflow, Stream

_WRAPPER = """// Made by hyq_hls: {project}.v of Vitis HLS behind AXI4-Stream ports with TLAST.
module {project}_vitis (
  input  logic aclk,
  input  logic aresetn,
  input  logic [{in_port}:0] s_axis_tdata,
  input  logic s_axis_tvalid,
  output logic s_axis_tready,
  input  logic s_axis_tlast,
  output logic [{out_port}:0] m_axis_tdata,
  output logic m_axis_tvalid,
  input  logic m_axis_tready,
  output logic m_axis_tlast,
  output logic [15:0] frame_errors
);

  logic [{in_data}:0] in_data;
  logic [{out_data}:0] out_data;
  logic in_valid, in_ready, out_valid, out_ready;

  hyq_axis_input #(
    .Lanes({in_lanes}), .Bits({in_bits}), .CodeBytes({in_bytes}), .Beats({in_beats})
  ) u_input (
    .clk_i(aclk), .rst_ni(aresetn),
    .s_axis_tdata, .s_axis_tvalid, .s_axis_tready, .s_axis_tlast,
    .out_data_o(in_data), .out_valid_o(in_valid), .out_ready_i(in_ready),
    .frame_errors_o(frame_errors)
  );

  {project} u_top (
    .ap_clk(aclk), .ap_rst_n(aresetn), .ap_start(1'b1),
    .ap_done(), .ap_ready(), .ap_idle(),
    .{source}_TDATA(in_data), .{source}_TVALID(in_valid), .{source}_TREADY(in_ready),
    .{sink}_TDATA(out_data), .{sink}_TVALID(out_valid), .{sink}_TREADY(out_ready)
  );

  hyq_axis_output #(
    .Lanes({out_lanes}), .Bits({out_bits}), .Signed(1'b{signed}), .CodeBytes({out_bytes}),
    .Beats({out_beats})
  ) u_output (
    .clk_i(aclk), .rst_ni(aresetn),
    .in_data_i(out_data), .in_valid_i(out_valid), .in_ready_o(out_ready),
    .m_axis_tdata, .m_axis_tvalid, .m_axis_tready, .m_axis_tlast
  );

endmodule
"""


def generated_verilog(folder: Path, project: str) -> Path:
    """Return the folder of the Verilog that ``build()`` left.

    Raises:
        SimulationError: there is none.
    """
    verilog = folder / f"{project}_prj" / "solution1" / "syn" / "verilog"
    if not (verilog / f"{project}.v").is_file():
        raise SimulationError(
            f"no Verilog of Vitis HLS in {verilog}; run build() first, which needs the vendor's "
            'tool, or simulate our own RTL with rtl="hyq"'
        )
    return verilog


def write_vitis_top(flow: Dataflow, folder: Path, project: str, target: Path) -> list[Path]:
    """Copy the generated Verilog into ``target``, with a wrapper ``<project>_vitis``.

    Paths of memory files become absolute, because a simulation may run anywhere.

    Returns:
        The sources without our ``hyq_axis_*`` modules.

    Raises:
        SimulationError: no Verilog, or ports of unknown names or widths.
    """
    verilog = generated_verilog(folder, project)
    target.mkdir(parents=True, exist_ok=True)
    sources = []
    for path in sorted(verilog.glob("*.*v")):
        text = path.read_text(encoding="utf-8")
        text = text.replace('$readmemh("./', f'$readmemh("{verilog.resolve()}/')
        sources.append(target / path.name)
        sources[-1].write_text(text, encoding="utf-8")
    top = (verilog / f"{project}.v").read_text(encoding="utf-8")
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    (in_bits, in_bytes), (out_bits, out_bytes) = _layout(top, source), _layout(top, sink)
    sources.append(target / f"{project}_vitis.sv")
    sources[-1].write_text(
        _WRAPPER.format(
            project=project,
            source=source.name,
            sink=sink.name,
            in_port=8 * in_bytes * source.lanes - 1,
            out_port=8 * out_bytes * sink.lanes - 1,
            in_data=in_bits * source.lanes - 1,
            out_data=out_bits * sink.lanes - 1,
            in_lanes=source.lanes,
            in_bits=in_bits,
            in_bytes=in_bytes,
            in_beats=source.beats,
            out_lanes=sink.lanes,
            out_bits=out_bits,
            out_bytes=out_bytes,
            out_beats=sink.beats,
            signed=int(sink.type.quantization.signed),
        )
    )
    return sources


def _layout(top: str, stream: Stream) -> tuple[int, int]:
    """Return the bits of a code in the vendor's TDATA, packed or in bytes, and at our port."""
    found = re.search(rf"\[\s*(\d+)\s*:\s*0\s*\]\s*{stream.name}_TDATA\b", top)
    bits = stream.type.quantization.bits
    code_bytes = -(-bits // 8)
    if found is not None:
        width = int(found.group(1)) + 1
        for lane_bits in (bits, 8 * code_bytes):
            if width == lane_bits * stream.lanes:
                return lane_bits, code_bytes
    raise SimulationError(
        f"{stream.name}: TDATA of {found.group(1) if found else 'unknown'} as its highest bit does "
        f"not hold {stream.lanes} codes of {bits} bits, packed or in whole bytes"
    )
