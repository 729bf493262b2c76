// SPDX-License-Identifier: Apache-2.0
// The module makes log2 codes of probabilities without a divider, one beat per cycle. It rounds
// them as the released code of FQ-ViT and HyQ does:
//
//   t    = total / e, rounded half to even
//   code = min(largest code, number of j >= 0 with t >= 1.5 * 2**j)
//
// It is hyq_log2_probability with 2 * total + e in the place of 2 * total, which is half of e more.
// It subtracts one where the sum passes one threshold too many. There are two such cases: total / e
// below 1.5, and 2.5, which rounds down. The sum differs from lane to lane, so each lane has its
// own normalizer. The module is a rigid pipeline: one stage for the sum and the triple, those of
// the normalization of the sum, one for the distance of the leading ones, one for the code.
module hyq_log2_rounded_probability #(
  parameter int unsigned Lanes,
  parameter int unsigned ExponentialBits,
  parameter int unsigned TotalBits,  // at least ExponentialBits
  parameter int unsigned OutBits
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  input  logic [Lanes*ExponentialBits-1:0] exponential_i,
  input  logic [TotalBits-1:0]             total_i,        // total of the beat's row
  input  logic                             in_valid_i,
  output logic                             in_ready_o,
  output logic [Lanes*OutBits-1:0]         out_data_o,
  output logic                             out_valid_o,
  input  logic                             out_ready_i
);

  localparam int unsigned TripleBits = ExponentialBits + 2;
  localparam int unsigned TripleZerosBits = $clog2(TripleBits);
  localparam int unsigned Width = TotalBits + 2;  // width of 2 * total + e
  localparam int unsigned ZerosBits = $clog2(Width);
  localparam int unsigned LevelBits = $clog2(Width + 2);  // sums for a level may wrap
  localparam int unsigned Stages = 1 + ZerosBits + 2;

  logic en;

  hyq_stream_pipeline #(.Stages(Stages)) u_pipeline (
    .clk_i, .rst_ni, .in_valid_i, .in_ready_o, .en_o(en), .out_valid_o, .out_ready_i
  );

  logic [TotalBits:0] twice_q;

  always_ff @(posedge clk_i) begin : delay_total
    if (en) twice_q <= {total_i, 1'b0};
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [ExponentialBits-1:0] exponential;
    logic [TripleBits-1:0] triple_q, triple, triple_mantissa;
    logic [TripleZerosBits-1:0] triple_zeros;
    logic [Width-1:0] sum_q, sum_mantissa;
    logic [ZerosBits-1:0] sum_zeros;
    logic early_q, early, less_q, zero_q;  // early: it passes a threshold too many
    logic [LevelBits-1:0] distance_q, level;
    logic [OutBits-1:0] code_q;

    assign exponential = exponential_i[l*ExponentialBits+:ExponentialBits];

    hyq_delay #(
      .Width (TripleBits),
      .Stages(ZerosBits - TripleZerosBits)
    ) u_delay_triple (
      .clk_i,
      .en_i  (en),
      .data_i(triple_q),
      .data_o(triple)
    );

    hyq_delay #(
      .Width (1),
      .Stages(ZerosBits - 1)
    ) u_delay_early (
      .clk_i,
      .en_i  (en),
      .data_i(early_q),
      .data_o(early)
    );

    hyq_normalizer #(
      .Width(TripleBits)
    ) u_normalize_triple (
      .clk_i,
      .en_i      (en),
      .value_i   (triple),
      .mantissa_o(triple_mantissa),
      .zeros_o   (triple_zeros)
    );

    hyq_normalizer #(
      .Width(Width)
    ) u_normalize_sum (
      .clk_i,
      .en_i      (en),
      .value_i   (sum_q),
      .mantissa_o(sum_mantissa),
      .zeros_o   (sum_zeros)
    );

    if (Width > TripleBits) begin : gen_unused
      logic unused_low;
      assign unused_low = ^sum_mantissa[Width-TripleBits-1:0];
    end

    // The leading ones lie at Width - 1 - sum_zeros and TripleBits - 1 - triple_zeros; level counts
    // from j = 0.
    assign level = distance_q - LevelBits'(less_q);

    always_ff @(posedge clk_i) begin : stages
      if (en) begin
        triple_q   <= TripleBits'(exponential) + (TripleBits'(exponential) << 1);
        sum_q      <= Width'({total_i, 1'b0}) + Width'(exponential);
        early_q    <= Width'(twice_q) < Width'(triple_q) || sum_q == Width'({triple_q, 1'b0});
        distance_q <= LevelBits'(Width + 1 - TripleBits) - LevelBits'(early)
            + LevelBits'(triple_zeros) - LevelBits'(sum_zeros);
        less_q     <= sum_mantissa[Width-1-:TripleBits] < triple_mantissa;
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
