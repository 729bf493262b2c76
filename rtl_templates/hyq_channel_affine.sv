// SPDX-License-Identifier: Apache-2.0
// The module multiplies and adds constants per channel; the summand may be another at every
// position. Reference: hyq_hls/ops/channel_affine.py, ChannelAffine.
//
// It has nine stages: weight memory, 4 of hyq_product, the sum, three of hyq_requantize_tail. If all
// channels have the same power of two for a weight, Factor gives it. Then a shift takes the place of
// hyq_product, and there are five stages.
module hyq_channel_affine #(
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,    // lanes of the output too; divides Channels
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   AccumulatorBits,
  parameter int unsigned   Factor,     // a power of two, or 0 where weights lie in the memory
  parameter hyq_pkg::rom_t Weight,     // one for all channels, or one for each
  parameter                WeightFile,
  parameter hyq_pkg::rom_t Bias,       // a word for every beat of a position, or of a frame
  parameter                BiasFile,
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
  localparam int unsigned ProductBits = Weight.bits + InBits;

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_channel_affine: InLanes divides Channels");
  end
  if (Bias.lanes != InLanes || Bias.entries % Channels != 0) begin : gen_bad_biases
    $error("hyq_channel_affine: a word of biases for every beat of a position, or of a frame");
  end

  logic en;
  // Stage 1 registers the codes. Products take four more stages, and shifts take none.
  logic [InLanes*InBits-1:0] codes_q;
  logic [InLanes*ProductBits-1:0] products;
  logic product_next;  // products come in the next cycle, so their biases are read in this one

  always_ff @(posedge clk_i) begin : codes
    if (en) codes_q <= in_data_i;
  end

  if (Factor > 0) begin : gen_shift
    assign product_next = in_valid_i;

    for (genvar l = 0; l < InLanes; l++) begin : gen_lane
      logic signed [InBits:0] code;
      assign code = {InSigned && codes_q[(l+1)*InBits-1], codes_q[l*InBits+:InBits]};
      assign products[l*ProductBits+:ProductBits] = ProductBits'(code) <<< $clog2(Factor);
    end
  end else begin : gen_product
    logic [BeatBits-1:0] beat;
    logic [Weight.lanes*Weight.bits-1:0] weights;

    hyq_index #(.Count(Beats)) u_beat (
      .clk_i, .rst_ni, .en_i(in_ready_o && in_valid_i), .index_o(beat)
    );

    hyq_channel_rom #(
      .Rom  (Weight),
      .Beats(Beats),
      .File (WeightFile)
    ) u_weight_rom (
      .clk_i,
      .en_i  (en),
      .beat_i(beat),
      .data_o(weights)
    );

    hyq_valid_chain #(.Stages(4)) u_product_valid (
      .clk_i, .rst_ni, .en_i(en), .valid_i(in_valid_i), .valid_o(product_next)
    );

    for (genvar l = 0; l < InLanes; l++) begin : gen_lane
      localparam int unsigned WeightLane = Weight.lanes == 1 ? 0 : l;

      hyq_product #(
        .WeightBits   (Weight.bits),
        .OperandBits  (InBits),
        .OperandSigned(InSigned)
      ) u_product (
        .clk_i,
        .en_i     (en),
        .weight_i (weights[WeightLane*Weight.bits+:Weight.bits]),
        .operand_i(codes_q[l*InBits+:InBits]),
        .product_o(products[l*ProductBits+:ProductBits])
      );
    end
  end

  // The next stage makes the sums. They fit, also where a product alone does not and wraps around.
  logic sum_valid;
  logic [InLanes*Bias.bits-1:0] biases;
  logic [InLanes*AccumulatorBits-1:0] acc_q;

  hyq_sequence_rom #(
    .Rom (Bias),
    .File(BiasFile)
  ) u_bias_rom (
    .clk_i,
    .rst_ni,
    .en_i  (en),
    .next_i(en && product_next),
    .data_o(biases)
  );

  for (genvar l = 0; l < InLanes; l++) begin : gen_sum
    logic signed [ProductBits-1:0] product;
    logic signed [Bias.bits-1:0] bias;
    assign product = products[l*ProductBits+:ProductBits];
    assign bias    = biases[l*Bias.bits+:Bias.bits];

    logic unused_upper_bits;
    assign unused_upper_bits = ^product;

    always_ff @(posedge clk_i) begin : sum
      if (en) begin
        acc_q[l*AccumulatorBits+:AccumulatorBits] <=
            AccumulatorBits'(product) + AccumulatorBits'(bias);
      end
    end
  end

  // The last stages requantize. Their entries are read while the sums are made.
  logic [BeatBits-1:0] sum_beat;

  hyq_valid_chain #(.Stages(1)) u_sum_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(product_next), .valid_o(sum_valid)
  );

  hyq_index #(.Count(Beats)) u_sum_beat (
    .clk_i, .rst_ni, .en_i(en && sum_valid), .index_o(sum_beat)
  );

  hyq_stream_pipeline #(.Stages(4)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(sum_valid),
    .in_ready_o,
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
    .beat_i(sum_beat),
    .acc_i (acc_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
