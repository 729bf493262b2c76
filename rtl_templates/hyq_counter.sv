// SPDX-License-Identifier: Apache-2.0
// The counter has Count steps and starts again by itself. It is one level of nested loops.
//
// It counts the steps that are left from Count - 2 down to -1. Its sign says which step is the last
// one, so that last_o comes from a register.
module hyq_counter #(
  parameter int unsigned Count
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic en_i,
  output logic last_o  // this step is the last one
);

  if (Count == 1) begin : gen_once
    assign last_o = 1'b1;

    logic unused_step;
    assign unused_step = ^{clk_i, rst_ni, en_i};
  end else begin : gen_count
    localparam int unsigned Bits = $clog2(Count - 1) + 1;
    localparam logic [Bits-1:0] First = Bits'(Count - 2);
    logic [Bits-1:0] left_q;

    assign last_o = left_q[Bits-1];

    always_ff @(posedge clk_i or negedge rst_ni) begin : count
      if (!rst_ni) begin
        left_q <= First;
      end else if (en_i) begin
        left_q <= last_o ? First : left_q - 1'b1;
      end
    end
  end

endmodule
