// SPDX-License-Identifier: Apache-2.0
// The module makes log2 codes of probabilities without a divider, one beat per cycle:
//
//   e    = mantissa << exponent
//   code = min(largest code, number of j >= 1 with 4 * total >= 3 * 2**j * e)
//
// That number is the distance of the leading ones of 4 * total and 3 * e. It is one less if
// 4 * total is the smaller one when both are shifted to the same leading one. Since 3 * e has few
// bits, the same number of bits of the total decides. The module is a rigid pipeline. Its first
// stages are those of the triple and its normalization, or those of the normalization of the total
// where these are more. Then come one stage for the distance and one for the code.
module hyq_log2_probability #(
  parameter int unsigned Lanes,
  parameter int unsigned MantissaBits,
  parameter int unsigned ExponentBits,
  parameter int unsigned TotalBits,
  parameter int unsigned OutBits
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic [Lanes*MantissaBits-1:0] mantissa_i,
  input  logic [Lanes*ExponentBits-1:0] exponent_i,
  input  logic [TotalBits-1:0]          total_i,      // total of the beat's row
  input  logic                          in_valid_i,
  output logic                          in_ready_o,
  output logic [Lanes*OutBits-1:0]      out_data_o,
  output logic                          out_valid_o,
  input  logic                          out_ready_i
);

  localparam int unsigned TripleBits = MantissaBits + 2;
  localparam int unsigned TripleZerosBits = $clog2(TripleBits);
  localparam int unsigned Width = TotalBits > TripleBits ? TotalBits : TripleBits;
  localparam int unsigned ZerosBits = $clog2(Width);
  // A level is at most the position of the leading one of 4 * total; sums for it may wrap.
  localparam int unsigned LevelBits = $clog2(Width + 2);
  localparam int unsigned TripleStages = 1 + TripleZerosBits;
  localparam int unsigned NormalStages = ZerosBits > TripleStages ? ZerosBits : TripleStages;
  localparam int unsigned Stages = NormalStages + 2;

  logic en;

  hyq_stream_pipeline #(.Stages(Stages)) u_pipeline (
    .clk_i, .rst_ni, .in_valid_i, .in_ready_o, .en_o(en), .out_valid_o, .out_ready_i
  );

  // All lanes share the highest bits and the leading zeros of the total.
  logic [TotalBits-1:0] total;
  logic [Width-1:0] total_mantissa;
  logic [ZerosBits-1:0] total_zeros;

  hyq_delay #(
    .Width (TotalBits),
    .Stages(NormalStages - ZerosBits)
  ) u_delay_total (
    .clk_i,
    .en_i  (en),
    .data_i(total_i),
    .data_o(total)
  );

  hyq_normalizer #(
    .Width(Width)
  ) u_normalize_total (
    .clk_i,
    .en_i      (en),
    .value_i   (Width'(total)),
    .mantissa_o(total_mantissa),
    .zeros_o   (total_zeros)
  );

  if (Width > TripleBits) begin : gen_unused
    logic unused_low;
    assign unused_low = ^total_mantissa[Width-TripleBits-1:0];
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [MantissaBits-1:0] mantissa;
    logic [TripleBits-1:0] triple_q, triple_mantissa;
    logic [TripleZerosBits-1:0] triple_zeros;
    logic [ExponentBits-1:0] exponent;
    logic less_q, zero_q;
    logic [LevelBits-1:0] distance_q, level;
    logic [OutBits-1:0] code_q;

    hyq_delay #(
      .Width (MantissaBits),
      .Stages(NormalStages - TripleStages)
    ) u_delay_mantissa (
      .clk_i,
      .en_i  (en),
      .data_i(mantissa_i[l*MantissaBits+:MantissaBits]),
      .data_o(mantissa)
    );

    hyq_delay #(
      .Width (ExponentBits),
      .Stages(NormalStages)
    ) u_delay_exponent (
      .clk_i,
      .en_i  (en),
      .data_i(exponent_i[l*ExponentBits+:ExponentBits]),
      .data_o(exponent)
    );

    hyq_normalizer #(
      .Width(TripleBits)
    ) u_normalize_triple (
      .clk_i,
      .en_i      (en),
      .value_i   (triple_q),
      .mantissa_o(triple_mantissa),
      .zeros_o   (triple_zeros)
    );

    // The leading ones lie at Width + 1 - total_zeros and TripleBits - 1 - triple_zeros + exponent.
    assign level = distance_q - LevelBits'(less_q);

    always_ff @(posedge clk_i) begin : stages
      if (en) begin
        triple_q   <= TripleBits'(mantissa) + (TripleBits'(mantissa) << 1);
        distance_q <= LevelBits'(Width + 2 - TripleBits) - LevelBits'(total_zeros)
            + LevelBits'(triple_zeros) - LevelBits'(exponent);
        less_q     <= total_mantissa[Width-1-:TripleBits] < triple_mantissa;
        zero_q     <= !triple_mantissa[TripleBits-1];  // no leading one means that e is 0
        code_q     <= zero_q || (level >> OutBits) != '0 ? '1 : OutBits'(level);
      end
    end

    assign out_data_o[l*OutBits+:OutBits] = code_q;
  end

  hyq_stream_checker #(.Width(Lanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
