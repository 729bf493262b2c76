// SPDX-License-Identifier: Apache-2.0
// The module multiplies two weights a, b by one operand x. It takes one DSP48E1 where the widths
// allow, else two.
//
// With Shift = bits of a product, P = ((a <<< Shift) + b) * x + 2**(Shift - 1) holds both products
// exactly. As b*x lies in [-2**(Shift-1), 2**(Shift-1)), the constant makes the lower part
// non-negative, and nothing is borrowed from a*x above it. The lower part is b*x with its sign bit
// inverted. Both additions are those of the DSP (pre-adder and C input). The module has four
// stages, as hyq_product has: operands, sum of the weights, product, output.
module hyq_packed_product #(
  parameter int unsigned WeightBits,  // two's complement
  parameter int unsigned OperandBits,
  parameter bit          OperandSigned,
  localparam int unsigned ProductBits = WeightBits + OperandBits
) (
  input  logic                   clk_i,
  input  logic                   en_i,
  input  logic [WeightBits-1:0]  a_i,
  input  logic [WeightBits-1:0]  b_i,
  input  logic [OperandBits-1:0] x_i,
  output logic [ProductBits-1:0] a_product_o,  // two's complement
  output logic [ProductBits-1:0] b_product_o
);

  localparam int unsigned Shift = ProductBits;
  localparam int unsigned PackedBits = Shift + WeightBits + 1;
  localparam int unsigned SignedBits = OperandSigned ? OperandBits : OperandBits + 1;

  // The multiplier of a DSP48E1 takes 25 x 18 bits.
  if (PackedBits <= 25 && SignedBits <= 18) begin : gen_packed
    localparam int unsigned BothBits = Shift + ProductBits;

    logic signed [WeightBits-1:0] a_q, b_q;
    logic signed [SignedBits-1:0] x_q1, x_q2;
    logic signed [PackedBits-1:0] weights_q;
    logic signed [BothBits-1:0] multiplied_q, both_q;

    always_ff @(posedge clk_i) begin : pipeline
      if (en_i) begin
        a_q          <= a_i;
        b_q          <= b_i;
        x_q1         <= SignedBits'(x_i);
        x_q2         <= x_q1;
        weights_q    <= (PackedBits'(a_q) <<< Shift) + PackedBits'(b_q);
        multiplied_q <= BothBits'(weights_q) * BothBits'(x_q2);
        both_q       <= multiplied_q + (BothBits'(1) << (Shift - 1));
      end
    end

    assign a_product_o = both_q[BothBits-1:Shift];
    assign b_product_o = {!both_q[Shift-1], both_q[Shift-2:0]};
  end else begin : gen_two
    hyq_product #(
      .WeightBits   (WeightBits),
      .OperandBits  (OperandBits),
      .OperandSigned(OperandSigned)
    ) u_a_product (
      .clk_i,
      .en_i,
      .weight_i (a_i),
      .operand_i(x_i),
      .product_o(a_product_o)
    );

    hyq_product #(
      .WeightBits   (WeightBits),
      .OperandBits  (OperandBits),
      .OperandSigned(OperandSigned)
    ) u_b_product (
      .clk_i,
      .en_i,
      .weight_i (b_i),
      .operand_i(x_i),
      .product_o(b_product_o)
    );
  end

endmodule
