// The element-wise part of a LayerNorm, in eleven stages:
//
//   d   = Channels * x - total                                          2: product, difference
//   n   = (d * reciprocal + 2**(NormalizeShift - 1)) >>> NormalizeShift 3: product (2), rounding
//   acc = gamma * n + beta                                              3: product (2), sum
//   code = requantize(acc)                                              3
module hyq_layer_norm_normalize #(
  parameter int unsigned Channels,
  parameter int unsigned Lanes,
  parameter int unsigned ValueBits,
  parameter int unsigned TotalBits,
  parameter int unsigned DeviationBits,
  parameter int unsigned ReciprocalBits,            // unsigned
  parameter int unsigned ProductBits,
  parameter int unsigned NormalizeShift,
  parameter int unsigned NormalizedBits,
  parameter int unsigned AccumulatorBits,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter              GammaFile,
  parameter int unsigned GammaBits,
  parameter              BetaFile,
  parameter int unsigned BetaBits,
  parameter              RequantizeFile,
  parameter int unsigned RequantizeEntries,
  parameter int unsigned RequantizeLanes,
  parameter int unsigned RequantizeLeft,
  parameter int unsigned RequantizeBase,
  parameter int unsigned RequantizeShiftBits,
  parameter int unsigned RequantizeMultiplierBits,
  parameter int unsigned RequantizeZeroPointBits
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [Lanes*ValueBits-1:0] in_data_i,
  input  logic [TotalBits-1:0]       total_i,       // of the beat's row, as the reciprocal
  input  logic [ReciprocalBits-1:0]  reciprocal_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  output logic [Lanes*OutBits-1:0]   out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Stages = 11;
  localparam int unsigned Rounding = 5;  // the stage of n
  localparam int unsigned Beats = Channels / Lanes;
  localparam int unsigned BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam int unsigned WideBits = AccumulatorBits > BetaBits ? AccumulatorBits : BetaBits;
  localparam int unsigned EntryBits =
      RequantizeZeroPointBits + RequantizeShiftBits + RequantizeMultiplierBits;

  // Control. A memory is read in the cycle before its word is used; gamma's goes with n.
  logic en;
  logic [Stages-1:0] valid_q;
  logic [BeatBits-1:0] gamma_beat_q, beat_q1, beta_beat_q, entry_beat_q;

  assign en = !out_valid_o || out_ready_i;
  assign in_ready_o = en;
  assign out_valid_o = valid_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) begin
      valid_q      <= '0;
      gamma_beat_q <= '0;
    end else if (en) begin
      valid_q <= {valid_q[Stages-2:0], in_valid_i};
      if (valid_q[Rounding-2]) begin
        gamma_beat_q <= gamma_beat_q == BeatBits'(Beats - 1) ? '0 : gamma_beat_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin : delay_beat
    if (en) begin
      beat_q1      <= gamma_beat_q;
      beta_beat_q  <= beat_q1;
      entry_beat_q <= beta_beat_q;
    end
  end

  // Memories.
  logic [Lanes*GammaBits-1:0] gammas;
  logic [Lanes*BetaBits-1:0] betas;
  logic [RequantizeLanes*EntryBits-1:0] entries;

  hyq_channel_rom #(
    .Width(Lanes * GammaBits),
    .Words(Beats),
    .Beats(Beats),
    .File (GammaFile)
  ) u_gamma_rom (
    .clk_i,
    .en_i  (en),
    .beat_i(gamma_beat_q),
    .data_o(gammas)
  );

  hyq_channel_rom #(
    .Width(Lanes * BetaBits),
    .Words(Beats),
    .Beats(Beats),
    .File (BetaFile)
  ) u_beta_rom (
    .clk_i,
    .en_i  (en),
    .beat_i(beta_beat_q),
    .data_o(betas)
  );

  hyq_channel_rom #(
    .Width(RequantizeLanes * EntryBits),
    .Words(RequantizeEntries / RequantizeLanes),
    .Beats(Beats),
    .File (RequantizeFile)
  ) u_requantize_rom (
    .clk_i,
    .en_i  (en),
    .beat_i(entry_beat_q),
    .data_o(entries)
  );

  // Datapath.
  logic [TotalBits-1:0] total_q;
  logic [ReciprocalBits-1:0] reciprocal_q1, reciprocal_q2;
  logic [Lanes*AccumulatorBits-1:0] accumulators_q;

  always_ff @(posedge clk_i) begin : delay_results
    if (en) begin
      total_q       <= total_i;
      reciprocal_q1 <= reciprocal_i;
      reciprocal_q2 <= reciprocal_q1;
    end
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [DeviationBits-1:0] scaled, scaled_q, deviation_q;
    logic signed [ProductBits-1:0] product;
    logic [NormalizedBits-1:0] normalized_q;
    logic signed [AccumulatorBits-1:0] gamma_product;
    logic signed [TotalBits-1:0] total;
    logic signed [BetaBits-1:0] beta;

    assign total = total_q;
    assign beta  = betas[l*BetaBits+:BetaBits];

    hyq_constant_product #(
      .Bits       (ValueBits),
      .Factor     (Channels),
      .ProductBits(DeviationBits)
    ) u_scale (
      .value_i  (in_data_i[l*ValueBits+:ValueBits]),
      .product_o(scaled)
    );

    hyq_wide_product #(
      .ABits      (DeviationBits),
      .BBits      (ReciprocalBits + 1),
      .ProductBits(ProductBits)
    ) u_product (
      .clk_i,
      .en_i     (en),
      .a_i      (deviation_q),
      .b_i      ({1'b0, reciprocal_q2}),
      .product_o(product)
    );

    hyq_wide_product #(
      .ABits      (NormalizedBits),
      .BBits      (GammaBits),
      .ProductBits(AccumulatorBits)
    ) u_gamma_product (
      .clk_i,
      .en_i     (en),
      .a_i      (normalized_q),
      .b_i      (gammas[l*GammaBits+:GammaBits]),
      .product_o(gamma_product)
    );

    always_ff @(posedge clk_i) begin : stages
      if (en) begin
        scaled_q     <= scaled;
        deviation_q  <= scaled_q - DeviationBits'(total);
        normalized_q <= NormalizedBits'(
            (product + (ProductBits'(1) << (NormalizeShift - 1))) >>> NormalizeShift);
        accumulators_q[l*AccumulatorBits+:AccumulatorBits] <=
            AccumulatorBits'(WideBits'(gamma_product) + WideBits'(beta));
      end
    end
  end

  hyq_requantize_lanes #(
    .Lanes          (Lanes),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Entries        (RequantizeEntries),
    .EntryLanes     (RequantizeLanes),
    .Left           (RequantizeLeft),
    .Base           (RequantizeBase),
    .ShiftBits      (RequantizeShiftBits),
    .MultiplierBits (RequantizeMultiplierBits),
    .ZeroPointBits  (RequantizeZeroPointBits)
  ) u_requantize_lanes (
    .clk_i,
    .en_i   (en),
    .acc_i  (accumulators_q),
    .entry_i(entries),
    .code_o (out_data_o)
  );

endmodule
