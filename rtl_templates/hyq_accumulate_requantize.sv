// SPDX-License-Identifier: Apache-2.0
// The module sums the terms of several beats and requantizes the sums. It has an adder tree over
// the terms of a beat, an accumulator that begins with start_i, and hyq_requantize_tail. Outputs
// take the words of requantization entries in order.
//
// It is a rigid pipeline with the stages of the tree, one of the accumulator and three of the
// requantization. en_o is its enable, also for the caller's stages in front of it. terms_ready_o has
// the same value and few loads.
module hyq_accumulate_requantize #(
  parameter int unsigned Lanes,
  parameter int unsigned Terms,  // terms that a lane takes per cycle
  parameter int unsigned TermBits,
  parameter int unsigned Beats,  // cycles of a sum
  parameter int unsigned AccumulatorBits,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter hyq_pkg::requantize_t Requantize,
  parameter              RequantizeFile
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  input  logic [Lanes*Terms*TermBits-1:0]  terms_data_i,   // term 0 of lane 0 in the lowest bits
  input  logic                             terms_valid_i,
  output logic                             terms_ready_o,
  output logic                             en_o,
  output logic                             sum_begin_o,    // a sum begins in the next step
  input  logic [Lanes*AccumulatorBits-1:0] start_i,        // start of that sum, from step 1 on
  output logic [Lanes*OutBits-1:0]         out_data_o,
  output logic                             out_valid_o,
  input  logic                             out_ready_i
);

  logic en;
  assign en_o = en;

  // The tree makes the sum of a beat. Sums wrap around in AccumulatorBits; the sum of all beats
  // fits.
  logic [Lanes*AccumulatorBits-1:0] sums;
  logic sums_valid;

  hyq_adder_tree #(
    .Lanes   (Lanes),
    .Terms   (Terms),
    .TermBits(TermBits),
    .SumBits (AccumulatorBits)
  ) u_tree (
    .clk_i,
    .rst_ni,
    .en_i   (en),
    .terms_i(terms_data_i),
    .valid_i(terms_valid_i),
    .sums_o (sums),
    .valid_o(sums_valid)
  );

  // The first and the last beat of a sum are marked in front of the tree, so that registers drive
  // everything that depends on them behind it.
  localparam int unsigned TreeStages = hyq_pkg::max($clog2(Terms), 1);
  logic take, first_beat_q, last_beat;
  logic [TreeStages:0] begins, ends;  // in front of the tree, behind each of its stages

  assign take      = en && terms_valid_i;
  assign begins[0] = terms_valid_i && first_beat_q;
  assign ends[0]   = terms_valid_i && last_beat;

  hyq_counter #(.Count(Beats)) u_beat (.clk_i, .rst_ni, .en_i(take), .last_o(last_beat));

  always_ff @(posedge clk_i or negedge rst_ni) begin : marks
    if (!rst_ni) begin
      first_beat_q         <= 1'b1;
      begins[TreeStages:1] <= '0;
      ends[TreeStages:1]   <= '0;
    end else if (en) begin
      if (terms_valid_i) first_beat_q <= last_beat;
      begins[TreeStages:1] <= begins[TreeStages-1:0];
      ends[TreeStages:1]   <= ends[TreeStages-1:0];
    end
  end

  // The accumulator makes the sum of all beats.
  logic [Lanes*AccumulatorBits-1:0] acc_q;

  assign sum_begin_o = en && begins[TreeStages-1];

  // A sum is signed, so that synthesis sees its true width. The adder then takes the narrow sum
  // without a LUT, and a LUT of each bit has room for the choice of the other operand.
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic signed [AccumulatorBits-1:0] sum, start, addend, lane_q;

    assign sum    = sums[l*AccumulatorBits+:AccumulatorBits];
    assign start  = start_i[l*AccumulatorBits+:AccumulatorBits];
    assign addend = begins[TreeStages] ? start : lane_q;

    always_ff @(posedge clk_i) begin : accumulator
      if (en && sums_valid) lane_q <= sum + addend;
    end

    assign acc_q[l*AccumulatorBits+:AccumulatorBits] = lane_q;
  end

  // The entries of the requantization leave their memory in the cycle in which the sum is complete.
  localparam int unsigned Words = Requantize.entries / Requantize.lanes;
  logic [hyq_pkg::index_width(Words)-1:0] word;

  hyq_stream_pipeline #(.Stages(4)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i (ends[TreeStages]),
    .in_ready_o (terms_ready_o),
    .en_o       (en),
    .out_valid_o,
    .out_ready_i
  );

  hyq_index #(.Count(Words)) u_word (
    .clk_i, .rst_ni, .en_i(en && ends[TreeStages]), .index_o(word)
  );

  hyq_requantize_tail #(
    .Lanes          (Lanes),
    .Beats          (Words),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_requantize (
    .clk_i,
    .en_i  (en),
    .beat_i(word),
    .acc_i (acc_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(Lanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
