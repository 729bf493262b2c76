// The module is a depthwise 2-D convolution of a map. Reference: hyq_hls/ops/depthwise_conv2d.py,
// DepthwiseConv2d.
//
// It takes one tap of InLanes channels per cycle. A position takes
// InChannels / InLanes * KernelHeight * KernelWidth cycles.
module hyq_depthwise_conv2d #(
  parameter int unsigned   Height,   // height of the input map
  parameter int unsigned   Width,
  parameter int unsigned   InChannels,
  parameter int unsigned   KernelHeight,
  parameter int unsigned   KernelWidth,
  parameter int unsigned   StrideHeight,
  parameter int unsigned   StrideWidth,
  parameter int unsigned   PadHeight,
  parameter int unsigned   PadWidth,
  parameter int unsigned   InLanes,  // lanes of the output too; divides InChannels
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   AccumulatorBits,
  parameter hyq_pkg::rom_t Weight,
  parameter                WeightFile,
  parameter hyq_pkg::rom_t Bias,
  parameter                BiasFile,
  parameter hyq_pkg::rom_t Pad,
  parameter                PadFile,
  parameter hyq_pkg::requantize_t Requantize,
  parameter                RequantizeFile
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

  hyq_convolution #(
    .Depthwise      (1'b1),
    .Height         (Height),
    .Width          (Width),
    .InChannels     (InChannels),
    .KernelHeight   (KernelHeight),
    .KernelWidth    (KernelWidth),
    .StrideHeight   (StrideHeight),
    .StrideWidth    (StrideWidth),
    .PadHeight      (PadHeight),
    .PadWidth       (PadWidth),
    .OutChannels    (InChannels),
    .InLanes        (InLanes),
    .OutLanes       (InLanes),
    .InBits         (InBits),
    .InSigned       (InSigned),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .AccumulatorBits(AccumulatorBits),
    .Weight         (Weight),
    .WeightFile     (WeightFile),
    .Bias           (Bias),
    .BiasFile       (BiasFile),
    .Pad            (Pad),
    .PadFile        (PadFile),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_convolution (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
