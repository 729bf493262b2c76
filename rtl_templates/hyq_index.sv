// SPDX-License-Identifier: Apache-2.0
// The index of a loop of Count steps counts from 0 to Count - 1, again and again.
module hyq_index #(
  parameter int unsigned Count,
  localparam int unsigned Bits = hyq_pkg::index_width(Count)
) (
  input  logic            clk_i,
  input  logic            rst_ni,
  input  logic            en_i,
  output logic [Bits-1:0] index_o  // index of the step that comes next
);

  logic [Bits-1:0] index_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin : count
    if (!rst_ni) begin
      index_q <= '0;
    end else if (en_i) begin
      index_q <= index_q == Bits'(Count - 1) ? '0 : index_q + 1'b1;
    end
  end

  assign index_o = index_q;

endmodule
