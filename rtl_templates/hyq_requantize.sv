// SPDX-License-Identifier: Apache-2.0
// The module requantizes a stream. Reference: hyq_hls/ops/requantize.py, RequantizeTensor.
//
// It has four stages: one that registers and centres the codes, then three of hyq_requantize_tail.
module hyq_requantize #(
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,  // lanes of the output too; divides Channels
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   AccumulatorBits,
  parameter hyq_pkg::rom_t ZeroPoint,
  parameter                ZeroPointFile,
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

  localparam int unsigned Beats = Channels / InLanes;

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_requantize: InLanes divides Channels");
  end

  logic en;
  logic [hyq_pkg::index_width(Beats)-1:0] beat;
  logic [InLanes*AccumulatorBits-1:0] centred;

  hyq_stream_pipeline #(.Stages(4)) u_pipeline (
    .clk_i, .rst_ni, .in_valid_i, .in_ready_o, .en_o(en), .out_valid_o, .out_ready_i
  );

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(in_ready_o && in_valid_i), .index_o(beat)
  );

  hyq_centre_lanes #(
    .Lanes        (InLanes),
    .Beats        (Beats),
    .InBits       (InBits),
    .InSigned     (InSigned),
    .CentredBits  (AccumulatorBits),
    .ZeroPoint    (ZeroPoint),
    .ZeroPointFile(ZeroPointFile)
  ) u_centre_lanes (
    .clk_i,
    .en_i     (en),
    .beat_i   (beat),
    .code_i   (in_data_i),
    .centred_o(centred)
  );

  hyq_requantize_tail #(
    .Lanes          (InLanes),
    .Beats          (Beats),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_requantize (
    .clk_i,
    .en_i  (en),
    .beat_i(beat),
    .acc_i (centred),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
