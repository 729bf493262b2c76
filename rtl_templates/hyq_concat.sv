// SPDX-License-Identifier: Apache-2.0
// The module requantizes two streams to common codes and joins them. At every position the channels
// of `a` come first, then those of `b`. Reference: hyq_hls/ops/concat.py, Concat.
//
// Each stream has its own hyq_requantize, of four stages. The output takes the streams in turn.
// While one stream waits for its turn, its pipeline fills, so that no cycle is lost.
module hyq_concat #(
  parameter int unsigned   ChannelsA,
  parameter int unsigned   ChannelsB,
  parameter int unsigned   InLanes,  // lanes of both inputs and of the output; divides the channels
  parameter int unsigned   ABits,
  parameter bit            ASigned,
  parameter int unsigned   BBits,
  parameter bit            BSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   AccumulatorBits,
  parameter hyq_pkg::rom_t ZeroPointA,
  parameter                ZeroPointAFile,
  parameter hyq_pkg::requantize_t RequantizeA,
  parameter                RequantizeAFile,
  parameter hyq_pkg::rom_t ZeroPointB,
  parameter                ZeroPointBFile,
  parameter hyq_pkg::requantize_t RequantizeB,
  parameter                RequantizeBFile
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [InLanes*ABits-1:0]   a_data_i,
  input  logic                       a_valid_i,
  output logic                       a_ready_o,
  input  logic [InLanes*BBits-1:0]   b_data_i,
  input  logic                       b_valid_i,
  output logic                       b_ready_o,
  output logic [InLanes*OutBits-1:0] out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned BeatsA = ChannelsA / InLanes;
  localparam int unsigned Beats = BeatsA + ChannelsB / InLanes;
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);

  if (ChannelsA % InLanes != 0 || ChannelsB % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_concat: InLanes divides ChannelsA and ChannelsB");
  end

  logic [BeatBits-1:0] beat;
  logic turn_of_b;
  logic [InLanes*OutBits-1:0] code_a, code_b;
  logic valid_a, valid_b;

  assign turn_of_b = beat >= BeatBits'(BeatsA);
  assign out_data_o = turn_of_b ? code_b : code_a;
  assign out_valid_o = turn_of_b ? valid_b : valid_a;

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(out_valid_o && out_ready_i), .index_o(beat)
  );

  hyq_requantize #(
    .Channels       (ChannelsA),
    .InLanes        (InLanes),
    .InBits         (ABits),
    .InSigned       (ASigned),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .AccumulatorBits(AccumulatorBits),
    .ZeroPoint      (ZeroPointA),
    .ZeroPointFile  (ZeroPointAFile),
    .Requantize     (RequantizeA),
    .RequantizeFile (RequantizeAFile)
  ) u_requantize_a (
    .clk_i,
    .rst_ni,
    .in_data_i  (a_data_i),
    .in_valid_i (a_valid_i),
    .in_ready_o (a_ready_o),
    .out_data_o (code_a),
    .out_valid_o(valid_a),
    .out_ready_i(out_ready_i && !turn_of_b)
  );

  hyq_requantize #(
    .Channels       (ChannelsB),
    .InLanes        (InLanes),
    .InBits         (BBits),
    .InSigned       (BSigned),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .AccumulatorBits(AccumulatorBits),
    .ZeroPoint      (ZeroPointB),
    .ZeroPointFile  (ZeroPointBFile),
    .Requantize     (RequantizeB),
    .RequantizeFile (RequantizeBFile)
  ) u_requantize_b (
    .clk_i,
    .rst_ni,
    .in_data_i  (b_data_i),
    .in_valid_i (b_valid_i),
    .in_ready_o (b_ready_o),
    .out_data_o (code_b),
    .out_valid_o(valid_b),
    .out_ready_i(out_ready_i && turn_of_b)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
