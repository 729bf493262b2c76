// SPDX-License-Identifier: Apache-2.0
// The module makes the sigmoid of x * 2**-Fraction, with Precision fraction bits, by an exponential
// that is made of shifts. Reference: hyq_hls/ops/shift_swish.py, ShiftSwish.
//
// It is a softmax of x and 0. The larger of the two is subtracted from both, so that one of the
// exponentials is the constant One. It has Precision + 5 stages under one enable; Precision + 1 of
// them are in the divider.
module hyq_shift_sigmoid #(
  parameter int unsigned CentredBits,  // bits of x, and of -x
  parameter int unsigned Fraction,
  parameter int unsigned Precision,
  parameter int unsigned ExponentBits  // holds 1.4375 * |x|, at least Fraction + 3
) (
  input  logic                          clk_i,
  input  logic                          en_i,
  input  logic signed [CentredBits-1:0] x_i,
  output logic [Precision:0]            sigmoid_o
);

  localparam int unsigned MantissaBits = Fraction + 2;
  localparam int unsigned ExponentialBits = MantissaBits + Precision;
  localparam int unsigned NumeratorBits = ExponentialBits + Precision;
  localparam logic [ExponentialBits-1:0] One = ExponentialBits'(1) << (ExponentialBits - 1);
  localparam logic [ExponentBits-1:0] FractionMask = (ExponentBits'(1) << Fraction) - 1'b1;

  // Stage 1 makes -|x|. Stage 2 makes p = |x| * log2(e), by shifts. Stage 3 makes 2**-p, with a
  // line per octave.
  logic negative_q1, negative_q2, negative_q3;  // the sign of x, stage by stage
  logic signed [CentredBits-1:0] distance_q;
  logic signed [ExponentBits-1:0] distance;
  logic [ExponentBits-1:0] power_q;
  logic [MantissaBits-1:0] mantissa;
  logic [ExponentialBits-1:0] other_q;

  assign distance = ExponentBits'(distance_q);
  assign mantissa = (MantissaBits'(1) << (Fraction + 1)) - MantissaBits'(power_q & FractionMask);

  // Stage 4 makes numerator and denominator.
  logic [ExponentialBits-1:0] numerator_q;  // numerator without its Precision zeros
  logic [ExponentialBits:0] denominator_q;

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      negative_q1   <= x_i[CentredBits-1];
      distance_q    <= x_i[CentredBits-1] ? x_i : -x_i;
      negative_q2   <= negative_q1;
      power_q       <= (distance >>> 4) - distance - (distance >>> 1);
      negative_q3   <= negative_q2;
      other_q       <= (ExponentialBits'(mantissa) << Precision)
          >> power_q[ExponentBits-1:Fraction];
      numerator_q   <= negative_q3 ? other_q : One;
      denominator_q <= {1'b0, One} + {1'b0, other_q};
    end
  end

  hyq_divider #(
    .NumeratorBits  (NumeratorBits),
    .DenominatorBits(ExponentialBits + 1),
    .QuotientBits   (Precision + 1)
  ) u_divider (
    .clk_i,
    .en_i,
    .numerator_i  (NumeratorBits'(numerator_q) << Precision),
    .denominator_i(denominator_q),
    .quotient_o   (sigmoid_o)
  );

endmodule
