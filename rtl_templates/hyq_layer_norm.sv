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
  localparam int unsigned VarianceBits = 2 * (RootSteps - RootFraction);

  if (Channels % InLanes != 0 || InLanes != OutLanes) begin : gen_bad_lanes
    $error("hyq_layer_norm: InLanes divides Channels, and OutLanes is InLanes");
  end

  // Values take two stages: (code - zero point) << factor.
  logic en, values_valid, values_ready;
  logic [hyq_pkg::index_width(Beats)-1:0] beat;
  logic [InLanes*ValueBits-1:0] centred, values_q;
  logic [FactorShift.lanes*FactorShift.bits-1:0] factor_shifts;

  hyq_stream_pipeline #(.Stages(2)) u_values_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o,
    .en_o       (en),
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
    .en_i     (en),
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
    .en_i  (en),
    .beat_i(beat),
    .data_o(factor_shifts)
  );

  for (genvar l = 0; l < InLanes; l++) begin : gen_value
    localparam int unsigned FactorLane = FactorShift.lanes == 1 ? 0 : l;

    always_ff @(posedge clk_i) begin : value
      if (en) begin
        values_q[l*ValueBits+:ValueBits] <= centred[l*ValueBits+:ValueBits]
            << factor_shifts[FactorLane*FactorShift.bits+:FactorShift.bits];
      end
    end
  end

  // These are the results of a row. Its sum goes along with the variance, the root and the
  // reciprocal.
  logic variance_ready, buffer_ready;
  logic [TotalBits-1:0] variance_total, root_total, total;
  logic [VarianceBits-1:0] variance;
  logic [2*RootSteps-1:0] radicand;
  logic [RootSteps-1:0] root;
  logic [ReciprocalBits-1:0] reciprocal;
  logic variance_valid, variance_taken, root_valid, root_taken, result_valid, result_taken;

  assign values_ready = variance_ready && buffer_ready;

  hyq_layer_norm_variance #(
    .Channels    (Channels),
    .Lanes       (InLanes),
    .ValueBits   (ValueBits),
    .TotalBits   (TotalBits),
    .SquaresBits (SquaresBits),
    .VarianceBits(VarianceBits),
    .Epsilon     (Epsilon),
    .EpsilonFile (EpsilonFile)
  ) u_variance (
    .clk_i,
    .rst_ni,
    .in_data_i  (values_q),
    .in_valid_i (values_valid && buffer_ready),
    .in_ready_o (variance_ready),
    .total_o    (variance_total),
    .variance_o (variance),
    .out_valid_o(variance_valid),
    .out_ready_i(variance_taken)
  );

  assign radicand = (2*RootSteps)'(variance) << (2 * RootFraction);

  hyq_square_root #(
    .Steps        (RootSteps),
    .RemainderBits(RemainderBits),
    .TagBits      (TotalBits)
  ) u_root (
    .clk_i,
    .rst_ni,
    .radicand_i (radicand),
    .tag_i      (variance_total),
    .in_valid_i (variance_valid),
    .in_ready_o (variance_taken),
    .root_o     (root),
    .tag_o      (root_total),
    .out_valid_o(root_valid),
    .out_ready_i(root_taken)
  );

  hyq_reciprocal #(
    .Exponent    (ReciprocalFraction),
    .DivisorBits (RootSteps),
    .QuotientBits(ReciprocalBits),
    .TagBits     (TotalBits)
  ) u_reciprocal (
    .clk_i,
    .rst_ni,
    .divisor_i  (root),
    .tag_i      (root_total),
    .in_valid_i (root_valid),
    .in_ready_o (root_taken),
    .quotient_o (reciprocal),
    .tag_o      (total),
    .out_valid_o(result_valid),
    .out_ready_i(result_taken)
  );

  // Values and results of the same row meet again.
  logic [InLanes*ValueBits-1:0] values;
  logic normalize_valid, normalize_ready;

  hyq_row_buffer #(
    .Width(InLanes * ValueBits),
    .Beats(Beats),
    .Depth(RowDepth)
  ) u_values (
    .clk_i,
    .rst_ni,
    .in_data_i     (values_q),
    .in_valid_i    (values_valid && variance_ready),
    .in_ready_o    (buffer_ready),
    .result_valid_i(result_valid),
    .result_ready_o(result_taken),
    .out_data_o    (values),
    .out_valid_o   (normalize_valid),
    .out_ready_i   (normalize_ready)
  );

  hyq_layer_norm_normalize #(
    .Channels       (Channels),
    .Lanes          (InLanes),
    .ValueBits      (ValueBits),
    .TotalBits      (TotalBits),
    .DeviationBits  (DeviationBits),
    .ReciprocalBits (ReciprocalBits),
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
  ) u_normalize (
    .clk_i,
    .rst_ni,
    .in_data_i   (values),
    .total_i     (total),
    .reciprocal_i(reciprocal),
    .in_valid_i  (normalize_valid),
    .in_ready_o  (normalize_ready),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
