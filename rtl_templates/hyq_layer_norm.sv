// SPDX-License-Identifier: Apache-2.0
// The module is a LayerNorm over the channels of every position. Reference:
// hyq_hls/ops/layer_norm.py, LayerNorm.
//
// Four parts work on different positions: sum and variance, square root, reciprocal, and the
// element-wise rest. A row buffer holds the values until their reciprocal is there. The slowest
// part sets the cycles per position. They are Channels / InLanes beats, or the steps of the root or
// of the reciprocal plus one cycle that loads them, or the four cycles of the variance.
module hyq_layer_norm #(
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,
  parameter int unsigned   OutLanes,  // equal to InLanes
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   RootFraction,
  parameter int unsigned   RootSteps,
  parameter int unsigned   ReciprocalFraction,
  parameter int unsigned   NormalizeShift,
  parameter int unsigned   RowDepth,  // beats in the row buffer
  parameter int unsigned   ValueBits,
  parameter int unsigned   TotalBits,
  parameter int unsigned   SquaresBits,
  parameter int unsigned   RemainderBits,
  parameter int unsigned   DeviationBits,
  parameter int unsigned   ReciprocalBits,
  parameter int unsigned   ProductBits,
  parameter int unsigned   NormalizedBits,
  parameter int unsigned   AccumulatorBits,
  parameter hyq_pkg::rom_t FactorShift,
  parameter                FactorShiftFile,
  parameter hyq_pkg::rom_t ZeroPoint,
  parameter                ZeroPointFile,
  parameter hyq_pkg::rom_t Epsilon,
  parameter                EpsilonFile,
  parameter hyq_pkg::rom_t Gamma,
  parameter                GammaFile,
  parameter hyq_pkg::rom_t Beta,
  parameter                BetaFile,
  parameter hyq_pkg::requantize_t Requantize,
  parameter                RequantizeFile
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic [InLanes*InBits-1:0]   in_data_i,
  input  logic                        in_valid_i,
  output logic                        in_ready_o,
  output logic [OutLanes*OutBits-1:0] out_data_o,
  output logic                        out_valid_o,
  input  logic                        out_ready_i
);

  localparam int unsigned Beats = Channels / InLanes;

  if (Channels % InLanes != 0 || InLanes != OutLanes) begin : gen_bad_lanes
    $error("hyq_layer_norm: InLanes divides Channels, and OutLanes is InLanes");
  end

  // Values take two stages: (code - zero point) << factor.
  logic values_en, values_valid, values_ready;
  logic [hyq_pkg::index_width(Beats)-1:0] beat;
  logic [InLanes*ValueBits-1:0] centred, values_q;
  logic [FactorShift.lanes*FactorShift.bits-1:0] factor_shifts;

  hyq_stream_pipeline #(.Stages(2)) u_values_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o,
    .en_o       (values_en),
    .out_valid_o(values_valid),
    .out_ready_i(values_ready)
  );

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(in_ready_o && in_valid_i), .index_o(beat)
  );

  hyq_centre_lanes #(
    .Lanes        (InLanes),
    .Beats        (Beats),
    .InBits       (InBits),
    .InSigned     (InSigned),
    .CentredBits  (ValueBits),
    .ZeroPoint    (ZeroPoint),
    .ZeroPointFile(ZeroPointFile)
  ) u_centre_lanes (
    .clk_i,
    .en_i     (values_en),
    .beat_i   (beat),
    .code_i   (in_data_i),
    .centred_o(centred)
  );

  hyq_channel_rom #(
    .Rom  (FactorShift),
    .Beats(Beats),
    .File (FactorShiftFile)
  ) u_factor_shift_rom (
    .clk_i,
    .en_i  (values_en),
    .beat_i(beat),
    .data_o(factor_shifts)
  );

  for (genvar l = 0; l < InLanes; l++) begin : gen_value
    localparam int unsigned FactorLane = FactorShift.lanes == 1 ? 0 : l;

    always_ff @(posedge clk_i) begin : value
      if (values_en) begin
        values_q[l*ValueBits+:ValueBits] <= centred[l*ValueBits+:ValueBits]
            << factor_shifts[FactorLane*FactorShift.bits+:FactorShift.bits];
      end
    end
  end

  // Every value meets the results of its row.
  logic [InLanes*ValueBits-1:0] values;
  logic [TotalBits-1:0] total;
  logic [ReciprocalBits-1:0] reciprocal;
  logic row_valid, row_ready;

  hyq_norm_rows #(
    .Elements          (Channels),
    .Lanes             (InLanes),
    .ValueBits         (ValueBits),
    .TotalBits         (TotalBits),
    .SquaresBits       (SquaresBits),
    .RootFraction      (RootFraction),
    .RootSteps         (RootSteps),
    .RemainderBits     (RemainderBits),
    .ReciprocalFraction(ReciprocalFraction),
    .ReciprocalBits    (ReciprocalBits),
    .Depth             (RowDepth),
    .Epsilon           (Epsilon),
    .EpsilonFile       (EpsilonFile)
  ) u_rows (
    .clk_i,
    .rst_ni,
    .in_data_i   (values_q),
    .in_valid_i  (values_valid),
    .in_ready_o  (values_ready),
    .out_data_o  (values),
    .total_o     (total),
    .reciprocal_o(reciprocal),
    .out_valid_o (row_valid),
    .out_ready_i (row_ready)
  );

  // Two stages make the difference of value and mean, times the channels: Channels * x - total.
  logic en, difference_valid;
  logic [TotalBits-1:0] total_q;
  logic [ReciprocalBits-1:0] difference_reciprocal;
  logic [InLanes*DeviationBits-1:0] deviations_q;

  hyq_valid_chain #(.Stages(2)) u_difference_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(row_valid), .valid_o(difference_valid)
  );

  hyq_delay #(
    .Width (ReciprocalBits),
    .Stages(2)
  ) u_reciprocal (
    .clk_i, .en_i(en), .data_i(reciprocal), .data_o(difference_reciprocal)
  );

  always_ff @(posedge clk_i) begin : delay_total
    if (en) total_q <= total;
  end

  for (genvar l = 0; l < InLanes; l++) begin : gen_deviation
    logic [DeviationBits-1:0] scaled, scaled_q;
    logic signed [TotalBits-1:0] row_total;

    assign row_total = total_q;

    hyq_constant_product #(
      .Bits       (ValueBits),
      .Factor     (Channels),
      .ProductBits(DeviationBits)
    ) u_scale (
      .value_i  (values[l*ValueBits+:ValueBits]),
      .product_o(scaled)
    );

    always_ff @(posedge clk_i) begin : stages
      if (en) begin
        scaled_q <= scaled;
        deviations_q[l*DeviationBits+:DeviationBits] <= scaled_q - DeviationBits'(row_total);
      end
    end
  end

  hyq_norm_codes #(
    .Channels       (Channels),
    .Lanes          (InLanes),
    .ABits          (DeviationBits),
    .BBits          (ReciprocalBits + 1),
    .ProductBits    (ProductBits),
    .NormalizeShift (NormalizeShift),
    .NormalizedBits (NormalizedBits),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Gamma          (Gamma),
    .GammaFile      (GammaFile),
    .Beta           (Beta),
    .BetaFile       (BetaFile),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_codes (
    .clk_i,
    .rst_ni,
    .a_i       (deviations_q),
    .b_i       ({InLanes{{1'b0, difference_reciprocal}}}),
    .in_valid_i(difference_valid),
    .in_ready_o(row_ready),
    .en_o      (en),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
