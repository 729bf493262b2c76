// The module turns an AXI4-Stream slave into a stream of codes. Every code comes in whole bytes,
// whose upper bits are dropped.
//
// TLAST must come with the last beat of a frame and only there. Otherwise frame_error_o rises and
// stays, and the module continues to count frames by itself.
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

  output logic frame_error_o
);

  logic step, last, frame_error_q;

  assign step = s_axis_tvalid && s_axis_tready;
  assign out_valid_o = s_axis_tvalid;
  assign s_axis_tready = out_ready_i;
  assign frame_error_o = frame_error_q;

  for (genvar lane = 0; lane < Lanes; lane++) begin : gen_lanes
    assign out_data_o[lane*Bits +: Bits] = s_axis_tdata[lane*CodeBytes*8 +: Bits];
    if (Bits < CodeBytes * 8) begin : gen_unused
      logic unused_bits;
      assign unused_bits = ^s_axis_tdata[lane*CodeBytes*8+Bits +: CodeBytes*8-Bits];
    end
  end

  hyq_counter #(.Count(Beats)) u_beat (.clk_i, .rst_ni, .en_i(step), .last_o(last));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      frame_error_q <= 1'b0;
    end else if (step && s_axis_tlast != last) begin
      frame_error_q <= 1'b1;
    end
  end

endmodule
