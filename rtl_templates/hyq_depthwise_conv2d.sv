// SPDX-License-Identifier: Apache-2.0
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
  parameter int unsigned   DilationHeight,
  parameter int unsigned   DilationWidth,
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

  if (InChannels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_depthwise_conv2d: InLanes divides InChannels");
  end

  logic [InLanes*InBits-1:0] window;
  logic window_valid, window_ready;

  hyq_padded_windows #(
    .Height        (Height),
    .Width         (Width),
    .Channels      (InChannels),
    .KernelHeight  (KernelHeight),
    .KernelWidth   (KernelWidth),
    .StrideHeight  (StrideHeight),
    .StrideWidth   (StrideWidth),
    .PadHeight     (PadHeight),
    .PadWidth      (PadWidth),
    .DilationHeight(DilationHeight),
    .DilationWidth (DilationWidth),
    .Lanes         (InLanes),
    .Run           (1),
    .Times         (1),
    .Bits          (InBits),
    .Pad           (Pad),
    .PadFile       (PadFile)
  ) u_windows (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o (window),
    .out_valid_o(window_valid),
    .out_ready_i(window_ready)
  );

  hyq_dot_product #(
    .Depthwise      (1'b1),
    .Rotations      (InChannels / InLanes),
    .Beats          (KernelHeight * KernelWidth),
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
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_dot_product (
    .clk_i,
    .rst_ni,
    .in_data_i (window),
    .in_valid_i(window_valid),
    .in_ready_o(window_ready),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
