// SPDX-License-Identifier: Apache-2.0
// The module turns a sum into a code: code = saturate(round_half_up(acc * multiplier / 2**(shift -
// 7)) + zero point), stored without sign, so from 0 to mask. Reference: "Output stage" in
// docs/engine.md, hyq_hls/graph/requantize.py.
//
// Without Multiply there is no multiplier. The stages are two of the product, with Multiply, then
// the shift by bytes, the shift by bits, the zero point, the saturation. An input comes when its
// sum is in the stage of the input.
module hyq_engine_requantizer
  import hyq_engine_pkg::*;
#(
  parameter int unsigned SumBits,  // two's complement
  parameter bit          Multiply
) (
  input  logic                      clk_i,
  input  logic [SumBits-1:0]        acc_i,         // first, with the multiplier
  input  logic [MultiplierBits-1:0] multiplier_i,  // 0 means 1
  input  logic [ShiftBits-4:0]      bytes_i,       // of the shift by bytes
  input  logic [2:0]                bits_i,        // of the shift by bits
  input  logic [CodeBits-1:0]       zero_point_i,  // of the zero point
  input  logic [CodeBits-1:0]       mask_i,        // of the saturation
  output logic [CodeBits-1:0]       code_o
);

  // One bit below the unit decides the rounding, and seven make room for shifts to the left.
  localparam int unsigned Below = 8;
  localparam int unsigned ScaledBits = SumBits + (Multiply ? MultiplierBits : 0);
  localparam int unsigned WideBits = ScaledBits + Below;
  // The value before the zero point, with the bit below the unit: it needs one bit more than a code
  // for its sign, and one more so that no zero point brings back a value that has left the range.
  localparam int unsigned ValueBits = CodeBits + 4;
  localparam int unsigned CoarseBits = ValueBits + 7;

  logic [ScaledBits-1:0] scaled;

  if (Multiply) begin : gen_product
    hyq_wide_product #(
      .ABits      (MultiplierBits + 1),
      .BBits      (SumBits),
      .ProductBits(ScaledBits)
    ) u_product (
      .clk_i,
      .en_i     (1'b1),
      .a_i      ({1'b0, multiplier_i[MultiplierBits-1:1], multiplier_i[0] || multiplier_i == '0}),
      .b_i      (acc_i),
      .product_o(scaled)
    );
  end else begin : gen_sum
    assign scaled = acc_i;
    logic unused_multiplier;
    assign unused_multiplier = ^multiplier_i;
  end

  logic signed [WideBits-1:0] wide, coarse;
  logic signed [CoarseBits-1:0] coarse_q, fine;
  logic signed [ValueBits-1:0] value_q, floor, sum_q;
  logic over_q1, over_q2, over_q3, negative_q1, negative_q2, negative_q3;
  logic [CodeBits-1:0] code_q;

  assign wide   = {scaled, {Below{1'b0}}};
  assign coarse = wide >>> {bytes_i, 3'b000};
  assign fine   = coarse_q >>> bits_i;
  assign floor  = value_q >>> 1;

  always_ff @(posedge clk_i) begin : stages
    coarse_q    <= coarse[CoarseBits-1:0];
    over_q1     <= coarse[WideBits-1:CoarseBits-1] != {(WideBits-CoarseBits+1) {wide[WideBits-1]}};
    negative_q1 <= wide[WideBits-1];

    value_q     <= fine[ValueBits-1:0];
    over_q2     <= over_q1 || fine[CoarseBits-1:ValueBits-1] != {8{fine[CoarseBits-1]}};
    negative_q2 <= negative_q1;

    sum_q       <= floor + ValueBits'(zero_point_i) + ValueBits'(value_q[0]);
    over_q3     <= over_q2;
    negative_q3 <= negative_q2;

    if (over_q3 ? negative_q3 : sum_q < 0) code_q <= '0;
    else if (over_q3 || (sum_q[ValueBits-1:0] & ~ValueBits'(mask_i)) != 0) code_q <= mask_i;
    else code_q <= sum_q[CodeBits-1:0];
  end

  assign code_o = code_q;

endmodule
