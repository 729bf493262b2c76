// SPDX-License-Identifier: Apache-2.0
// The module is the weighted mean of the keys of separable attention. Reference:
// hyq_hls/ops/separable_context.py, SeparableContext.
//
// Keys count from their smallest code, so that all sums are positive; an offset undoes it. As in
// hyq_global_average_pool, a memory holds the sums of a token's beats, and those of the last token
// of a pixel go straight on. The stages are: table, 4 of hyq_product, sum, dividend, QuotientBits
// of hyq_divider, offset, three of hyq_requantize_tail.
module hyq_separable_context #(
  parameter int unsigned   Tokens,     // tokens of a pixel
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,    // lanes of the keys and of the output; divides Channels
  parameter int unsigned   ScoreBits,
  parameter bit            ScoreSigned,
  parameter int unsigned   KeyBits,
  parameter bit            KeySigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   MeanFraction,
  parameter int unsigned   WeightedBits,  // unsigned, as are the next three
  parameter int unsigned   TotalBits,
  parameter int unsigned   DividendBits,
  parameter int unsigned   QuotientBits,
  parameter int unsigned   AccumulatorBits,
  parameter hyq_pkg::rom_t Exponential,   // for every score, from the smallest code on
  parameter                ExponentialFile,
  parameter hyq_pkg::rom_t Offset,
  parameter                OffsetFile,
  parameter hyq_pkg::requantize_t Requantize,
  parameter                RequantizeFile
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [ScoreBits-1:0]       score_data_i,
  input  logic                       score_valid_i,
  output logic                       score_ready_o,
  input  logic [InLanes*KeyBits-1:0] key_data_i,
  input  logic                       key_valid_i,
  output logic                       key_ready_o,
  output logic [InLanes*OutBits-1:0] out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Beats = Channels / InLanes;
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);
  localparam int unsigned TokenBits = hyq_pkg::index_width(Tokens);
  localparam int unsigned SumsBits = InLanes * WeightedBits;
  localparam int unsigned ProductBits = Exponential.bits + 1 + KeyBits;
  localparam int unsigned WideBits = hyq_pkg::max(AccumulatorBits, Offset.bits);

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_separable_context: InLanes divides Channels");
  end

  // Every beat of a token meets its score.
  logic en, ready, both_valid, kept_valid;
  logic [ScoreBits-1:0] kept;

  hyq_replay #(
    .Width(ScoreBits),
    .Beats(1),
    .Times(Beats)
  ) u_replay (
    .clk_i,
    .rst_ni,
    .in_data_i  (score_data_i),
    .in_valid_i (score_valid_i),
    .in_ready_o (score_ready_o),
    .out_data_o (kept),
    .out_valid_o(kept_valid),
    .out_ready_i(ready && key_valid_i)
  );

  assign both_valid  = key_valid_i && kept_valid;
  assign key_ready_o = ready && kept_valid;

  // Stage 1 looks the exponential up. Signed codes count from the smallest when their sign turns.
  logic [ScoreBits-1:0] score;
  logic [InLanes*KeyBits-1:0] keys_q;
  logic [Exponential.bits-1:0] exponential, summed;

  assign score = kept ^ (ScoreBits'(ScoreSigned) << (ScoreBits - 1));

  hyq_rom #(
    .Width(Exponential.bits),
    .Depth(Exponential.entries),
    .File (ExponentialFile)
  ) u_exponential_rom (
    .clk_i,
    .en_i  (en),
    .addr_i(score),
    .data_o(exponential)
  );

  always_ff @(posedge clk_i) begin : keys
    if (en) keys_q <= key_data_i;
  end

  // Stages 2 to 5 make the products. The exponential itself is summed with them.
  logic [InLanes*WeightedBits-1:0] products;

  for (genvar l = 0; l < InLanes; l++) begin : gen_product
    logic [KeyBits-1:0] key;
    logic [ProductBits-1:0] product;
    assign key = keys_q[l*KeyBits+:KeyBits] ^ (KeyBits'(KeySigned) << (KeyBits - 1));
    assign products[l*WeightedBits+:WeightedBits] = WeightedBits'(product);

    hyq_product #(
      .WeightBits   (Exponential.bits + 1),
      .OperandBits  (KeyBits),
      .OperandSigned(1'b0)
    ) u_product (
      .clk_i,
      .en_i     (en),
      .weight_i ({1'b0, exponential}),
      .operand_i(key),
      .product_o(product)
    );

    logic unused_sign;
    assign unused_sign = ^product;
  end

  hyq_delay #(
    .Width (Exponential.bits),
    .Stages(4)
  ) u_summed (
    .clk_i, .en_i(en), .data_i(exponential), .data_o(summed)
  );

  // The sums so far are read while the products are made.
  logic product_next, product_valid, last_beat;
  logic [BeatBits-1:0] next_beat, beat_q;
  logic [TokenBits-1:0] next_token;
  logic first_beat_q, first_token_q, last_token_q;

  assign last_beat = next_beat == BeatBits'(Beats - 1);

  hyq_valid_chain #(.Stages(4)) u_product_next (
    .clk_i, .rst_ni, .en_i(en), .valid_i(both_valid), .valid_o(product_next)
  );
  hyq_valid_chain #(.Stages(1)) u_product_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(product_next), .valid_o(product_valid)
  );

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(en && product_next), .index_o(next_beat)
  );
  hyq_index #(.Count(Tokens)) u_token (
    .clk_i, .rst_ni, .en_i(en && product_next && last_beat), .index_o(next_token)
  );

  always_ff @(posedge clk_i) begin : places
    if (en) begin
      beat_q        <= next_beat;
      first_beat_q  <= next_beat == '0;
      first_token_q <= next_token == '0;
      last_token_q  <= next_token == TokenBits'(Tokens - 1);
    end
  end

  logic [SumsBits-1:0] previous, sums_d, sums_q;
  logic [TotalBits-1:0] total_d, total_q;

  if (Beats == 1) begin : gen_register
    assign previous = sums_q;

    logic unused_beat;
    assign unused_beat = ^beat_q;
  end else begin : gen_memory
    // The word that is read was written at least one cycle ago, because its beat came Beats beats
    // before.
    hyq_ram #(
      .Width(SumsBits),
      .Depth(Beats)
    ) u_sums (
      .clk_i,
      .write_i        (en && product_valid),
      .write_address_i(beat_q),
      .write_data_i   (sums_d),
      .read_i         (en),
      .read_address_i (next_beat),
      .read_data_o    (previous)
    );
  end

  // Stage 6 adds. The first token starts from zero.
  for (genvar l = 0; l < InLanes; l++) begin : gen_sum
    assign sums_d[l*WeightedBits+:WeightedBits] = products[l*WeightedBits+:WeightedBits]
        + (first_token_q ? '0 : previous[l*WeightedBits+:WeightedBits]);
  end

  assign total_d = (first_beat_q && first_token_q ? '0 : total_q)
      + (first_beat_q ? TotalBits'(summed) : '0);

  always_ff @(posedge clk_i) begin : stage_6
    if (en && product_valid) begin
      sums_q  <= sums_d;
      total_q <= total_d;
    end
  end

  // Only the last token of a pixel is valid past the sums.
  logic quotient_next;
  logic [BeatBits-1:0] quotient_beat, quotient_beat_q;

  hyq_stream_pipeline #(.Stages(QuotientBits + 6)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(product_valid && last_token_q),
    .in_ready_o(ready),
    .en_o      (en),
    .out_valid_o,
    .out_ready_i
  );

  hyq_valid_chain #(.Stages(QuotientBits + 1)) u_quotient_next (
    .clk_i, .rst_ni, .en_i(en), .valid_i(product_valid && last_token_q), .valid_o(quotient_next)
  );

  hyq_index #(.Count(Beats)) u_quotient_beat (
    .clk_i, .rst_ni, .en_i(en && quotient_next), .index_o(quotient_beat)
  );

  logic [Offset.lanes*Offset.bits-1:0] offsets;

  hyq_channel_rom #(
    .Rom  (Offset),
    .Beats(Beats),
    .File (OffsetFile)
  ) u_offset_rom (
    .clk_i,
    .en_i  (en),
    .beat_i(quotient_beat),
    .data_o(offsets)
  );

  // The next stages divide and undo the offset.
  logic [TotalBits-1:0] total_q2;
  logic [InLanes*AccumulatorBits-1:0] acc_q;

  always_ff @(posedge clk_i) begin : delays
    if (en) begin
      total_q2        <= total_q;
      quotient_beat_q <= quotient_beat;
    end
  end

  for (genvar l = 0; l < InLanes; l++) begin : gen_mean
    localparam int unsigned OffsetLane = Offset.lanes == 1 ? 0 : l;
    logic [DividendBits-1:0] dividend_q;
    logic [QuotientBits-1:0] quotient;
    logic signed [Offset.bits-1:0] offset;
    assign offset = offsets[OffsetLane*Offset.bits+:Offset.bits];

    hyq_divider #(
      .NumeratorBits  (DividendBits),
      .DenominatorBits(TotalBits),
      .QuotientBits   (QuotientBits)
    ) u_divider (
      .clk_i,
      .en_i         (en),
      .numerator_i  (dividend_q),
      .denominator_i(total_q2),
      .quotient_o   (quotient)
    );

    always_ff @(posedge clk_i) begin : stages
      if (en) begin
        dividend_q <= (DividendBits'(sums_q[l*WeightedBits+:WeightedBits]) << MeanFraction)
            + DividendBits'(total_q >> 1);
        acc_q[l*AccumulatorBits+:AccumulatorBits] <=
            AccumulatorBits'(WideBits'({1'b0, quotient}) - WideBits'(offset));
      end
    end
  end

  hyq_requantize_tail #(
    .Lanes          (InLanes),
    .Beats          (Beats),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_requantize (
    .clk_i,
    .en_i  (en),
    .beat_i(quotient_beat_q),
    .acc_i (acc_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
