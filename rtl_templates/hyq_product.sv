// SPDX-License-Identifier: Apache-2.0
// The module multiplies a weight by an operand in four stages, which are the registers of a
// DSP48E1: two for its inputs, one for the product, one for its output.
module hyq_product #(
  parameter int unsigned WeightBits,  // two's complement
  parameter int unsigned OperandBits,
  parameter bit          OperandSigned,
  localparam int unsigned ProductBits = WeightBits + OperandBits
) (
  input  logic                   clk_i,
  input  logic                   en_i,
  input  logic [WeightBits-1:0]  weight_i,
  input  logic [OperandBits-1:0] operand_i,
  output logic [ProductBits-1:0] product_o  // two's complement
);

  // One bit more makes an unsigned operand a signed one.
  localparam int unsigned SignedBits = OperandSigned ? OperandBits : OperandBits + 1;

  logic signed [WeightBits-1:0] weight_q1, weight_q2;
  logic signed [SignedBits-1:0] operand_q1, operand_q2;
  logic signed [ProductBits-1:0] multiplied_q, product_q;

  always_ff @(posedge clk_i) begin : pipeline
    if (en_i) begin
      weight_q1    <= weight_i;
      weight_q2    <= weight_q1;
      operand_q1   <= SignedBits'(operand_i);
      operand_q2   <= operand_q1;
      multiplied_q <= ProductBits'(weight_q2) * ProductBits'(operand_q2);
      product_q    <= multiplied_q;
    end
  end

  assign product_o = product_q;

endmodule
