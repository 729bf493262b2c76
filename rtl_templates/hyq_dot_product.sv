// SPDX-License-Identifier: Apache-2.0
// The module makes dot products of constant weights and a stream of operands, and requantizes them.
// It is the arithmetic of dense, conv2d and depthwise_conv2d. Reference: hyq_hls/ops/dense.py,
// Dense.
//
//   for every vector, for rotation in Rotations: acc[OutLanes] = bias
//     for beat in Beats: acc += weight[rotation][beat] . operands     (one cycle)
//     out = requantize(acc)
//
// A beat carries InLanes operands. Every vector of Beats beats comes Rotations times. An output
// lane takes all lanes of the beat or, with Depthwise, its own lane only. Two output lanes share a
// DSP48E1 where hyq_packed_product can.
//
// It is a rigid pipeline: weight memory, 4 stages of a product, stages of
// hyq_accumulate_requantize.
module hyq_dot_product #(
  parameter bit            Depthwise,   // OutLanes = InLanes
  parameter int unsigned   Rotations,
  parameter int unsigned   Beats,
  parameter int unsigned   InLanes,
  parameter int unsigned   OutLanes,
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   AccumulatorBits,
  parameter hyq_pkg::rom_t Weight,
  parameter                WeightFile,  // words [rotation][beat] of entries [out lane][in lane]
  parameter hyq_pkg::rom_t Bias,
  parameter                BiasFile,    // words [rotation] of entries [out lane]
  parameter hyq_pkg::requantize_t Requantize,
  parameter                RequantizeFile
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic [InLanes*InBits-1:0]   in_data_i,
  input  logic                        in_valid_i,
  output logic                        in_ready_o,
  output logic [OutLanes*OutBits-1:0] out_data_o,
  output logic                        out_valid_o,
  input  logic                        out_ready_i
);

  localparam int unsigned Terms = Depthwise ? 1 : InLanes;  // terms of an output lane in a beat
  localparam int unsigned ProductBits = Weight.bits + InBits;

  if (Depthwise && InLanes != OutLanes) begin : gen_bad_lanes
    $error("hyq_dot_product: with Depthwise, OutLanes is InLanes");
  end
  if (Weight.lanes != OutLanes * Terms || Weight.entries != Weight.lanes * Rotations * Beats)
  begin : gen_bad_weights
    $error("hyq_dot_product: a word of weights for every beat of every rotation is wanted");
  end

  logic en;

  // Operands meet the weights that belong to them.
  logic [InLanes*InBits-1:0] operands_q;
  logic [OutLanes*Terms*Weight.bits-1:0] weights;

  always_ff @(posedge clk_i) begin : operands
    if (en) operands_q <= in_data_i;
  end

  hyq_sequence_rom #(
    .Rom (Weight),
    .File(WeightFile)
  ) u_weight_rom (
    .clk_i,
    .rst_ni,
    .en_i  (en),
    .next_i(en && in_valid_i),
    .data_o(weights)
  );

  // Products.
  logic [OutLanes*Terms*ProductBits-1:0] products;
  logic products_valid;

  hyq_valid_chain #(.Stages(5)) u_products_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(in_valid_i), .valid_o(products_valid)
  );

  for (genvar o = 0; o < OutLanes; o++) begin : gen_output
    for (genvar t = 0; t < Terms; t++) begin : gen_term
      localparam int unsigned Lane = o * Terms + t;
      localparam int unsigned Operand = Depthwise ? o : t;

      if (Depthwise || (o == OutLanes - 1 && o % 2 == 0)) begin : gen_single
        hyq_product #(
          .WeightBits   (Weight.bits),
          .OperandBits  (InBits),
          .OperandSigned(InSigned)
        ) u_product (
          .clk_i,
          .en_i     (en),
          .weight_i (weights[Lane*Weight.bits+:Weight.bits]),
          .operand_i(operands_q[Operand*InBits+:InBits]),
          .product_o(products[Lane*ProductBits+:ProductBits])
        );
      end else if (o % 2 == 0) begin : gen_pair
        hyq_packed_product #(
          .WeightBits   (Weight.bits),
          .OperandBits  (InBits),
          .OperandSigned(InSigned)
        ) u_product (
          .clk_i,
          .en_i       (en),
          .a_i        (weights[(Lane+Terms)*Weight.bits+:Weight.bits]),
          .b_i        (weights[Lane*Weight.bits+:Weight.bits]),
          .x_i        (operands_q[Operand*InBits+:InBits]),
          .a_product_o(products[(Lane+Terms)*ProductBits+:ProductBits]),
          .b_product_o(products[Lane*ProductBits+:ProductBits])
        );
      end
    end
  end

  // The accumulator holds every sum, so the products need no more bits.
  localparam int unsigned TermBits = hyq_pkg::min(ProductBits, AccumulatorBits);
  logic [OutLanes*Terms*TermBits-1:0] summands;

  for (genvar t = 0; t < OutLanes * Terms; t++) begin : gen_summand
    assign summands[t*TermBits+:TermBits] = products[t*ProductBits+:TermBits];
  end

  logic unused_upper_bits;
  assign unused_upper_bits = ^products;

  // Biases.
  logic sum_begin;
  logic [OutLanes*Bias.bits-1:0] biases;
  logic [OutLanes*AccumulatorBits-1:0] starts;

  hyq_sequence_rom #(
    .Rom (Bias),
    .File(BiasFile)
  ) u_bias_rom (
    .clk_i,
    .rst_ni,
    .en_i  (en),
    .next_i(sum_begin),
    .data_o(biases)
  );

  for (genvar o = 0; o < OutLanes; o++) begin : gen_start
    logic signed [Bias.bits-1:0] bias;
    assign bias = biases[o*Bias.bits+:Bias.bits];
    assign starts[o*AccumulatorBits+:AccumulatorBits] = AccumulatorBits'(bias);
  end

  hyq_accumulate_requantize #(
    .Lanes          (OutLanes),
    .Terms          (Terms),
    .TermBits       (TermBits),
    .Beats          (Beats),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_sum (
    .clk_i,
    .rst_ni,
    .terms_data_i (summands),
    .terms_valid_i(products_valid),
    .terms_ready_o(in_ready_o),
    .en_o         (en),
    .sum_begin_o  (sum_begin),
    .start_i      (starts),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
