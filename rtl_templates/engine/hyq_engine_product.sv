// SPDX-License-Identifier: Apache-2.0
// The module multiplies two pixels by one weight, in one DSP48E1.
//
// With pair = (p1 << 16) + p0, P = pair * weight + 2**15 holds both products exactly: p1 * weight is
// P[32:16], and p0 * weight is P[15:0] with its sign bit inverted. The constant makes the lower part
// non-negative, so that nothing is borrowed from the upper one. This needs -2**15 <= p0 * weight <
// 2**15, which these three forms of operands guarantee:
//
//   U8: pixels 0 to 255, weights -128 to 128
//   U7: pixels 0 to 128, weights -255 to 255
//   S8: pixels -128 to 127, weights -255 to 255
//
// The pair is a_i for a dense step and d_i for a depthwise one; the slice's own INMODE selects. The
// module has four stages: operands, selected pair, product, sum. Both bodies compute the same; the
// one without the primitive leaves the choice of the pair to LUTs.
module hyq_engine_product
  import hyq_engine_pkg::*;
#(
  parameter bit Primitive = 1'b0  // instance of a DSP48E1, else inferred
) (
  input  logic                  clk_i,
  input  logic                  dense_i,
  input  logic [PairBits-1:0]   a_i,
  input  logic [PairBits-1:0]   d_i,
  input  logic [WeightBits-1:0] weight_i,
  output logic [15:0]           p0_o,  // two's complement
  output logic [16:0]           p1_o   // two's complement
);

  logic [32:0] packed_products;

  if (Primitive) begin : gen_primitive
    logic [14:0] unused_above;

    DSP48E1 #(
      .USE_DPORT    ("TRUE"),
      .AREG         (1),
      .ACASCREG     (1),
      .DREG         (1),
      .ADREG        (1),
      .BREG         (2),
      .BCASCREG     (2),
      .CREG         (0),
      .MREG         (1),
      .PREG         (1),
      .INMODEREG    (1),
      .OPMODEREG    (0),
      .ALUMODEREG   (0),
      .CARRYINREG   (0),
      .CARRYINSELREG(0)
    ) u_dsp (
      .CLK           (clk_i),
      .A             ({{(30 - PairBits) {a_i[PairBits-1]}}, a_i}),
      .B             ({{(18 - WeightBits) {weight_i[WeightBits-1]}}, weight_i}),
      .C             (48'h8000),
      .D             (d_i),
      .INMODE        (dense_i ? 5'b00000 : 5'b00110),  // A, or D
      .OPMODE        (7'b0110101),                     // C + product
      .ALUMODE       (4'b0000),
      .CARRYIN       (1'b0),
      .CARRYINSEL    (3'b000),
      .CEA1          (1'b0),
      .CEA2          (1'b1),
      .CEB1          (1'b1),
      .CEB2          (1'b1),
      .CEC           (1'b0),
      .CED           (1'b1),
      .CEAD          (1'b1),
      .CEM           (1'b1),
      .CEP           (1'b1),
      .CEINMODE      (1'b1),
      .CEALUMODE     (1'b0),
      .CECARRYIN     (1'b0),
      .CECTRL        (1'b0),
      .RSTA          (1'b0),
      .RSTB          (1'b0),
      .RSTC          (1'b0),
      .RSTD          (1'b0),
      .RSTM          (1'b0),
      .RSTP          (1'b0),
      .RSTINMODE     (1'b0),
      .RSTALUMODE    (1'b0),
      .RSTALLCARRYIN (1'b0),
      .RSTCTRL       (1'b0),
      .ACIN          (30'b0),
      .BCIN          (18'b0),
      .PCIN          (48'b0),
      .CARRYCASCIN   (1'b0),
      .MULTSIGNIN    (1'b0),
      .P             ({unused_above, packed_products})
    );
  end else begin : gen_inferred
    logic dense_q;
    logic signed [PairBits-1:0] a_q, d_q, pair_q;
    logic signed [WeightBits-1:0] weight_q1, weight_q2;
    logic signed [32:0] product_q, sum_q;

    always_ff @(posedge clk_i) begin : pipeline
      dense_q   <= dense_i;
      a_q       <= a_i;
      d_q       <= d_i;
      weight_q1 <= weight_i;
      pair_q    <= dense_q ? a_q : d_q;
      weight_q2 <= weight_q1;
      product_q <= 33'(pair_q) * 33'(weight_q2);
      sum_q     <= product_q + 33'sh8000;
    end

    assign packed_products = sum_q;
  end

  assign p0_o = {!packed_products[15], packed_products[14:0]};
  assign p1_o = packed_products[32:16];

endmodule
