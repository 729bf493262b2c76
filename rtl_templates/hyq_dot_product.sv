// Dot products of constant weights and a stream of operands, requantized: the arithmetic of dense,
// conv2d and depthwise_conv2d. Reference: hyq_hls/ops/dense.py, Dense.
//
//   for every vector, for rotation in Rotations: acc[OutLanes] = bias
//     for beat in Beats: acc += weight[rotation][beat] . operands     (one cycle)
//     out = requantize(acc)
//
// A beat carries InLanes operands; every vector of Beats beats comes Rotations times. An output
// lane takes all lanes of the beat or, with Depthwise, its own lane only. Two output lanes share a
// DSP48E1 where hyq_packed_product can.
//
// A rigid pipeline: weight memory, 4 stages of a product, those of the adder tree (none with
// Depthwise), accumulator, 3 stages of the requantization.
module hyq_dot_product #(
  parameter bit          Depthwise,  // OutLanes = InLanes
  parameter int unsigned Rotations,
  parameter int unsigned Beats,
  parameter int unsigned InLanes,
  parameter int unsigned OutLanes,
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter int unsigned AccumulatorBits,
  parameter              WeightFile,  // words [rotation][beat] of entries [out lane][in lane]
  parameter int unsigned WeightBits,
  parameter              BiasFile,    // words [rotation] of entries [out lane]
  parameter int unsigned BiasBits,
  parameter              RequantizeFile,
  parameter int unsigned RequantizeEntries,
  parameter int unsigned RequantizeLanes,
  parameter int unsigned RequantizeLeft,
  parameter int unsigned RequantizeBase,
  parameter int unsigned RequantizeShiftBits,
  parameter int unsigned RequantizeMultiplierBits,
  parameter int unsigned RequantizeZeroPointBits
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

  localparam int unsigned Terms = Depthwise ? 1 : InLanes;  // of an output lane in a beat
  localparam int unsigned ProductBits = WeightBits + InBits;
  localparam int unsigned EntryBits =
      RequantizeZeroPointBits + RequantizeShiftBits + RequantizeMultiplierBits;

  logic en;
  assign en         = !out_valid_o || out_ready_i;
  assign in_ready_o = en;

  // Operands, and the weights that belong to them.
  logic [InLanes*InBits-1:0] operands_q;
  logic [OutLanes*Terms*WeightBits-1:0] weights;

  always_ff @(posedge clk_i) begin : operands
    if (en) operands_q <= in_data_i;
  end

  hyq_sequence_rom #(
    .Width(OutLanes * Terms * WeightBits),
    .Depth(Rotations * Beats),
    .File (WeightFile)
  ) u_weight_rom (
    .clk_i,
    .rst_ni,
    .en_i  (en && in_valid_i),
    .data_o(weights)
  );

  // Products.
  logic [OutLanes*Terms*ProductBits-1:0] products;

  for (genvar o = 0; o < OutLanes; o++) begin : gen_output
    for (genvar t = 0; t < Terms; t++) begin : gen_term
      localparam int unsigned Lane = o * Terms + t;
      localparam int unsigned Operand = Depthwise ? o : t;

      if (Depthwise || (o == OutLanes - 1 && o % 2 == 0)) begin : gen_single
        hyq_product #(
          .WeightBits   (WeightBits),
          .OperandBits  (InBits),
          .OperandSigned(InSigned)
        ) u_product (
          .clk_i,
          .en_i     (en),
          .weight_i (weights[Lane*WeightBits+:WeightBits]),
          .operand_i(operands_q[Operand*InBits+:InBits]),
          .product_o(products[Lane*ProductBits+:ProductBits])
        );
      end else if (o % 2 == 0) begin : gen_pair
        hyq_packed_product #(
          .WeightBits   (WeightBits),
          .OperandBits  (InBits),
          .OperandSigned(InSigned)
        ) u_product (
          .clk_i,
          .en_i       (en),
          .a_i        (weights[(Lane+Terms)*WeightBits+:WeightBits]),
          .b_i        (weights[Lane*WeightBits+:WeightBits]),
          .x_i        (operands_q[Operand*InBits+:InBits]),
          .a_product_o(products[(Lane+Terms)*ProductBits+:ProductBits]),
          .b_product_o(products[Lane*ProductBits+:ProductBits])
        );
      end
    end
  end

  // Sum of a beat. Sums wrap around in AccumulatorBits; the last one of a vector fits.
  localparam int unsigned TermBits = ProductBits < AccumulatorBits ? ProductBits : AccumulatorBits;
  logic [OutLanes*Terms*TermBits-1:0] summands;
  logic [4:0] valid_q;  // memory and product
  logic [OutLanes*AccumulatorBits-1:0] sums;
  logic sum_valid;

  for (genvar t = 0; t < OutLanes * Terms; t++) begin : gen_summand
    assign summands[t*TermBits+:TermBits] = products[t*ProductBits+:TermBits];
  end

  logic unused_upper_bits;
  assign unused_upper_bits = ^products;

  always_ff @(posedge clk_i or negedge rst_ni) begin : product_control
    if (!rst_ni) begin
      valid_q <= '0;
    end else if (en) begin
      valid_q <= {valid_q[3:0], in_valid_i};
    end
  end

  hyq_adder_tree #(
    .Lanes   (OutLanes),
    .Terms   (Terms),
    .TermBits(TermBits),
    .SumBits (AccumulatorBits)
  ) u_adder_tree (
    .clk_i,
    .rst_ni,
    .en_i   (en),
    .terms_i(summands),
    .valid_i(valid_q[4]),
    .sums_o (sums),
    .valid_o(sum_valid)
  );

  // Sum of a vector, from the bias on. The memory gives the bias of the next rotation.
  logic accumulate, last, first_q, started_q;
  logic [OutLanes*BiasBits-1:0] bias;
  logic [OutLanes*AccumulatorBits-1:0] acc_q;

  assign accumulate = en && sum_valid;

  hyq_counter #(.Count(Beats)) u_beat (.clk_i, .rst_ni, .en_i(accumulate), .last_o(last));

  hyq_sequence_rom #(
    .Width(OutLanes * BiasBits),
    .Depth(Rotations),
    .File (BiasFile)
  ) u_bias_rom (
    .clk_i,
    .rst_ni,
    .en_i  ((accumulate && last) || !started_q),
    .data_o(bias)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin : accumulator_control
    if (!rst_ni) begin
      first_q   <= 1'b1;
      started_q <= 1'b0;
    end else begin
      started_q <= 1'b1;
      if (accumulate) first_q <= last;
    end
  end

  for (genvar o = 0; o < OutLanes; o++) begin : gen_accumulator
    logic signed [BiasBits-1:0] start;
    logic signed [AccumulatorBits-1:0] sum, lane_q;

    assign start = bias[o*BiasBits+:BiasBits];
    assign sum   = sums[o*AccumulatorBits+:AccumulatorBits];
    assign acc_q[o*AccumulatorBits+:AccumulatorBits] = lane_q;

    always_ff @(posedge clk_i) begin : add
      if (accumulate) lane_q <= sum + (first_q ? AccumulatorBits'(start) : lane_q);
    end
  end

  // Requantization; its entries leave their memory together with the sums.
  logic [3:0] complete_q;
  logic [RequantizeLanes*EntryBits-1:0] entries;

  always_ff @(posedge clk_i or negedge rst_ni) begin : requantize_control
    if (!rst_ni) begin
      complete_q <= '0;
    end else if (en) begin
      complete_q <= {complete_q[2:0], sum_valid && last};
    end
  end

  hyq_sequence_rom #(
    .Width(RequantizeLanes * EntryBits),
    .Depth(RequantizeEntries / RequantizeLanes),
    .File (RequantizeFile)
  ) u_requantize_rom (
    .clk_i,
    .rst_ni,
    .en_i  (accumulate && last),
    .data_o(entries)
  );

  hyq_requantize_lanes #(
    .Lanes          (OutLanes),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Entries        (RequantizeEntries),
    .EntryLanes     (RequantizeLanes),
    .Left           (RequantizeLeft),
    .Base           (RequantizeBase),
    .ShiftBits      (RequantizeShiftBits),
    .MultiplierBits (RequantizeMultiplierBits),
    .ZeroPointBits  (RequantizeZeroPointBits)
  ) u_requantize_lanes (
    .clk_i,
    .en_i   (en),
    .acc_i  (acc_q),
    .entry_i(entries),
    .code_o (out_data_o)
  );

  assign out_valid_o = complete_q[3];

endmodule
