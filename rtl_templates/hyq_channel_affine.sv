// The module multiplies and adds constants per channel; the summand may be another at every
// position. Reference: hyq_hls/ops/channel_affine.py, ChannelAffine.
//
// It has nine stages: weight memory, 4 of hyq_product, the sum, three of hyq_requantize_tail.
module hyq_channel_affine #(
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,    // lanes of the output too; divides Channels
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   AccumulatorBits,
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
  assign in_ready_o = en;

  // Stage 1 registers the codes while their weights are read.
  logic [BeatBits-1:0] beat;
  logic [InLanes*InBits-1:0] codes_q;
  logic [Weight.lanes*Weight.bits-1:0] weights;

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(en && in_valid_i), .index_o(beat)
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

  always_ff @(posedge clk_i) begin : codes
    if (en) codes_q <= in_data_i;
  end

  // Stages 2 to 5 make the products. Biases are read in order during the last of them.
  logic product_valid, sum_valid;
  logic [InLanes*Bias.bits-1:0] biases;
  logic [InLanes*AccumulatorBits-1:0] acc_q;

  hyq_valid_chain #(.Stages(4)) u_product_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(in_valid_i), .valid_o(product_valid)
  );

  hyq_sequence_rom #(
    .Rom (Bias),
    .File(BiasFile)
  ) u_bias_rom (
    .clk_i,
    .rst_ni,
    .en_i  (en && product_valid),
    .data_o(biases)
  );

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    localparam int unsigned WeightLane = Weight.lanes == 1 ? 0 : l;
    logic signed [ProductBits-1:0] product;
    logic signed [Bias.bits-1:0] bias;

    hyq_product #(
      .WeightBits   (Weight.bits),
      .OperandBits  (InBits),
      .OperandSigned(InSigned)
    ) u_product (
      .clk_i,
      .en_i     (en),
      .weight_i (weights[WeightLane*Weight.bits+:Weight.bits]),
      .operand_i(codes_q[l*InBits+:InBits]),
      .product_o(product)
    );

    assign bias = biases[l*Bias.bits+:Bias.bits];

    logic unused_upper_bits;
    assign unused_upper_bits = ^product;

    // Stage 6 makes the sum. It fits, also where the product alone does not and wraps around.
    always_ff @(posedge clk_i) begin : sum
      if (en) begin
        acc_q[l*AccumulatorBits+:AccumulatorBits] <=
            AccumulatorBits'(product) + AccumulatorBits'(bias);
      end
    end
  end

  // Stages 7 to 9 requantize. Their entries are read while the sum is made.
  logic [BeatBits-1:0] sum_beat;

  hyq_valid_chain #(.Stages(1)) u_sum_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(product_valid), .valid_o(sum_valid)
  );

  hyq_index #(.Count(Beats)) u_sum_beat (
    .clk_i, .rst_ni, .en_i(en && sum_valid), .index_o(sum_beat)
  );

  hyq_stream_pipeline #(.Stages(4)) u_pipeline (
    .clk_i, .rst_ni, .in_valid_i(sum_valid), .en_o(en), .out_valid_o, .out_ready_i
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
    .read_i(en),
    .beat_i(sum_beat),
    .acc_i (acc_q),
    .code_o(out_data_o)
  );

  hyq_stream_checker #(.Width(InLanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
