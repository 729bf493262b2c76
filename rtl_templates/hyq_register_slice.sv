// SPDX-License-Identifier: Apache-2.0
// The register slice cuts every combinational path between two stream ports.
//
// It has latency 1 and capacity 2, and passes one word per cycle. While the output is stalled, the
// word that in_ready_o promised a place waits in the spare register.
module hyq_register_slice #(
  parameter int unsigned Width
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] in_data_i,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  output logic [Width-1:0] out_data_o,
  output logic             out_valid_o,
  input  logic             out_ready_i
);

  logic out_valid_q, spare_valid_q;
  logic [Width-1:0] out_data_q, spare_data_q;

  logic advance;
  assign advance = !out_valid_q || out_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      out_valid_q   <= 1'b0;
      spare_valid_q <= 1'b0;
    end else if (advance) begin
      out_valid_q   <= in_valid_i || spare_valid_q;
      spare_valid_q <= 1'b0;
    end else begin
      spare_valid_q <= in_valid_i || spare_valid_q;
    end
  end

  always_ff @(posedge clk_i) begin : data
    if (in_ready_o) begin
      spare_data_q <= in_data_i;
    end
    if (advance) begin
      out_data_q <= spare_valid_q ? spare_data_q : in_data_i;
    end
  end

  assign in_ready_o  = !spare_valid_q;
  assign out_data_o  = out_data_q;
  assign out_valid_o = out_valid_q;

  hyq_stream_checker #(.Width(Width)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
