// The module is the element-wise part of a GroupNorm, in thirteen stages:
//
//   mean = (total * MeanMultiplier + 2**(MeanShift - 1)) >>> MeanShift     3: product (2), rounding
//   d    = (x << MeanFraction) - mean                                      1
//   n    = (d * reciprocal + 2**(NormalizeShift - 1)) >>> NormalizeShift   3: product (2), rounding
//   acc  = gamma * n + beta                                                3: product (2), sum
//   code = requantize(acc)                                                 3
module hyq_group_norm_normalize #(
  parameter int unsigned   Channels,
  parameter int unsigned   Lanes,
  parameter int unsigned   ValueBits,
  parameter int unsigned   TotalBits,
  parameter int unsigned   MeanFraction,
  parameter int unsigned   MeanMultiplier,  // at most 17 bits
  parameter int unsigned   MeanShift,
  parameter int unsigned   MeanProductBits,
  parameter int unsigned   DifferenceBits,
  parameter int unsigned   ReciprocalBits,  // unsigned
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
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [Lanes*ValueBits-1:0] in_data_i,
  input  logic [TotalBits-1:0]       total_i,       // total of the beat's frame, as the reciprocal
  input  logic [ReciprocalBits-1:0]  reciprocal_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  output logic [Lanes*OutBits-1:0]   out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Rounding = 7;  // the stage of n
  localparam int unsigned Beats = Channels / Lanes;
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);
  localparam int unsigned WideBits = hyq_pkg::max(AccumulatorBits, Beta.bits);

  // A memory is read in the cycle before its word is used. The word of gamma goes with n.
  logic en, rounding_valid;  // the difference's product is there, n comes next
  logic [BeatBits-1:0] gamma_beat, beat_q1, beta_beat_q, entry_beat_q;

  hyq_valid_chain #(.Stages(Rounding - 1)) u_rounding_valid (
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

  // The mean takes three stages. Values and the reciprocal wait for it.
  logic [Lanes*ValueBits-1:0] values;
  logic [ReciprocalBits-1:0] reciprocal;
  logic signed [MeanProductBits-1:0] mean_product;
  logic signed [DifferenceBits-1:0] mean_q;

  hyq_wide_product #(
    .ABits      (TotalBits),
    .BBits      (18),
    .ProductBits(MeanProductBits)
  ) u_mean_product (
    .clk_i,
    .en_i     (en),
    .a_i      (total_i),
    .b_i      (18'(MeanMultiplier)),
    .product_o(mean_product)
  );

  always_ff @(posedge clk_i) begin : mean
    if (en) begin
      mean_q <= DifferenceBits'(
          (mean_product + (MeanProductBits'(1) << (MeanShift - 1))) >>> MeanShift);
    end
  end

  hyq_delay #(
    .Width (Lanes * ValueBits),
    .Stages(3)
  ) u_values (
    .clk_i, .en_i(en), .data_i(in_data_i), .data_o(values)
  );

  hyq_delay #(
    .Width (ReciprocalBits),
    .Stages(4)
  ) u_reciprocal (
    .clk_i, .en_i(en), .data_i(reciprocal_i), .data_o(reciprocal)
  );

  // Datapath.
  logic [Lanes*AccumulatorBits-1:0] accumulators_q;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic signed [ValueBits-1:0] value;
    logic [DifferenceBits-1:0] difference_q;
    logic signed [ProductBits-1:0] product;
    logic [NormalizedBits-1:0] normalized_q;
    logic signed [AccumulatorBits-1:0] gamma_product;
    logic signed [Beta.bits-1:0] beta;

    assign value = values[l*ValueBits+:ValueBits];
    assign beta  = betas[l*Beta.bits+:Beta.bits];

    hyq_wide_product #(
      .ABits      (ReciprocalBits + 1),
      .BBits      (DifferenceBits),
      .ProductBits(ProductBits)
    ) u_product (
      .clk_i,
      .en_i     (en),
      .a_i      ({1'b0, reciprocal}),
      .b_i      (difference_q),
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
        difference_q <= (DifferenceBits'(value) <<< MeanFraction) - mean_q;
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
