// SPDX-License-Identifier: Apache-2.0
// The module multiplies a signed value by a positive constant with shifts and adds, one for every
// non-zero digit of the constant's non-adjacent form (digits -1, 0, 1). It has no register and no
// multiplier.
module hyq_constant_product #(
  parameter int unsigned Bits,
  parameter int unsigned Factor,      // positive, less than 2**30
  parameter int unsigned ProductBits  // holds the product; partial sums may wrap
) (
  input  logic [Bits-1:0]        value_i,
  output logic [ProductBits-1:0] product_o
);

  localparam logic [31:0] Triple = 3 * Factor;
  localparam logic [31:0] Added = (Triple & ~Factor) >> 1;
  localparam logic [31:0] Subtracted = (Factor & ~Triple) >> 1;

  logic signed [Bits-1:0] value;
  logic signed [ProductBits-1:0] product;

  assign value = value_i;

  always_comb begin : sum
    product = '0;
    for (int unsigned digit = 0; digit < 32; digit++) begin
      if (Added[digit]) product = product + (ProductBits'(value) <<< digit);
      if (Subtracted[digit]) product = product - (ProductBits'(value) <<< digit);
    end
  end

  assign product_o = product;

endmodule
