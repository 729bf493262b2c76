// SPDX-License-Identifier: Apache-2.0
// The module makes floor(2**Exponent / divisor), one bit per cycle. It takes a new divisor every
// QuotientBits + 1 cycles.
//
// It is a restoring division. The quotient fits QuotientBits, so nothing is subtracted before the
// last QuotientBits steps, and the division starts there. tag_i leaves with the quotient of its
// divisor.
module hyq_reciprocal #(
  parameter int unsigned Exponent,
  parameter int unsigned DivisorBits,
  parameter int unsigned QuotientBits,  // at most Exponent + 1
  parameter int unsigned TagBits
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic [DivisorBits-1:0]  divisor_i,
  input  logic [TagBits-1:0]      tag_i,
  input  logic                    in_valid_i,
  output logic                    in_ready_o,
  output logic [QuotientBits-1:0] quotient_o,
  output logic [TagBits-1:0]      tag_o,
  output logic                    out_valid_o,
  input  logic                    out_ready_i
);

  logic step, finish;

  hyq_step_control #(
    .Steps(QuotientBits)
  ) u_control (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o,
    .step_o  (step),
    .finish_o(finish),
    .out_valid_o,
    .out_ready_i
  );

  // The remainder is below the divisor before it is shifted, and below twice the divisor after.
  localparam logic [DivisorBits:0] First = (DivisorBits+1)'(1) << (Exponent + 1 - QuotientBits);

  logic [DivisorBits-1:0] divisor_q, remainder;
  logic [DivisorBits:0] shifted_q, difference;
  logic [QuotientBits-1:0] quotient_d, quotient_q, out_quotient_q;
  logic [TagBits-1:0] tag_q, out_tag_q;

  assign difference = shifted_q - {1'b0, divisor_q};
  assign remainder  = DivisorBits'(difference[DivisorBits] ? shifted_q : difference);
  assign quotient_d = QuotientBits'({quotient_q, !difference[DivisorBits]});

  always_ff @(posedge clk_i) begin : steps
    if (in_ready_o) begin
      divisor_q  <= divisor_i;
      shifted_q  <= First;
      quotient_q <= '0;
      tag_q      <= tag_i;
    end else if (step) begin
      shifted_q  <= {remainder, 1'b0};
      quotient_q <= quotient_d;
    end
    if (finish) begin
      out_quotient_q <= quotient_d;
      out_tag_q      <= tag_q;
    end
  end

  assign quotient_o = out_quotient_q;
  assign tag_o      = out_tag_q;

endmodule
