// SPDX-License-Identifier: Apache-2.0
// The module sums over all positions of a map and requantizes the sums.
// Reference: hyq_hls/ops/global_average_pool.py, GlobalAveragePool.
//
// A memory holds the sums of a position's beats. Every cycle reads a word, adds and writes it back.
// The sums of the last position go straight on, so a map takes Words * Beats cycles. There are five
// stages: one that centres the codes and reads, one that adds, three of hyq_requantize_tail.
module hyq_global_average_pool #(
  parameter int unsigned   Words,    // positions of the map
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,  // lanes of the output too
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   CentredBits,
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
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);
  localparam int unsigned PositionBits = hyq_pkg::index_width(Words);
  localparam int unsigned SumsBits = InLanes * AccumulatorBits;

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_global_average_pool: InLanes divides Channels");
  end

  // Beat and position are those that come next. Only the last position is valid past the sums.
  logic en, step, last_beat, centred_valid;
  logic [BeatBits-1:0] beat;
  logic [PositionBits-1:0] position;
  logic [BeatBits-1:0] centred_beat_q;  // beat of the codes in stage 1
  logic centred_first_q, centred_last_q;

  assign step       = in_ready_o && in_valid_i;
  assign last_beat  = beat == BeatBits'(Beats - 1);

  hyq_index #(.Count(Beats)) u_beat (.clk_i, .rst_ni, .en_i(step), .index_o(beat));
  hyq_index #(.Count(Words)) u_position (
    .clk_i, .rst_ni, .en_i(step && last_beat), .index_o(position)
  );

  hyq_valid_chain #(.Stages(1)) u_centred_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(in_valid_i), .valid_o(centred_valid)
  );

  hyq_stream_pipeline #(.Stages(4)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(centred_valid && centred_last_q),
    .in_ready_o,
    .en_o      (en),
    .out_valid_o,
    .out_ready_i
  );

  // Stage 1 subtracts zero points from codes, and reads the sums so far.
  logic [InLanes*CentredBits-1:0] centred;
  logic [SumsBits-1:0] previous, sums_d, sums_q;

  always_ff @(posedge clk_i) begin : stage_1
    if (en) begin
      centred_beat_q  <= beat;
      centred_first_q <= position == '0;
      centred_last_q  <= position == PositionBits'(Words - 1);
    end
  end

  hyq_centre_lanes #(
    .Lanes        (InLanes),
    .Beats        (Beats),
    .InBits       (InBits),
    .InSigned     (InSigned),
    .CentredBits  (CentredBits),
    .ZeroPoint    (ZeroPoint),
    .ZeroPointFile(ZeroPointFile)
  ) u_centre_lanes (
    .clk_i,
    .en_i     (en),
    .beat_i   (beat),
    .code_i   (in_data_i),
    .centred_o(centred)
  );

  if (Beats == 1) begin : gen_register
    assign previous = sums_q;
  end else begin : gen_memory
    // The word that is read was written at least one cycle ago, because its beat came Beats beats
    // before.
    hyq_ram #(
      .Width(SumsBits),
      .Depth(Beats)
    ) u_sums (
      .clk_i,
      .write_i        (en && centred_valid),
      .write_address_i(centred_beat_q),
      .write_data_i   (sums_d),
      .read_i         (en),
      .read_address_i (beat),
      .read_data_o    (previous)
    );
  end

  // Stage 2 adds. The first position starts from zero.
  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    logic signed [CentredBits-1:0] x;
    logic signed [AccumulatorBits-1:0] sum;

    assign x = centred[l*CentredBits+:CentredBits];
    assign sum = centred_first_q ? '0 : previous[l*AccumulatorBits+:AccumulatorBits];
    assign sums_d[l*AccumulatorBits+:AccumulatorBits] = sum + AccumulatorBits'(x);
  end

  always_ff @(posedge clk_i) begin : stage_2
    if (en && centred_valid) sums_q <= sums_d;
  end

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
    .beat_i(centred_beat_q),
    .acc_i (sums_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
