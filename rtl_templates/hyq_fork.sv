// SPDX-License-Identifier: Apache-2.0
// The fork is eager: every output takes each word once, as soon as it is ready, whatever the others
// do. The input moves on when the last output takes its copy. The fork has no latency and passes
// one word per cycle.
module hyq_fork #(
  parameter int unsigned Width,
  parameter int unsigned Outputs
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic [Width-1:0]         in_data_i,
  input  logic                     in_valid_i,
  output logic                     in_ready_o,
  output logic [Outputs*Width-1:0] out_data_o,
  output logic [Outputs-1:0]       out_valid_o,
  input  logic [Outputs-1:0]       out_ready_i
);

  logic [Outputs-1:0] taken_q;  // outputs that have the present word already

  assign in_ready_o  = &(taken_q | out_ready_i);
  assign out_valid_o = {Outputs{in_valid_i}} & ~taken_q;
  assign out_data_o  = {Outputs{in_data_i}};

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      taken_q <= '0;
    end else if (in_valid_i) begin
      taken_q <= in_ready_o ? '0 : taken_q | out_ready_i;
    end
  end

  for (genvar o = 0; o < Outputs; o++) begin : gen_checker
    hyq_stream_checker #(.Width(Width)) u_out_checker (
      .clk_i, .rst_ni, .data_i(in_data_i), .valid_i(out_valid_o[o]), .ready_i(out_ready_i[o])
    );
  end

endmodule
