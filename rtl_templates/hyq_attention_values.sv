// SPDX-License-Identifier: Apache-2.0
// Attention values are sums of values that are weighted by probabilities. Reference:
// hyq_hls/ops/attention_values.py, AttentionValues.
//
// The values of a pixel are stored in InLanes banks, so that a read gives OutLanes channels of
// InLanes keys. They are read once per query in this order: groups of OutLanes channels (head after
// head), groups of InLanes keys. The probabilities of a query and head are replayed for every group
// of the head's channels.
// There are OutLanes * InLanes products per cycle; they are shifts for log2 probabilities.
module hyq_attention_values #(
  parameter int unsigned   Queries,
  parameter int unsigned   Keys,
  parameter int unsigned   Channels,
  parameter int unsigned   Depth,     // channels of a head
  parameter int unsigned   InLanes,   // lanes of probabilities: keys; divides Keys
  parameter int unsigned   OutLanes,  // lanes of values and of the output: channels; divides Depth
  parameter bit            IsLog2,
  parameter int unsigned   ProbabilityBits,
  parameter bit            ProbabilitySigned,
  parameter int unsigned   ProbabilityOperandBits,
  parameter bit            ProbabilityOperandSigned,
  parameter int            CodeProbabilityZero,
  parameter int unsigned   ValueBits,
  parameter bit            ValueSigned,
  parameter int unsigned   ValueOperandBits,
  parameter hyq_pkg::rom_t ZeroPoint,
  parameter                ZeroPointFile,
  parameter int unsigned   AccumulatorBits,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter hyq_pkg::requantize_t Requantize,
  parameter                RequantizeFile
) (
  input  logic                               clk_i,
  input  logic                               rst_ni,
  input  logic [InLanes*ProbabilityBits-1:0] probability_data_i,
  input  logic                               probability_valid_i,
  output logic                               probability_ready_o,
  input  logic [OutLanes*ValueBits-1:0]      value_data_i,
  input  logic                               value_valid_i,
  output logic                               value_ready_o,
  output logic [OutLanes*OutBits-1:0]        out_data_o,
  output logic                               out_valid_o,
  input  logic                               out_ready_i
);

  localparam int unsigned Beats = Channels / OutLanes;  // beats of a value
  localparam int unsigned ValueWidth = OutLanes * ValueOperandBits;
  localparam int unsigned MaxShift = IsLog2 ? 2 ** ProbabilityBits - 2 : 0;
  localparam int unsigned WeightBits = IsLog2 ? MaxShift : ProbabilityOperandBits;
  localparam int unsigned FullBits = ValueOperandBits + WeightBits;
  // The accumulator holds every product, so it needs no more bits.
  localparam int unsigned ProductBits = hyq_pkg::min(FullBits, AccumulatorBits);

  if (Depth % OutLanes != 0 || Keys % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_attention_values: OutLanes divides Depth, and InLanes divides Keys");
  end

  // Zero points are subtracted from the values in one stage; then the values are stored.
  logic [hyq_pkg::index_width(Beats)-1:0] beat;
  logic [ValueWidth-1:0] centred;
  logic value_en, centred_valid, centred_ready;

  hyq_stream_pipeline #(.Stages(1)) u_value_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i (value_valid_i),
    .in_ready_o (value_ready_o),
    .en_o       (value_en),
    .out_valid_o(centred_valid),
    .out_ready_i(centred_ready)
  );

  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(value_ready_o && value_valid_i), .index_o(beat)
  );

  hyq_centre_lanes #(
    .Lanes        (OutLanes),
    .Beats        (Beats),
    .InBits       (ValueBits),
    .InSigned     (ValueSigned),
    .CentredBits  (ValueOperandBits),
    .ZeroPoint    (ZeroPoint),
    .ZeroPointFile(ZeroPointFile)
  ) u_centre (
    .clk_i,
    .en_i     (value_en),
    .beat_i   (beat),
    .code_i   (value_data_i),
    .centred_o(centred)
  );

  logic [InLanes*ValueWidth-1:0] values;
  logic values_valid, values_ready;

  hyq_matrix_buffer #(
    .Width     (ValueWidth),
    .Banks     (InLanes),
    .Rows      (Keys),
    .Blocks    (Beats),
    .BlockWords(1),
    .Passes    (Queries)
  ) u_values (
    .clk_i,
    .rst_ni,
    .in_data_i  (centred),
    .in_valid_i (centred_valid),
    .in_ready_o (centred_ready),
    .out_data_o (values),
    .out_valid_o(values_valid),
    .out_ready_i(values_ready)
  );

  // Probabilities lose their zero point, and are replayed.
  localparam int unsigned ProbabilityWidth = InLanes * ProbabilityOperandBits;
  logic [ProbabilityWidth-1:0] probability_operands, probabilities;
  logic probabilities_valid, probabilities_ready;

  for (genvar j = 0; j < InLanes; j++) begin : gen_probability_operand
    logic [ProbabilityOperandBits-1:0] code;
    assign code = ProbabilityOperandBits'({
      ProbabilitySigned && probability_data_i[(j+1)*ProbabilityBits-1],
      probability_data_i[j*ProbabilityBits+:ProbabilityBits]
    });
    assign probability_operands[j*ProbabilityOperandBits+:ProbabilityOperandBits] =
        code - ProbabilityOperandBits'(CodeProbabilityZero);
  end

  hyq_replay #(
    .Width(ProbabilityWidth),
    .Beats(Keys / InLanes),
    .Times(Depth / OutLanes)
  ) u_probability_replay (
    .clk_i,
    .rst_ni,
    .in_data_i  (probability_operands),
    .in_valid_i (probability_valid_i),
    .in_ready_o (probability_ready_o),
    .out_data_o (probabilities),
    .out_valid_o(probabilities_valid),
    .out_ready_i(probabilities_ready)
  );

  // Registers hold the operands of the products: behind the replay no time is left for a shift.
  logic [ProbabilityWidth-1:0] probabilities_q;
  logic [InLanes*ValueWidth-1:0] values_q;
  logic [OutLanes*InLanes*ProductBits-1:0] products_q;
  logic en, products_valid, products_ready, unused_sum_begin;

  assign probabilities_ready = products_ready && values_valid;
  assign values_ready        = products_ready && probabilities_valid;

  always_ff @(posedge clk_i) begin : operands
    if (en) begin
      probabilities_q <= probabilities;
      values_q        <= values;
    end
  end

  for (genvar c = 0; c < OutLanes; c++) begin : gen_channel
    for (genvar j = 0; j < InLanes; j++) begin : gen_key
      logic [ProbabilityOperandBits-1:0] code;
      logic signed [ValueOperandBits-1:0] value;
      logic signed [ProductBits-1:0] product;

      assign code  = probabilities_q[j*ProbabilityOperandBits+:ProbabilityOperandBits];
      assign value = values_q[(j*OutLanes+c)*ValueOperandBits+:ValueOperandBits];

      if (IsLog2) begin : gen_shift
        // value << (MaxShift - code); the largest code stands for zero.
        logic signed [ProductBits-1:0] shifted;
        assign shifted = (ProductBits'(value) <<< MaxShift) >>> code;
        assign product = &code ? '0 : shifted;
      end else begin : gen_multiply
        logic signed [ProbabilityOperandBits:0] weight;
        assign weight  = {ProbabilityOperandSigned && code[ProbabilityOperandBits-1], code};
        assign product = ProductBits'(value) * ProductBits'(weight);
      end

      always_ff @(posedge clk_i) begin : multiply
        if (en) begin
          products_q[(c*InLanes+j)*ProductBits+:ProductBits] <= product;
        end
      end
    end
  end

  hyq_valid_chain #(.Stages(2)) u_products_valid (
    .clk_i,
    .rst_ni,
    .en_i   (en),
    .valid_i(probabilities_valid && values_valid),
    .valid_o(products_valid)
  );

  hyq_accumulate_requantize #(
    .Lanes          (OutLanes),
    .Terms          (InLanes),
    .TermBits       (ProductBits),
    .Beats          (Keys / InLanes),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_sum (
    .clk_i,
    .rst_ni,
    .terms_data_i (products_q),
    .terms_valid_i(products_valid),
    .terms_ready_o(products_ready),
    .en_o         (en),
    .sum_begin_o  (unused_sum_begin),
    .start_i      ('0),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
