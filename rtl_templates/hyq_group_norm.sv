// SPDX-License-Identifier: Apache-2.0
// The module is a GroupNorm with one group: all elements of a frame have one mean and one variance.
// Reference: hyq_hls/ops/group_norm.py, GroupNorm.
//
// It is built as hyq_layer_norm, with a frame in the place of a row: four parts work on different
// frames, and a buffer holds the values until their reciprocal is there. The slowest part sets the
// cycles per frame. They are Elements / InLanes beats, or the steps of the root or of the
// reciprocal plus one cycle that loads them.
module hyq_group_norm #(
  parameter int unsigned   Elements,  // of a frame; at most 2**30
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,
  parameter int unsigned   OutLanes,  // equal to InLanes
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   MeanFraction,
  parameter int unsigned   MeanMultiplier,  // at most 17 bits
  parameter int unsigned   MeanShift,
  parameter int unsigned   RootFraction,
  parameter int unsigned   RootSteps,
  parameter int unsigned   ReciprocalFraction,
  parameter int unsigned   NormalizeShift,
  parameter int unsigned   FrameDepth,  // beats in the buffer
  parameter int unsigned   ValueBits,
  parameter int unsigned   TotalBits,
  parameter int unsigned   SquaresBits,
  parameter int unsigned   RemainderBits,
  parameter int unsigned   ReciprocalBits,
  parameter int unsigned   MeanProductBits,
  parameter int unsigned   DifferenceBits,
  parameter int unsigned   ProductBits,
  parameter int unsigned   NormalizedBits,
  parameter int unsigned   AccumulatorBits,
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

  if (Channels % InLanes != 0 || InLanes != OutLanes || Elements % Channels != 0) begin : gen_bad
    $error("hyq_group_norm: InLanes divides Channels and is OutLanes; Channels divides Elements");
  end

  // Values take two stages: a code and its zero point, and their difference.
  logic values_en, values_valid, values_ready;
  logic [hyq_pkg::index_width(Beats)-1:0] beat;
  logic [InLanes*ValueBits-1:0] centred, values_q;

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

  always_ff @(posedge clk_i) begin : values_register
    if (values_en) values_q <= centred;
  end

  // Every value meets the results of its frame.
  logic [InLanes*ValueBits-1:0] values;
  logic [TotalBits-1:0] total;
  logic [ReciprocalBits-1:0] reciprocal;
  logic row_valid, row_ready;

  hyq_norm_rows #(
    .Elements          (Elements),
    .Lanes             (InLanes),
    .ValueBits         (ValueBits),
    .TotalBits         (TotalBits),
    .SquaresBits       (SquaresBits),
    .RootFraction      (RootFraction),
    .RootSteps         (RootSteps),
    .RemainderBits     (RemainderBits),
    .ReciprocalFraction(ReciprocalFraction),
    .ReciprocalBits    (ReciprocalBits),
    .Depth             (FrameDepth),
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

  // The mean takes three stages, (total * MeanMultiplier + 2**(MeanShift - 1)) >>> MeanShift, and
  // the difference one. Values and the reciprocal wait for it.
  logic en, difference_valid;
  logic [InLanes*ValueBits-1:0] mean_values;
  logic [ReciprocalBits-1:0] difference_reciprocal;
  logic signed [MeanProductBits-1:0] mean_product;
  logic signed [DifferenceBits-1:0] mean_q;
  logic [InLanes*DifferenceBits-1:0] differences_q;

  hyq_valid_chain #(.Stages(4)) u_difference_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(row_valid), .valid_o(difference_valid)
  );

  hyq_wide_product #(
    .ABits      (TotalBits),
    .BBits      (18),
    .ProductBits(MeanProductBits)
  ) u_mean_product (
    .clk_i,
    .en_i     (en),
    .a_i      (total),
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
    .Width (InLanes * ValueBits),
    .Stages(3)
  ) u_values (
    .clk_i, .en_i(en), .data_i(values), .data_o(mean_values)
  );

  hyq_delay #(
    .Width (ReciprocalBits),
    .Stages(4)
  ) u_reciprocal (
    .clk_i, .en_i(en), .data_i(reciprocal), .data_o(difference_reciprocal)
  );

  for (genvar l = 0; l < InLanes; l++) begin : gen_difference
    logic signed [ValueBits-1:0] value;

    assign value = mean_values[l*ValueBits+:ValueBits];

    always_ff @(posedge clk_i) begin : difference
      if (en) begin
        differences_q[l*DifferenceBits+:DifferenceBits] <=
            (DifferenceBits'(value) <<< MeanFraction) - mean_q;
      end
    end
  end

  hyq_norm_codes #(
    .Channels       (Channels),
    .Lanes          (InLanes),
    .ABits          (ReciprocalBits + 1),
    .BBits          (DifferenceBits),
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
    .a_i       ({InLanes{{1'b0, difference_reciprocal}}}),
    .b_i       (differences_q),
    .in_valid_i(difference_valid),
    .in_ready_o(row_ready),
    .en_o      (en),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
