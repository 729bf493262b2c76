// SPDX-License-Identifier: Apache-2.0
// The module is a dense layer over the channels of every position. Reference: hyq_hls/ops/dense.py,
// Dense.
//
// The InLanes-wide beats of a position are replayed for every group of OutLanes output channels. A
// position takes OutChannels / OutLanes * Length / InLanes cycles, without a bubble.
module hyq_dense #(
  parameter int unsigned   Length,    // input channels
  parameter int unsigned   OutChannels,
  parameter int unsigned   InLanes,   // divides Length
  parameter int unsigned   OutLanes,  // divides OutChannels
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   AccumulatorBits,
  parameter hyq_pkg::rom_t Weight,
  parameter                WeightFile,
  parameter hyq_pkg::rom_t Bias,
  parameter                BiasFile,
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

  localparam int unsigned Beats = Length / InLanes;
  localparam int unsigned Rotations = OutChannels / OutLanes;

  logic [InLanes*InBits-1:0] operands;
  logic operands_valid, operands_ready;

  hyq_replay #(
    .Width(InLanes * InBits),
    .Beats(Beats),
    .Times(Rotations)
  ) u_replay (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o (operands),
    .out_valid_o(operands_valid),
    .out_ready_i(operands_ready)
  );

  hyq_dot_product #(
    .Depthwise      (1'b0),
    .Rotations      (Rotations),
    .Beats          (Beats),
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
    .in_data_i (operands),
    .in_valid_i(operands_valid),
    .in_ready_o(operands_ready),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
