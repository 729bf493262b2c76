// SPDX-License-Identifier: Apache-2.0
// The module is a lane of the norm unit: a code and the record of its channel come together; x and
// its square leave for the sums, and the normalized code 17 cycles later. Reference: "norm" in
// docs/engine.md.
//
// Stages 1 and 2: x; 3 to 5: C * x - S; 6 and 7: times the reciprocal; 8 to 10: rounded shift by
// bytes and by bits; 11 to 13: gamma and beta; 14 to 17: the requantizer.
module hyq_engine_norm_lane
  import hyq_engine_pkg::*;
#(
  parameter int unsigned ValueBits,  // of x
  parameter int unsigned SumBits,    // of S
  parameter int unsigned CountBits,  // of C
  parameter int unsigned WideBits
) (
  input  logic                          clk_i,
  input  logic [7:0]                    code_i,
  input  norm_channel_t                 record_i,
  output logic signed [ValueBits-1:0]   x_o,           // of stage 2
  output logic [2*ValueBits-1:0]        square_o,      // of stage 4
  input  logic [CountBits-1:0]          channels_i,    // C, constant
  input  logic [SumBits-1:0]          total_i,       // S, for stage 5
  input  logic [WideBits-2:0]           reciprocal_i,  // for stage 6
  input  logic [5:0]                    normalize_i,   // N - t - F, constant
  input  logic [WideBits-1:0]           half_i,        // of the unit that this shift leaves
  input  logic [CodeBits-1:0]           mask_i,        // constant
  output logic [7:0]                    code_o         // of stage 17
);

  localparam int unsigned DeviationBits = SumBits + 2;

  // Records wait for the stages that use them.
  norm_channel_t record_gamma, record_beta, record_bytes, record_bits, record_zero;

  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(10)
  ) u_record_gamma (
    .clk_i, .en_i(1'b1), .data_i(record_i), .data_o(record_gamma)
  );

  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(2)
  ) u_record_beta (
    .clk_i, .en_i(1'b1), .data_i(record_gamma), .data_o(record_beta)
  );
  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(1)
  ) u_record_bytes (
    .clk_i, .en_i(1'b1), .data_i(record_beta), .data_o(record_bytes)
  );
  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(1)
  ) u_record_bits (
    .clk_i, .en_i(1'b1), .data_i(record_bytes), .data_o(record_bits)
  );
  hyq_delay #(
    .Width($bits(norm_channel_t)), .Stages(1)
  ) u_record_zero (
    .clk_i, .en_i(1'b1), .data_i(record_bits), .data_o(record_zero)
  );

  // x = (code - zero_in) << k.
  logic signed [8:0] centred_q;
  logic [3:0] k_q;

  always_ff @(posedge clk_i) begin : value
    centred_q <= {1'b0, code_i} - {1'b0, record_i.zero_in};
    k_q       <= record_i.k[3:0];
    x_o       <= ValueBits'(centred_q) <<< k_q;
  end

  hyq_wide_product #(
    .ABits(ValueBits), .BBits(ValueBits), .ProductBits(2 * ValueBits)
  ) u_square (
    .clk_i, .en_i(1'b1), .a_i(x_o), .b_i(x_o), .product_o(square_o)
  );

  // The normalized value, and the code.
  logic [DeviationBits-1:0] scaled_x;
  logic signed [DeviationBits-1:0] deviation_q;
  logic [WideBits-1:0] product, gamma_product, acc_q;
  logic signed [WideBits-1:0] rounded_q, coarse_q, normalized_q;
  logic [CodeBits-1:0] code;

  hyq_wide_product #(
    .ABits(ValueBits), .BBits(CountBits + 1), .ProductBits(DeviationBits)
  ) u_scaled_x (
    .clk_i, .en_i(1'b1), .a_i(x_o), .b_i({1'b0, channels_i}), .product_o(scaled_x)
  );
  hyq_wide_product #(
    .ABits(DeviationBits), .BBits(WideBits), .ProductBits(WideBits)
  ) u_product (
    .clk_i, .en_i(1'b1), .a_i(deviation_q), .b_i({1'b0, reciprocal_i}), .product_o(product)
  );
  hyq_wide_product #(
    .ABits(16), .BBits(WideBits), .ProductBits(WideBits)
  ) u_gamma (
    .clk_i, .en_i(1'b1), .a_i(record_gamma.gamma), .b_i(normalized_q), .product_o(gamma_product)
  );

  always_ff @(posedge clk_i) begin : normalize
    deviation_q  <= scaled_x - {{2{total_i[SumBits-1]}}, total_i};
    rounded_q    <= product + half_i;
    coarse_q     <= rounded_q >>> {normalize_i[5:3], 3'b000};
    normalized_q <= coarse_q >>> normalize_i[2:0];
    acc_q        <= gamma_product + {{32{record_beta.beta[31]}}, record_beta.beta};
  end

  hyq_engine_requantizer #(
    .SumBits (WideBits),
    .Multiply(1'b0)
  ) u_requantizer (
    .clk_i,
    .acc_i       (acc_q),
    .multiplier_i('0),
    .bytes_i     (record_bytes.shift[ShiftBits-1:3]),
    .bits_i      (record_bits.shift[2:0]),
    .zero_point_i(record_zero.zero_out),
    .mask_i,
    .code_o      (code)
  );

  assign code_o = code[7:0];

  logic unused;
  assign unused = ^{code, record_i, record_gamma, record_beta, record_bytes, record_bits,
                    record_zero};

endmodule
