// SPDX-License-Identifier: Apache-2.0
// The module is a 2-D convolution of a map, dense or with groups. References: hyq_hls/ops/conv2d.py,
// Conv2d, and hyq_hls/ops/grouped_conv2d.py, GroupedConv2d.
//
// Every window of a group is read from the line buffer once per OutLanes output channels of the
// group. A position takes this number of cycles:
// OutChannels / OutLanes * KernelHeight * KernelWidth * InChannels / Groups / InLanes.
module hyq_conv2d #(
  parameter int unsigned   Height,    // height of the input map
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
  parameter int unsigned   OutChannels,
  parameter int unsigned   Groups,    // divides InChannels and OutChannels
  parameter int unsigned   InLanes,   // divides the input channels of a group
  parameter int unsigned   OutLanes,  // divides the output channels of a group
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
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic [InLanes*InBits-1:0]   in_data_i,
  input  logic                        in_valid_i,
  output logic                        in_ready_o,
  output logic [OutLanes*OutBits-1:0] out_data_o,
  output logic                        out_valid_o,
  input  logic                        out_ready_i
);

  localparam int unsigned Run = InChannels / InLanes / Groups;
  localparam int unsigned Sums = OutChannels / OutLanes;
  localparam int unsigned Times = Sums / Groups;

  if (Run * InLanes * Groups != InChannels || Times * OutLanes * Groups != OutChannels)
  begin : gen_bad_lanes
    $error("hyq_conv2d: lanes divide the channels of a group");
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
    .Run           (Run),
    .Times         (Times),
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
    .Depthwise      (1'b0),
    .Rotations      (Sums),
    .Beats          (KernelHeight * KernelWidth * Run),
    .InLanes        (InLanes),
    .OutLanes       (OutLanes),
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
