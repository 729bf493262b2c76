// SPDX-License-Identifier: Apache-2.0
// The module turns an AXI4-Stream slave into a stream of codes, and makes every frame whole. Every
// code comes in whole bytes, whose upper bits are dropped.
//
// TLAST must come with the last beat of a frame and only there. Where it comes early, zeros fill
// the frame; where it comes late, the beats before it are dropped. So the next frame starts with
// the beat after TLAST, and a wrong frame spoils no other. frame_errors_o counts wrong frames and
// stops at its largest value.
module hyq_axis_input #(
  parameter int unsigned Lanes,
  parameter int unsigned Bits,
  parameter int unsigned CodeBytes,
  parameter int unsigned Beats
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [Lanes*CodeBytes*8-1:0] s_axis_tdata,
  input  logic s_axis_tvalid,
  output logic s_axis_tready,
  input  logic s_axis_tlast,

  output logic [Lanes*Bits-1:0] out_data_o,
  output logic out_valid_o,
  input  logic out_ready_i,

  output logic [15:0] frame_errors_o
);

  // At most one of them: TLAST came early and the frame is filled, or it is late.
  logic filling_q, dropping_q;
  logic step, last;
  logic [15:0] frame_errors_q;

  assign out_valid_o = filling_q || (s_axis_tvalid && !dropping_q);
  assign s_axis_tready = dropping_q || (out_ready_i && !filling_q);
  assign step = out_valid_o && out_ready_i;
  assign frame_errors_o = frame_errors_q;

  for (genvar lane = 0; lane < Lanes; lane++) begin : gen_lanes
    assign out_data_o[lane*Bits +: Bits] =
        filling_q ? '0 : s_axis_tdata[lane*CodeBytes*8 +: Bits];
    if (Bits < CodeBytes * 8) begin : gen_unused
      logic unused_bits;
      assign unused_bits = ^s_axis_tdata[lane*CodeBytes*8+Bits +: CodeBytes*8-Bits];
    end
  end

  hyq_counter #(.Count(Beats)) u_beat (.clk_i, .rst_ni, .en_i(step), .last_o(last));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      filling_q <= 1'b0;
      dropping_q <= 1'b0;
      frame_errors_q <= '0;
    end else if (dropping_q) begin
      dropping_q <= !(s_axis_tvalid && s_axis_tlast);
    end else if (filling_q) begin
      filling_q <= !(step && last);
    end else if (step && s_axis_tlast != last) begin
      filling_q <= s_axis_tlast;
      dropping_q <= last;
      frame_errors_q <= (frame_errors_q == '1) ? frame_errors_q : frame_errors_q + 1'b1;
    end
  end

endmodule
