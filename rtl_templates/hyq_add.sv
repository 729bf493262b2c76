// SPDX-License-Identifier: Apache-2.0
// The module adds two streams on a common scale and requantizes the sum. Reference:
// hyq_hls/ops/add.py, Add.
//
// It has six stages: two of hyq_aligned_terms, the sum, three of hyq_requantize_tail.
module hyq_add #(
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,  // lanes of both inputs and of the output; divides Channels
  parameter int unsigned   ABits,
  parameter bit            ASigned,
  parameter int unsigned   BBits,
  parameter bit            BSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   CentredABits,
  parameter int unsigned   CentredBBits,
  parameter int unsigned   AccumulatorBits,
  parameter hyq_pkg::rom_t ZeroPointA,
  parameter                ZeroPointAFile,
  parameter hyq_pkg::rom_t ZeroPointB,
  parameter                ZeroPointBFile,
  parameter hyq_pkg::rom_t MultiplierA,
  parameter                MultiplierAFile,
  parameter hyq_pkg::rom_t MultiplierB,
  parameter                MultiplierBFile,
  parameter hyq_pkg::rom_t ExponentA,
  parameter                ExponentAFile,
  parameter hyq_pkg::rom_t ExponentB,
  parameter                ExponentBFile,
  parameter hyq_pkg::requantize_t Requantize,
  parameter                RequantizeFile
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

  localparam int unsigned Beats = Channels / InLanes;
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_add: InLanes divides Channels");
  end

  logic en;
  logic [BeatBits-1:0] term_beat;
  logic [InLanes*AccumulatorBits-1:0] term_a, term_b, acc_q;

  hyq_aligned_terms #(
    .Beats          (Beats),
    .Lanes          (InLanes),
    .ABits          (ABits),
    .ASigned        (ASigned),
    .BBits          (BBits),
    .BSigned        (BSigned),
    .CentredABits   (CentredABits),
    .CentredBBits   (CentredBBits),
    .TermBits       (AccumulatorBits),
    .ZeroPointA     (ZeroPointA),
    .ZeroPointAFile (ZeroPointAFile),
    .ZeroPointB     (ZeroPointB),
    .ZeroPointBFile (ZeroPointBFile),
    .MultiplierA    (MultiplierA),
    .MultiplierAFile(MultiplierAFile),
    .MultiplierB    (MultiplierB),
    .MultiplierBFile(MultiplierBFile),
    .ExponentA      (ExponentA),
    .ExponentAFile  (ExponentAFile),
    .ExponentB      (ExponentB),
    .ExponentBFile  (ExponentBFile)
  ) u_terms (
    .clk_i,
    .rst_ni,
    .a_data_i,
    .a_valid_i,
    .a_ready_o,
    .b_data_i,
    .b_valid_i,
    .b_ready_o,
    .en_o           (en),
    .term_a_o       (term_a),
    .term_b_o       (term_b),
    .beat_o         (term_beat),
    .out_valid_o,
    .out_ready_i
  );

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    always_ff @(posedge clk_i) begin : sums
      if (en) begin
        acc_q[l*AccumulatorBits+:AccumulatorBits] <= term_a[l*AccumulatorBits+:AccumulatorBits]
            + term_b[l*AccumulatorBits+:AccumulatorBits];
      end
    end
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
    .beat_i(term_beat),
    .acc_i (acc_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
