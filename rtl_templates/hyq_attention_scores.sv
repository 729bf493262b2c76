// SPDX-License-Identifier: Apache-2.0
// Attention scores are dot products of queries and keys. Reference:
// hyq_hls/ops/attention_scores.py, AttentionScores.
//
// The keys of a pixel are stored in OutLanes banks, so that a read gives InLanes channels of
// OutLanes keys. They are read once per query in this order: heads, groups of OutLanes keys, groups
// of InLanes channels of a head. The channels of a query's head are replayed for every group of
// keys. There are OutLanes * InLanes products per cycle.
module hyq_attention_scores #(
  parameter int unsigned Queries,
  parameter int unsigned Keys,
  parameter int unsigned Heads,
  parameter int unsigned Depth,     // channels of a head
  parameter int unsigned InLanes,   // lanes of queries and keys; divides Depth
  parameter int unsigned OutLanes,  // keys; divides Keys
  parameter int          CodeQueryZero,
  parameter int          CodeKeyZero,
  parameter int unsigned QueryBits,
  parameter bit          QuerySigned,
  parameter int unsigned KeyBits,
  parameter bit          KeySigned,
  parameter int unsigned QueryOperandBits,
  parameter int unsigned KeyOperandBits,
  parameter int unsigned AccumulatorBits,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter hyq_pkg::requantize_t Requantize,
  parameter              RequantizeFile
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  input  logic [InLanes*QueryBits-1:0] query_data_i,
  input  logic                         query_valid_i,
  output logic                         query_ready_o,
  input  logic [InLanes*KeyBits-1:0]   key_data_i,
  input  logic                         key_valid_i,
  output logic                         key_ready_o,
  output logic [OutLanes*OutBits-1:0]  out_data_o,
  output logic                         out_valid_o,
  input  logic                         out_ready_i
);

  localparam int unsigned Beats = Depth / InLanes;  // beats of a head
  // The accumulator holds every product, so it needs no more bits.
  localparam int unsigned FullBits = QueryOperandBits + KeyOperandBits;
  localparam int unsigned ProductBits = hyq_pkg::min(FullBits, AccumulatorBits);
  localparam int unsigned KeyWidth = InLanes * KeyOperandBits;
  localparam int unsigned QueryWidth = InLanes * QueryOperandBits;

  if (Depth % InLanes != 0 || Keys % OutLanes != 0) begin : gen_bad_lanes
    $error("hyq_attention_scores: InLanes divides Depth, and OutLanes divides Keys");
  end

  // Keys are stored. An operand has at most one bit more than a code.
  logic [KeyWidth-1:0] key_operands;
  logic [OutLanes*KeyWidth-1:0] keys;
  logic keys_valid, keys_ready;

  for (genvar c = 0; c < InLanes; c++) begin : gen_key_operand
    logic [KeyOperandBits-1:0] code;
    assign code = KeyOperandBits'({
      KeySigned && key_data_i[(c+1)*KeyBits-1], key_data_i[c*KeyBits+:KeyBits]
    });
    assign key_operands[c*KeyOperandBits+:KeyOperandBits] = code - KeyOperandBits'(CodeKeyZero);
  end

  hyq_matrix_buffer #(
    .Width     (KeyWidth),
    .Banks     (OutLanes),
    .Rows      (Keys),
    .Blocks    (Heads),
    .BlockWords(Beats),
    .Passes    (Queries)
  ) u_keys (
    .clk_i,
    .rst_ni,
    .in_data_i  (key_operands),
    .in_valid_i (key_valid_i),
    .in_ready_o (key_ready_o),
    .out_data_o (keys),
    .out_valid_o(keys_valid),
    .out_ready_i(keys_ready)
  );

  // A register stands behind the subtraction of the queries' zero point.
  logic [QueryWidth-1:0] query_operands, query_q, query;
  logic query_en, query_q_valid, query_next, query_valid, query_ready;

  for (genvar c = 0; c < InLanes; c++) begin : gen_query_operand
    logic [QueryOperandBits-1:0] code;
    assign code = QueryOperandBits'({
      QuerySigned && query_data_i[(c+1)*QueryBits-1], query_data_i[c*QueryBits+:QueryBits]
    });
    assign query_operands[c*QueryOperandBits+:QueryOperandBits] =
        code - QueryOperandBits'(CodeQueryZero);
  end

  hyq_stream_pipeline #(.Stages(1)) u_query_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i (query_valid_i),
    .in_ready_o (query_ready_o),
    .en_o       (query_en),
    .out_valid_o(query_q_valid),
    .out_ready_i(query_next)
  );

  always_ff @(posedge clk_i) begin : query_data
    if (query_en) begin
      query_q <= query_operands;
    end
  end

  hyq_replay #(
    .Width(QueryWidth),
    .Beats(Beats),
    .Times(Keys / OutLanes)
  ) u_query_replay (
    .clk_i,
    .rst_ni,
    .in_data_i  (query_q),
    .in_valid_i (query_q_valid),
    .in_ready_o (query_next),
    .out_data_o (query),
    .out_valid_o(query_valid),
    .out_ready_i(query_ready)
  );

  // Registers hold the operands of the products: a DSP slice has no time for a read of the memory.
  logic [QueryWidth-1:0] query_operand_q;
  logic [OutLanes*KeyWidth-1:0] key_operands_q;
  logic [OutLanes*InLanes*ProductBits-1:0] products_q;
  logic en, products_valid, products_ready, unused_sum_begin;

  assign query_ready = products_ready && keys_valid;
  assign keys_ready  = products_ready && query_valid;

  always_ff @(posedge clk_i) begin : operands
    if (en) begin
      query_operand_q <= query;
      key_operands_q  <= keys;
    end
  end

  for (genvar j = 0; j < OutLanes; j++) begin : gen_key
    for (genvar c = 0; c < InLanes; c++) begin : gen_channel
      logic signed [QueryOperandBits-1:0] q;
      logic signed [KeyOperandBits-1:0] k;

      assign q = query_operand_q[c*QueryOperandBits+:QueryOperandBits];
      assign k = key_operands_q[(j*InLanes+c)*KeyOperandBits+:KeyOperandBits];

      always_ff @(posedge clk_i) begin : multiply
        if (en) begin
          products_q[(j*InLanes+c)*ProductBits+:ProductBits] <= ProductBits'(q) * ProductBits'(k);
        end
      end
    end
  end

  hyq_valid_chain #(.Stages(2)) u_products_valid (
    .clk_i,
    .rst_ni,
    .en_i   (en),
    .valid_i(query_valid && keys_valid),
    .valid_o(products_valid)
  );

  hyq_accumulate_requantize #(
    .Lanes          (OutLanes),
    .Terms          (InLanes),
    .TermBits       (ProductBits),
    .Beats          (Beats),
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
