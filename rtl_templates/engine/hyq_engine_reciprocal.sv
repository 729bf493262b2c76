// SPDX-License-Identifier: Apache-2.0
// The module makes floor(2**bits / divisor), a bit per cycle and bits + 1 of them, by a restoring
// division. tag_i leaves with the quotient of its divisor. It takes the next divisor while the last
// quotient waits.
module hyq_engine_reciprocal #(
  parameter int unsigned DivisorBits,
  parameter int unsigned QuotientBits,
  parameter int unsigned TagBits
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic [5:0]              bits_i,  // constant
  input  logic [DivisorBits-1:0]  divisor_i,
  input  logic [TagBits-1:0]      tag_i,
  input  logic                    in_valid_i,
  output logic                    in_ready_o,
  output logic [QuotientBits-1:0] quotient_o,
  output logic [TagBits-1:0]      tag_o,
  output logic                    out_valid_o,
  input  logic                    out_ready_i
);

  logic busy_q, step, last, finish;

  assign in_ready_o = !busy_q;
  assign step       = busy_q && !(last && out_valid_o && !out_ready_i);
  assign finish     = step && last;

  hyq_engine_counter #(.Bits(7)) u_step (
    .clk_i, .start_i(in_ready_o), .step_i(step), .count_i(7'(bits_i) + 7'd1), .last_o(last)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      busy_q      <= 1'b0;
      out_valid_o <= 1'b0;
    end else begin
      busy_q      <= busy_q ? !finish : in_valid_i;
      out_valid_o <= finish || (out_valid_o && !out_ready_i);
    end
  end

  // The remainder is below the divisor before it is shifted. 2**bits has one bit, which comes first.
  logic [DivisorBits-1:0] divisor_q, remainder;
  logic [DivisorBits:0] shifted_q, difference;
  logic [QuotientBits-1:0] quotient, quotient_q;
  logic [TagBits-1:0] tag_q;

  assign difference = shifted_q - {1'b0, divisor_q};
  assign remainder  = difference[DivisorBits] ? shifted_q[DivisorBits-1:0]
                                              : difference[DivisorBits-1:0];
  assign quotient   = QuotientBits'({quotient_q, !difference[DivisorBits]});

  always_ff @(posedge clk_i) begin : steps
    if (in_ready_o) begin
      divisor_q  <= divisor_i;
      shifted_q  <= (DivisorBits + 1)'(1);
      quotient_q <= '0;
      tag_q      <= tag_i;
    end else if (step) begin
      shifted_q  <= {remainder, 1'b0};
      quotient_q <= quotient;
    end
    if (finish) begin
      quotient_o <= quotient;
      tag_o      <= tag_q;
    end
  end

endmodule
