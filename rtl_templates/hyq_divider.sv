// SPDX-License-Identifier: Apache-2.0
// The divider makes quotient_o = floor(numerator_i / denominator_i), unsigned, one division per
// cycle.
//
// It is a restoring division with one quotient bit per pipeline stage, and has QuotientBits stages
// under en_i. The caller guarantees denominator_i >= 1 and a quotient of at most QuotientBits bits.
module hyq_divider #(
  parameter int unsigned NumeratorBits,
  parameter int unsigned DenominatorBits,
  parameter int unsigned QuotientBits
) (
  input  logic                       clk_i,
  input  logic                       en_i,
  input  logic [NumeratorBits-1:0]   numerator_i,
  input  logic [DenominatorBits-1:0] denominator_i,
  output logic [QuotientBits-1:0]    quotient_o
);

  // Each stage shifts {remainder, numerator bits to come, quotient bits so far} left by one. The
  // quotient fits, so the first remainder (the numerator without its lowest QuotientBits bits) is
  // below the denominator, and so is every remainder after it.
  localparam int unsigned PartialBits = DenominatorBits + QuotientBits;

  logic [PartialBits-1:0] partial_d[QuotientBits];
  logic [PartialBits-1:0] partial_q[QuotientBits];
  logic [DenominatorBits-1:0] denominator_d[QuotientBits];
  logic [DenominatorBits-1:0] denominator_q[QuotientBits];

  for (genvar k = 0; k < QuotientBits; k++) begin : gen_stage
    logic [PartialBits-1:0] previous;
    logic [DenominatorBits:0] remainder, difference;  // both below twice the denominator
    logic bit_of_quotient;

    if (k == 0) begin : gen_first
      assign previous         = PartialBits'(numerator_i);
      assign denominator_d[k] = denominator_i;
    end else begin : gen_next
      assign previous         = partial_q[k-1];
      assign denominator_d[k] = denominator_q[k-1];
    end

    assign remainder       = previous[PartialBits-1:QuotientBits-1];
    assign difference      = remainder - {1'b0, denominator_d[k]};
    assign bit_of_quotient = !difference[DenominatorBits];

    assign partial_d[k] = {
      bit_of_quotient ? difference[DenominatorBits-1:0] : remainder[DenominatorBits-1:0],
      QuotientBits'({previous[QuotientBits-1:0], bit_of_quotient})
    };
  end

  always_ff @(posedge clk_i) begin : stages
    if (en_i) begin
      partial_q     <= partial_d;
      denominator_q <= denominator_d;
    end
  end

  assign quotient_o = partial_q[QuotientBits-1][QuotientBits-1:0];

  // No division is left to do. A quotient that fits leaves the highest numerator bits zero.
  logic unused_bits;
  assign unused_bits = ^{partial_q[QuotientBits-1], denominator_q[QuotientBits-1], numerator_i};

endmodule
