// SPDX-License-Identifier: Apache-2.0
// The module is the last part of a normalization, in nine stages. It is the common part of
// hyq_layer_norm and hyq_group_norm.
//
//   n    = (a * b + 2**(NormalizeShift - 1)) >>> NormalizeShift   3: product (2), rounding
//   acc  = gamma * n + beta                                       3: product (2), sum
//   code = requantize(acc)                                        3
//
// One of a and b is the difference of a value and its mean, the other is the reciprocal of the
// standard deviation. It is a rigid pipeline. en_o is its enable, also for the caller's stages in
// front of it. in_ready_o has the same value and few loads.
module hyq_norm_codes #(
  parameter int unsigned   Channels,
  parameter int unsigned   Lanes,           // divides Channels
  parameter int unsigned   ABits,
  parameter int unsigned   BBits,           // hyq_wide_product splits b
  parameter int unsigned   ProductBits,
  parameter int unsigned   NormalizeShift,
  parameter int unsigned   NormalizedBits,
  parameter int unsigned   AccumulatorBits,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter hyq_pkg::rom_t Gamma,
  parameter                GammaFile,
  parameter hyq_pkg::rom_t Beta,
  parameter                BetaFile,
  parameter hyq_pkg::requantize_t Requantize,
  parameter                RequantizeFile
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  input  logic [Lanes*ABits-1:0]   a_i,
  input  logic [Lanes*BBits-1:0]   b_i,
  input  logic                     in_valid_i,
  output logic                     in_ready_o,
  output logic                     en_o,
  output logic [Lanes*OutBits-1:0] out_data_o,
  output logic                     out_valid_o,
  input  logic                     out_ready_i
);

  localparam int unsigned Beats = Channels / Lanes;
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);
  localparam int unsigned WideBits = hyq_pkg::max(AccumulatorBits, Beta.bits);

  // A memory is read in the cycle before its word is used. The word of gamma goes with n.
  logic en, rounding_valid;  // the product of a and b is there, n comes next
  logic [BeatBits-1:0] gamma_beat, beat_q1, beta_beat_q, entry_beat_q;

  assign en_o = en;

  hyq_valid_chain #(.Stages(2)) u_rounding_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(in_valid_i), .valid_o(rounding_valid)
  );

  hyq_stream_pipeline #(.Stages(7)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(rounding_valid),
    .in_ready_o,
    .en_o      (en),
    .out_valid_o,
    .out_ready_i
  );

  hyq_index #(.Count(Beats)) u_gamma_beat (
    .clk_i, .rst_ni, .en_i(en && rounding_valid), .index_o(gamma_beat)
  );

  always_ff @(posedge clk_i) begin : delay_beat
    if (en) begin
      beat_q1      <= gamma_beat;
      beta_beat_q  <= beat_q1;
      entry_beat_q <= beta_beat_q;
    end
  end

  // Memories.
  logic [Lanes*Gamma.bits-1:0] gammas;
  logic [Lanes*Beta.bits-1:0] betas;

  hyq_channel_rom #(
    .Rom  (Gamma),
    .Beats(Beats),
    .File (GammaFile)
  ) u_gamma_rom (
    .clk_i,
    .en_i  (en),
    .beat_i(gamma_beat),
    .data_o(gammas)
  );

  hyq_channel_rom #(
    .Rom  (Beta),
    .Beats(Beats),
    .File (BetaFile)
  ) u_beta_rom (
    .clk_i,
    .en_i  (en),
    .beat_i(beta_beat_q),
    .data_o(betas)
  );

  // Datapath.
  logic [Lanes*AccumulatorBits-1:0] accumulators_q;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic signed [ProductBits-1:0] product;
    logic [NormalizedBits-1:0] normalized_q;
    logic signed [AccumulatorBits-1:0] gamma_product;
    logic signed [Beta.bits-1:0] beta;

    assign beta = betas[l*Beta.bits+:Beta.bits];

    hyq_wide_product #(
      .ABits      (ABits),
      .BBits      (BBits),
      .ProductBits(ProductBits)
    ) u_product (
      .clk_i,
      .en_i     (en),
      .a_i      (a_i[l*ABits+:ABits]),
      .b_i      (b_i[l*BBits+:BBits]),
      .product_o(product)
    );

    hyq_wide_product #(
      .ABits      (NormalizedBits),
      .BBits      (Gamma.bits),
      .ProductBits(AccumulatorBits)
    ) u_gamma_product (
      .clk_i,
      .en_i     (en),
      .a_i      (normalized_q),
      .b_i      (gammas[l*Gamma.bits+:Gamma.bits]),
      .product_o(gamma_product)
    );

    always_ff @(posedge clk_i) begin : stages
      if (en) begin
        normalized_q <= NormalizedBits'(
            (product + (ProductBits'(1) << (NormalizeShift - 1))) >>> NormalizeShift);
        accumulators_q[l*AccumulatorBits+:AccumulatorBits] <=
            AccumulatorBits'(WideBits'(gamma_product) + WideBits'(beta));
      end
    end
  end

  hyq_requantize_tail #(
    .Lanes          (Lanes),
    .Beats          (Beats),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_requantize (
    .clk_i,
    .en_i  (en),
    .beat_i(entry_beat_q),
    .acc_i (accumulators_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(Lanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
