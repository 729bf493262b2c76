// SPDX-License-Identifier: Apache-2.0
// The module makes exponentials of codes below the maximum of their row, in two stages under en_i:
//
//   d = maximum - code,  k = d >> Fraction,  r = the lowest Fraction bits of d
//   e = ((LineOffset - r) << ShiftBits) >> k = mantissa << exponent
//
// The exponential leaves as a short mantissa and an exponent. A k of at most ShiftBits lowers the
// exponent; a larger k also shifts the mantissa to the right.
module hyq_linear_exponential #(
  parameter int unsigned Lanes,
  parameter int unsigned Bits,        // bits of a code, unsigned
  parameter int unsigned Fraction,
  parameter int unsigned LineOffset,  // MantissaBits wide
  parameter int unsigned ShiftBits,   // the largest exponent
  parameter int unsigned MantissaBits,
  parameter int unsigned ExponentBits
) (
  input  logic                          clk_i,
  input  logic                          en_i,
  input  logic [Lanes*Bits-1:0]         code_i,
  input  logic [Bits-1:0]               maximum_i,
  output logic [Lanes*MantissaBits-1:0] mantissa_o,
  output logic [Lanes*ExponentBits-1:0] exponent_o
);

  localparam int unsigned LargestOctave = ((1 << Bits) - 1) >> Fraction;
  localparam int unsigned OctaveBits = Bits > Fraction ? Bits - Fraction : 1;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [Bits-1:0] distance_q;
    logic [OctaveBits-1:0] octave;
    logic [MantissaBits-1:0] remainder, line, mantissa_q;
    logic [ExponentBits-1:0] exponent_q;

    assign octave    = OctaveBits'(distance_q >> Fraction);
    assign remainder = MantissaBits'(distance_q) & MantissaBits'((1 << Fraction) - 1);
    assign line      = MantissaBits'(LineOffset) - remainder;

    always_ff @(posedge clk_i) begin : distance
      if (en_i) distance_q <= maximum_i - code_i[l*Bits+:Bits];
    end

    if (LargestOctave > ShiftBits) begin : gen_underflow
      logic below;
      assign below = octave > OctaveBits'(ShiftBits);

      always_ff @(posedge clk_i) begin : exponential
        if (en_i) begin
          mantissa_q <= below ? line >> (octave - OctaveBits'(ShiftBits)) : line;
          exponent_q <= below ? '0 : ExponentBits'(ShiftBits) - ExponentBits'(octave);
        end
      end
    end else begin : gen_exact
      always_ff @(posedge clk_i) begin : exponential
        if (en_i) begin
          mantissa_q <= line;
          exponent_q <= ExponentBits'(ShiftBits) - ExponentBits'(octave);
        end
      end
    end

    assign mantissa_o[l*MantissaBits+:MantissaBits] = mantissa_q;
    assign exponent_o[l*ExponentBits+:ExponentBits] = exponent_q;
  end

endmodule
