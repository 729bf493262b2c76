// Sums of the terms of several beats, requantized: an adder tree over the terms of a beat, an
// accumulator that begins with start_i, and hyq_requantize_tail. Outputs take the words of
// requantization entries in order.
//
// A rigid pipeline: the stages of the tree, the accumulator, three of the requantization.
// terms_ready_o is its enable, also for the caller's stages in front of it.
module hyq_accumulate_requantize #(
  parameter int unsigned Lanes,
  parameter int unsigned Terms,  // that a lane takes per cycle
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
  input  logic [Lanes*AccumulatorBits-1:0] start_i,        // of the sum that is next to begin
  output logic                             sum_end_o,      // a sum ends
  output logic [Lanes*OutBits-1:0]         out_data_o,
  output logic                             out_valid_o,
  input  logic                             out_ready_i
);

  logic en;
  assign terms_ready_o = en;

  // Sums of a beat. They wrap around in AccumulatorBits; the last one of all beats fits.
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

  // Sums of all beats.
  logic accumulate, first_beat_q, last_beat;
  logic [Lanes*AccumulatorBits-1:0] acc_q;

  assign accumulate = en && sums_valid;
  assign sum_end_o  = accumulate && last_beat;

  hyq_counter #(.Count(Beats)) u_beat (.clk_i, .rst_ni, .en_i(accumulate), .last_o(last_beat));

  always_ff @(posedge clk_i or negedge rst_ni) begin : accumulator_control
    if (!rst_ni) begin
      first_beat_q <= 1'b1;
    end else if (accumulate) begin
      first_beat_q <= last_beat;
    end
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    localparam int unsigned First = l * AccumulatorBits;

    always_ff @(posedge clk_i) begin : accumulator
      if (accumulate) begin
        acc_q[First+:AccumulatorBits] <= sums[First+:AccumulatorBits]
            + (first_beat_q ? start_i[First+:AccumulatorBits] : acc_q[First+:AccumulatorBits]);
      end
    end
  end

  // Requantization. Its entries leave their memory in the cycle in which the sum is complete.
  localparam int unsigned Words = Requantize.entries / Requantize.lanes;
  logic [hyq_pkg::index_width(Words)-1:0] word;

  hyq_stream_pipeline #(.Stages(4)) u_pipeline (
    .clk_i, .rst_ni, .in_valid_i(sums_valid && last_beat), .en_o(en), .out_valid_o, .out_ready_i
  );

  hyq_index #(.Count(Words)) u_word (.clk_i, .rst_ni, .en_i(sum_end_o), .index_o(word));

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
    .read_i(sum_end_o),
    .beat_i(word),
    .acc_i (acc_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(Lanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
