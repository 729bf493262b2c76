// SPDX-License-Identifier: Apache-2.0
// The module multiplies two streams element by element and requantizes the products. Reference:
// hyq_hls/ops/multiply.py, Multiply.
//
// A position of b holds for Repeats positions of a; hyq_replay keeps it. If b has one channel, that
// channel holds for all channels of a. There are eight stages: zero points, 4 of hyq_product, three
// of hyq_requantize_tail.
module hyq_multiply #(
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,    // lanes of a and of the output; divides Channels
  parameter int unsigned   BChannels,  // Channels, or 1
  parameter int unsigned   Repeats,
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
  parameter hyq_pkg::requantize_t Requantize,
  parameter                RequantizeFile,
  localparam int unsigned BLanes = BChannels == Channels ? InLanes : 1
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [InLanes*ABits-1:0]   a_data_i,
  input  logic                       a_valid_i,
  output logic                       a_ready_o,
  input  logic [BLanes*BBits-1:0]    b_data_i,
  input  logic                       b_valid_i,
  output logic                       b_ready_o,
  output logic [InLanes*OutBits-1:0] out_data_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Beats = Channels / InLanes;
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);
  localparam int unsigned BBeats = BChannels / BLanes;
  localparam int unsigned BBeatBits = hyq_pkg::index_width(BBeats);
  localparam int unsigned ProductBits = CentredABits + CentredBBits;

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_multiply: InLanes divides Channels");
  end
  if (BChannels != Channels && BChannels != 1) begin : gen_bad_channels
    $error("hyq_multiply: b has Channels channels, or one");
  end

  // Every beat of a meets its beat of b, which enters once and is repeated.
  logic en, ready, both_valid, kept_valid;
  logic [BLanes*BBits-1:0] kept;
  logic [BeatBits-1:0] beat;  // beat of the operands that come next
  logic [BBeatBits-1:0] b_beat;

  hyq_replay #(
    .Width(BLanes * BBits),
    .Beats(BBeats),
    .Times(Repeats * Beats / BBeats)
  ) u_replay (
    .clk_i,
    .rst_ni,
    .in_data_i  (b_data_i),
    .in_valid_i (b_valid_i),
    .in_ready_o (b_ready_o),
    .out_data_o (kept),
    .out_valid_o(kept_valid),
    .out_ready_i(ready && a_valid_i)
  );

  assign both_valid = a_valid_i && kept_valid;
  assign a_ready_o  = ready && kept_valid;

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(ready && both_valid), .index_o(beat)
  );

  assign b_beat = BBeats == 1 ? '0 : BBeatBits'(beat);

  // Stage 1 subtracts the zero points.
  logic [InLanes*CentredABits-1:0] centred_a;
  logic [BLanes*CentredBBits-1:0] centred_b;

  hyq_centre_lanes #(
    .Lanes        (InLanes),
    .Beats        (Beats),
    .InBits       (ABits),
    .InSigned     (ASigned),
    .CentredBits  (CentredABits),
    .ZeroPoint    (ZeroPointA),
    .ZeroPointFile(ZeroPointAFile)
  ) u_centre_a (
    .clk_i,
    .en_i     (en),
    .beat_i   (beat),
    .code_i   (a_data_i),
    .centred_o(centred_a)
  );

  hyq_centre_lanes #(
    .Lanes        (BLanes),
    .Beats        (BBeats),
    .InBits       (BBits),
    .InSigned     (BSigned),
    .CentredBits  (CentredBBits),
    .ZeroPoint    (ZeroPointB),
    .ZeroPointFile(ZeroPointBFile)
  ) u_centre_b (
    .clk_i,
    .en_i     (en),
    .beat_i   (b_beat),
    .code_i   (kept),
    .centred_o(centred_b)
  );

  // Stages 2 to 5 make the products.
  logic [InLanes*AccumulatorBits-1:0] products;

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    localparam int unsigned BLane = BLanes == 1 ? 0 : l;
    logic signed [ProductBits-1:0] product;

    hyq_product #(
      .WeightBits   (CentredABits),
      .OperandBits  (CentredBBits),
      .OperandSigned(1'b1)
    ) u_product (
      .clk_i,
      .en_i     (en),
      .weight_i (centred_a[l*CentredABits+:CentredABits]),
      .operand_i(centred_b[BLane*CentredBBits+:CentredBBits]),
      .product_o(product)
    );

    assign products[l*AccumulatorBits+:AccumulatorBits] = AccumulatorBits'(product);

    logic unused_upper_bits;
    assign unused_upper_bits = ^product;
  end

  // Stages 6 to 8 requantize. Their entries are read while the products are made.
  logic product_next;
  logic [BeatBits-1:0] product_beat;

  hyq_valid_chain #(.Stages(4)) u_product_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(both_valid), .valid_o(product_next)
  );

  hyq_index #(.Count(Beats)) u_product_beat (
    .clk_i, .rst_ni, .en_i(en && product_next), .index_o(product_beat)
  );

  hyq_stream_pipeline #(.Stages(4)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(product_next),
    .in_ready_o(ready),
    .en_o      (en),
    .out_valid_o,
    .out_ready_i
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
    .beat_i(product_beat),
    .acc_i (products),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
