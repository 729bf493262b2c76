// SPDX-License-Identifier: Apache-2.0
// The module is Shift-Swish, x * sigmoid(x), in its arithmetic circuit. Its circuit of a table is
// hyq_table. Reference: hyq_hls/ops/shift_swish.py, ShiftSwish.
//
// It has Precision + 10 stages: one that centres the codes, Precision + 5 of the sigmoid, one of
// the product, and three of hyq_requantize_tail.
module hyq_shift_swish #(
  parameter int unsigned Channels,
  parameter int unsigned InLanes,   // lanes of the output too
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter int          CodeZero,  // zero point of the input
  parameter int unsigned Fraction,
  parameter int unsigned Precision,
  parameter int unsigned CentredBits,
  parameter int unsigned ExponentBits,
  parameter int unsigned AccumulatorBits,
  parameter hyq_pkg::requantize_t Requantize,
  parameter              RequantizeFile
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

  localparam int unsigned SigmoidStages = Precision + 5;
  localparam int unsigned ProductBits = CentredBits + Precision + 1;
  localparam int unsigned Beats = Channels / InLanes;

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_shift_swish: InLanes divides Channels");
  end

  // Control: a rigid pipeline, and the beat of a position whose products come next.
  logic en, sigmoid_valid;
  logic [hyq_pkg::index_width(Beats)-1:0] beat;

  hyq_valid_chain #(.Stages(SigmoidStages + 1)) u_sigmoid_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(in_valid_i), .valid_o(sigmoid_valid)
  );

  hyq_stream_pipeline #(.Stages(4)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(sigmoid_valid),
    .in_ready_o,
    .en_o      (en),
    .out_valid_o,
    .out_ready_i
  );

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(en && sigmoid_valid), .index_o(beat)
  );

  // Up to the products.
  logic [InLanes*AccumulatorBits-1:0] acc_q;

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    logic signed [InBits:0] code;
    logic signed [CentredBits-1:0] x_q[SigmoidStages+1];  // x waits for its sigmoid
    logic [Precision:0] sigmoid;

    assign code = {InSigned && in_data_i[l*InBits+InBits-1], in_data_i[l*InBits+:InBits]};

    hyq_shift_sigmoid #(
      .CentredBits (CentredBits),
      .Fraction    (Fraction),
      .Precision   (Precision),
      .ExponentBits(ExponentBits)
    ) u_sigmoid (
      .clk_i,
      .en_i     (en),
      .x_i      (x_q[0]),
      .sigmoid_o(sigmoid)
    );

    always_ff @(posedge clk_i) begin
      if (en) begin
        x_q[0] <= CentredBits'(int'(code) - CodeZero);
        for (int unsigned k = 0; k < SigmoidStages; k++) x_q[k+1] <= x_q[k];
        acc_q[l*AccumulatorBits+:AccumulatorBits] <= AccumulatorBits'(
            ProductBits'(x_q[SigmoidStages]) * $signed(ProductBits'(sigmoid)));
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
    .beat_i(beat),
    .acc_i (acc_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
