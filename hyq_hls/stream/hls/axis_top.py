"""The Verilog that an HLS compiler generated, behind the AXI4-Stream ports of our own top level.

So one driver runs all of them.
"""

from __future__ import annotations

from pathlib import Path

from hyq_hls.stream.flow import Dataflow

_TOP = """// SPDX-License-Identifier: Apache-2.0
// Made by hyq_hls: {project} of {compiler} behind AXI4-Stream ports with TLAST.
module {name} (
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

{instance}
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


def write_axis_top(
    flow: Dataflow,
    target: Path,
    project: str,
    compiler: str,
    instance: str,
    lane_bits: tuple[int, int],
) -> Path:
    """Write ``<project>_<compiler>.sv``, a top level around the instance of a generated module.

    Args:
        flow: what the project implements.
        target: an existing folder.
        project: name of the project.
        compiler: name of the compiler, for a comment; in lower case it ends the module's name.
        instance: SystemVerilog lines that connect ``in_data``, ``in_valid``, ``in_ready``,
            ``out_data``, ``out_valid``, ``out_ready``, and ``aclk`` and ``aresetn``.
        lane_bits: bits of a code in the words of ``in_data`` and of ``out_data``.
    """
    source, sink = flow.streams[flow.source], flow.streams[flow.sink]
    in_bits, out_bits = lane_bits
    in_bytes, out_bytes = (-(-s.type.quantization.bits // 8) for s in (source, sink))
    name = f"{project}_{compiler.partition(' ')[0].lower()}"
    path = target / f"{name}.sv"
    text = _TOP.format(
        name=name,
        project=project,
        compiler=compiler,
        instance=instance,
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
    path.write_text(text, encoding="utf-8")
    return path
