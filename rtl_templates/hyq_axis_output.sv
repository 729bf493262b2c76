// SPDX-License-Identifier: Apache-2.0
// The module turns a stream of codes into an AXI4-Stream master. Every code takes whole bytes, and
// TLAST comes with the last beat of a frame.
module hyq_axis_output #(
  parameter int unsigned Lanes,
  parameter int unsigned Bits,
  parameter bit          Signed,
  parameter int unsigned CodeBytes,
  parameter int unsigned Beats
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [Lanes*Bits-1:0] in_data_i,
  input  logic in_valid_i,
  output logic in_ready_o,

  output logic [Lanes*CodeBytes*8-1:0] m_axis_tdata,
  output logic m_axis_tvalid,
  input  logic m_axis_tready,
  output logic m_axis_tlast
);

  localparam int unsigned Extension = CodeBytes * 8 - Bits;

  assign m_axis_tvalid = in_valid_i;
  assign in_ready_o = m_axis_tready;

  for (genvar lane = 0; lane < Lanes; lane++) begin : gen_lanes
    logic [Bits-1:0] code;
    assign code = in_data_i[lane*Bits +: Bits];
    if (Extension > 0) begin : gen_extended
      assign m_axis_tdata[lane*CodeBytes*8 +: CodeBytes*8] =
          {{Extension{Signed && code[Bits-1]}}, code};
    end else begin : gen_plain
      assign m_axis_tdata[lane*CodeBytes*8 +: CodeBytes*8] = code;
    end
  end

  hyq_counter #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(m_axis_tvalid && m_axis_tready), .last_o(m_axis_tlast)
  );

  hyq_stream_checker #(.Width(Lanes * CodeBytes * 8)) u_out_checker (
    .clk_i, .rst_ni, .data_i(m_axis_tdata), .valid_i(m_axis_tvalid), .ready_i(m_axis_tready)
  );

endmodule
