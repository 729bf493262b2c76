// Depthwise 2-D convolution of a map. Reference: hyq_hls/ops/depthwise_conv2d.py, DepthwiseConv2d.
//
// InLanes channels at once, one tap per cycle:
// InChannels / InLanes * KernelHeight * KernelWidth cycles per position.
module hyq_depthwise_conv2d #(
  parameter int unsigned Height,        // of the input map
  parameter int unsigned Width,
  parameter int unsigned InChannels,
  parameter int unsigned KernelHeight,
  parameter int unsigned KernelWidth,
  parameter int unsigned StrideHeight,
  parameter int unsigned StrideWidth,
  parameter int unsigned PadHeight,
  parameter int unsigned PadWidth,
  parameter int unsigned InLanes,       // of the output too; divides InChannels
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter int unsigned AccumulatorBits,
  parameter              WeightFile,
  parameter int unsigned WeightBits,
  parameter              BiasFile,
  parameter int unsigned BiasBits,
  parameter              PadFile,
  parameter int unsigned PadBits,
  parameter int unsigned PadEntries,
  parameter int unsigned PadLanes,
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
  input  logic [InLanes*InBits-1:0]  in_data_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  output logic [InLanes*OutBits-1:0] out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Beats = InChannels / InLanes;

  logic [InLanes*InBits-1:0] padded, operands;
  logic padded_valid, padded_ready, operands_valid, operands_ready;

  hyq_padding #(
    .Height    (Height),
    .Width     (Width),
    .Beats     (Beats),
    .PadHeight (PadHeight),
    .PadWidth  (PadWidth),
    .Lanes     (InLanes),
    .Bits      (InBits),
    .PadFile   (PadFile),
    .PadBits   (PadBits),
    .PadEntries(PadEntries),
    .PadLanes  (PadLanes)
  ) u_padding (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o (padded),
    .out_valid_o(padded_valid),
    .out_ready_i(padded_ready)
  );

  hyq_sliding_window #(
    .BeatBits    (InLanes * InBits),
    .Beats       (Beats),
    .Height      (Height + 2 * PadHeight),
    .Width       (Width + 2 * PadWidth),
    .KernelHeight(KernelHeight),
    .KernelWidth (KernelWidth),
    .StrideHeight(StrideHeight),
    .StrideWidth (StrideWidth),
    .Depthwise   (1'b1),
    .Times       (1)
  ) u_sliding_window (
    .clk_i,
    .rst_ni,
    .in_data_i  (padded),
    .in_valid_i (padded_valid),
    .in_ready_o (padded_ready),
    .out_data_o (operands),
    .out_valid_o(operands_valid),
    .out_ready_i(operands_ready)
  );

  hyq_dot_product #(
    .Depthwise               (1'b1),
    .Rotations               (Beats),
    .Beats                   (KernelHeight * KernelWidth),
    .InLanes                 (InLanes),
    .OutLanes                (InLanes),
    .InBits                  (InBits),
    .InSigned                (InSigned),
    .OutBits                 (OutBits),
    .OutSigned               (OutSigned),
    .AccumulatorBits         (AccumulatorBits),
    .WeightFile              (WeightFile),
    .WeightBits              (WeightBits),
    .BiasFile                (BiasFile),
    .BiasBits                (BiasBits),
    .RequantizeFile          (RequantizeFile),
    .RequantizeEntries       (RequantizeEntries),
    .RequantizeLanes         (RequantizeLanes),
    .RequantizeLeft          (RequantizeLeft),
    .RequantizeBase          (RequantizeBase),
    .RequantizeShiftBits     (RequantizeShiftBits),
    .RequantizeMultiplierBits(RequantizeMultiplierBits),
    .RequantizeZeroPointBits (RequantizeZeroPointBits)
  ) u_dot_product (
    .clk_i,
    .rst_ni,
    .in_data_i (operands),
    .in_valid_i(operands_valid),
    .in_ready_o(operands_ready),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
