// SPDX-License-Identifier: Apache-2.0
// The module sums the signed terms of every row, and gives one result per Beats beats. It has an
// adder tree over the lanes, then an accumulator.
//
// It is a rigid pipeline. en_o is its enable, also for the caller's stages in front of it.
// in_ready_o has the same value and few loads.
module hyq_row_sum #(
  parameter int unsigned Lanes,
  parameter int unsigned TermBits,
  parameter int unsigned SumBits,  // holds the sum; partial sums may wrap
  parameter int unsigned Beats     // beats of a row
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic [Lanes*TermBits-1:0] in_data_i,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  output logic                      en_o,
  output logic [SumBits-1:0]        out_data_o,
  output logic                      out_valid_o,
  input  logic                      out_ready_i
);

  logic beat_valid, first_beat, result_load;
  logic [SumBits-1:0] result_q;
  // The sum of a beat is signed, so that synthesis sees its true width. The adder then takes it
  // without a LUT.
  logic signed [SumBits-1:0] beat_sum, addend, sum_d, sum_q;

  hyq_adder_tree #(
    .Lanes   (1),
    .Terms   (Lanes),
    .TermBits(TermBits),
    .SumBits (SumBits)
  ) u_tree (
    .clk_i,
    .rst_ni,
    .en_i   (en_o),
    .terms_i(in_data_i),
    .valid_i(in_valid_i),
    .sums_o (beat_sum),
    .valid_o(beat_valid)
  );

  hyq_row_control #(
    .Beats(Beats)
  ) u_control (
    .clk_i,
    .rst_ni,
    .beat_valid_i  (beat_valid),
    .ready_o       (in_ready_o),
    .en_o,
    .first_beat_o  (first_beat),
    .result_load_o (result_load),
    .result_valid_o(out_valid_o),
    .result_ready_i(out_ready_i)
  );

  assign addend = first_beat ? '0 : sum_q;
  assign sum_d  = beat_sum + addend;

  always_ff @(posedge clk_i) begin : sum
    if (en_o && beat_valid) sum_q <= sum_d;
    if (result_load) result_q <= sum_d;
  end

  assign out_data_o = result_q;

endmodule
