// SPDX-License-Identifier: Apache-2.0
// The counter of a loop counts its steps, again and again. Whether the next step is the last of the
// loop is a register, so that nested loops decide in one level of logic what steps.
module hyq_engine_counter #(
  parameter int unsigned Bits
) (
  input  logic            clk_i,
  input  logic            start_i,  // begin with the first step
  input  logic            step_i,
  input  logic [Bits-1:0] count_i,  // steps, one or more; constant from start_i on
  output logic            last_o
);

  logic [Bits-1:0] left_q;  // steps, with the next one
  logic last_q, again;

  assign again = start_i || (step_i && last_q);

  always_ff @(posedge clk_i) begin : count
    if (again) begin
      left_q <= count_i;
      last_q <= count_i == Bits'(1);
    end else if (step_i) begin
      left_q <= left_q - 1'b1;
      last_q <= left_q == Bits'(2);
    end
  end

  assign last_o = last_q;

endmodule
