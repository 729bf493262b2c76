// The module takes the larger of two elements on a common scale and requantizes it. Reference:
// hyq_hls/ops/maximum.py, Maximum.
//
// It has six stages: two of hyq_add_operand, the maximum, three of hyq_requantize_tail.
module hyq_maximum #(
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
    $error("hyq_maximum: InLanes divides Channels");
  end

  // Both operands of a beat enter together.
  logic en, ready, both_valid;
  logic [BeatBits-1:0] beat;  // beat of the operands that come next

  assign both_valid = a_valid_i && b_valid_i;
  assign a_ready_o  = ready && b_valid_i;
  assign b_ready_o  = ready && a_valid_i;

  hyq_stream_pipeline #(.Stages(6)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(both_valid),
    .in_ready_o(ready),
    .en_o      (en),
    .out_valid_o,
    .out_ready_i
  );

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(ready && both_valid), .index_o(beat)
  );

  // Stages 1 and 2 make the terms.
  logic [InLanes*AccumulatorBits-1:0] term_a, term_b;

  hyq_add_operand #(
    .Lanes         (InLanes),
    .Beats         (Beats),
    .InBits        (ABits),
    .InSigned      (ASigned),
    .CentredBits   (CentredABits),
    .TermBits      (AccumulatorBits),
    .ZeroPoint     (ZeroPointA),
    .ZeroPointFile (ZeroPointAFile),
    .Multiplier    (MultiplierA),
    .MultiplierFile(MultiplierAFile),
    .Exponent      (ExponentA),
    .ExponentFile  (ExponentAFile)
  ) u_operand_a (
    .clk_i,
    .en_i  (en),
    .beat_i(beat),
    .code_i(a_data_i),
    .term_o(term_a)
  );

  hyq_add_operand #(
    .Lanes         (InLanes),
    .Beats         (Beats),
    .InBits        (BBits),
    .InSigned      (BSigned),
    .CentredBits   (CentredBBits),
    .TermBits      (AccumulatorBits),
    .ZeroPoint     (ZeroPointB),
    .ZeroPointFile (ZeroPointBFile),
    .Multiplier    (MultiplierB),
    .MultiplierFile(MultiplierBFile),
    .Exponent      (ExponentB),
    .ExponentFile  (ExponentBFile)
  ) u_operand_b (
    .clk_i,
    .en_i  (en),
    .beat_i(beat),
    .code_i(b_data_i),
    .term_o(term_b)
  );

  // Stage 3 compares. The beat of the terms comes with them.
  logic [BeatBits-1:0] term_beat_q, centred_beat_q;
  logic [InLanes*AccumulatorBits-1:0] acc_q;

  always_ff @(posedge clk_i) begin : beats
    if (en) begin
      centred_beat_q <= beat;
      term_beat_q    <= centred_beat_q;
    end
  end

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    logic signed [AccumulatorBits-1:0] a, b;
    assign a = term_a[l*AccumulatorBits+:AccumulatorBits];
    assign b = term_b[l*AccumulatorBits+:AccumulatorBits];

    always_ff @(posedge clk_i) begin : maximum
      if (en) acc_q[l*AccumulatorBits+:AccumulatorBits] <= a < b ? b : a;
    end
  end

  // Stages 4 to 6 requantize.
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
    .beat_i(term_beat_q),
    .acc_i (acc_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
