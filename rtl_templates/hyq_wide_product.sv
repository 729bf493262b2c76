// SPDX-License-Identifier: Apache-2.0
// The module multiplies two signed values of any width, in two stages under en_i. The first makes
// products with parts of b that fit the 18-bit side of a DSP48E1 (17 bits, the highest part with
// the sign); the second makes their sum.
module hyq_wide_product #(
  parameter int unsigned ABits,
  parameter int unsigned BBits,
  parameter int unsigned ProductBits  // holds the product; partial sums may wrap
) (
  input  logic                   clk_i,
  input  logic                   en_i,
  input  logic [ABits-1:0]       a_i,
  input  logic [BBits-1:0]       b_i,
  output logic [ProductBits-1:0] product_o
);

  localparam int unsigned Step = 17;
  localparam int unsigned Parts = BBits > Step + 1 ? (BBits + Step - 2) / Step : 1;
  localparam int unsigned PartBits = ABits + Step + 1;

  logic signed [ABits-1:0] a;
  logic signed [PartBits-1:0] part_q[Parts];
  logic signed [ProductBits-1:0] product_d, product_q;

  assign a = a_i;

  for (genvar p = 0; p < Parts; p++) begin : gen_part
    localparam int unsigned Bits = p == Parts - 1 ? BBits - p * Step : Step + 1;
    logic signed [Bits-1:0] part;

    if (p == Parts - 1) begin : gen_highest
      assign part = b_i[BBits-1:p*Step];
    end else begin : gen_lower
      assign part = {1'b0, b_i[p*Step+:Step]};
    end

    always_ff @(posedge clk_i) begin : multiply
      if (en_i) part_q[p] <= PartBits'(a) * PartBits'(part);
    end
  end

  always_comb begin : sum
    product_d = '0;
    for (int unsigned p = 0; p < Parts; p++) begin
      product_d = product_d + (ProductBits'(part_q[p]) <<< (p * Step));
    end
  end

  always_ff @(posedge clk_i) begin : result
    if (en_i) product_q <= product_d;
  end

  assign product_o = product_q;

endmodule
