// SPDX-License-Identifier: Apache-2.0
// The module joins constant positions with those of a stream. In every row, the constants come
// before the stream, or behind it. Reference: hyq_hls/ops/concat_constant.py, ConcatConstant.
//
// The stream has its own hyq_requantize, of four stages. It waits while the output takes constants.
// Constants of a row do not leave before the first word of the row has come, so that no output runs
// ahead of its frame.
module hyq_concat_constant #(
  parameter int unsigned   Positions,      // of the stream, in a row
  parameter int unsigned   Channels,
  parameter bit            ConstantFirst,
  parameter int unsigned   InLanes,        // lanes of the output too; divides Channels
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   AccumulatorBits,
  parameter hyq_pkg::rom_t ZeroPoint,
  parameter                ZeroPointFile,
  parameter hyq_pkg::rom_t Constant,       // codes of the output
  parameter                ConstantFile,
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

  localparam int unsigned StreamBeats = Positions * Channels / InLanes;
  localparam int unsigned ConstantBeats = Constant.entries / InLanes;
  localparam int unsigned Beats = StreamBeats + ConstantBeats;
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);

  if (Channels % InLanes != 0 || Constant.entries % Channels != 0) begin : gen_bad_lanes
    $error("hyq_concat_constant: InLanes divides Channels, which divides the constants");
  end

  logic [BeatBits-1:0] beat;
  logic is_constant, starts;
  logic [InLanes*OutBits-1:0] code, constant;
  logic code_valid, constant_valid;

  assign is_constant = ConstantFirst ? beat < BeatBits'(ConstantBeats) :
                                       beat >= BeatBits'(StreamBeats);
  assign out_data_o = is_constant ? constant : code;
  assign starts = !ConstantFirst || code_valid;  // the row of the constants has come
  assign out_valid_o = is_constant ? constant_valid && starts : code_valid;

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(out_valid_o && out_ready_i), .index_o(beat)
  );

  hyq_constant #(
    .OutLanes  (InLanes),
    .OutBits   (OutBits),
    .Values    (Constant),
    .ValuesFile(ConstantFile)
  ) u_constant (
    .clk_i,
    .rst_ni,
    .out_data_o (constant),
    .out_valid_o(constant_valid),
    .out_ready_i(out_ready_i && is_constant && starts)
  );

  hyq_requantize #(
    .Channels       (Channels),
    .InLanes        (InLanes),
    .InBits         (InBits),
    .InSigned       (InSigned),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .AccumulatorBits(AccumulatorBits),
    .ZeroPoint      (ZeroPoint),
    .ZeroPointFile  (ZeroPointFile),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_requantize (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o (code),
    .out_valid_o(code_valid),
    .out_ready_i(out_ready_i && !is_constant)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
