// SPDX-License-Identifier: Apache-2.0
// The module is an average pooling of a map, whose border counts nothing.
// Reference: hyq_hls/ops/average_pool.py, AveragePool.
//
// It takes one tap of InLanes channels per cycle. A position takes
// InChannels / InLanes * KernelHeight * KernelWidth cycles. The memories of rows and columns give
// the two parts of the place of a window's factor. Behind the windows, one stage centres codes and
// one reads factors; 4 of hyq_product and those of hyq_accumulate_requantize follow.
module hyq_average_pool #(
  parameter int unsigned   Height,   // height of the input map
  parameter int unsigned   Width,
  parameter int unsigned   InChannels,
  parameter int unsigned   KernelHeight,
  parameter int unsigned   KernelWidth,
  parameter int unsigned   StrideHeight,
  parameter int unsigned   StrideWidth,
  parameter int unsigned   PadHeight,
  parameter int unsigned   PadWidth,
  parameter int unsigned   InLanes,  // lanes of the output too; divides InChannels
  parameter int unsigned   InBits,
  parameter bit            InSigned,
  parameter int unsigned   OutBits,
  parameter bit            OutSigned,
  parameter int unsigned   CentredBits,
  parameter int unsigned   TapBits,  // two's complement; holds every factor, also that less Centre
  parameter int unsigned   AccumulatorBits,
  parameter int unsigned   Centre,   // what the factor of the middle tap is less
  parameter hyq_pkg::rom_t Rows,     // an entry for each row of windows
  parameter                RowsFile,
  parameter hyq_pkg::rom_t Columns,  // an entry for each window of a row
  parameter                ColumnsFile,
  parameter hyq_pkg::rom_t Factor,   // by the numbers of rows and of columns inside
  parameter                FactorFile,
  parameter hyq_pkg::rom_t Pad,      // zero points, which are the codes of the border too
  parameter                PadFile,
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

  localparam int unsigned Beats = InChannels / InLanes;
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats);
  localparam int unsigned Taps = KernelHeight * KernelWidth;
  localparam int unsigned TapIndexBits = hyq_pkg::index_width(Taps);
  localparam int unsigned Middle = KernelHeight / 2 * KernelWidth + KernelWidth / 2;
  localparam int unsigned ProductBits = TapBits + CentredBits;

  if (InChannels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_average_pool: InLanes divides InChannels");
  end
  if (Factor.entries != Taps) begin : gen_bad_factors
    $error("hyq_average_pool: one factor for each number of rows and of columns inside");
  end

  logic [InLanes*InBits-1:0] window;
  logic window_valid, window_ready;

  hyq_padded_windows #(
    .Height      (Height),
    .Width       (Width),
    .Channels    (InChannels),
    .KernelHeight(KernelHeight),
    .KernelWidth (KernelWidth),
    .StrideHeight(StrideHeight),
    .StrideWidth (StrideWidth),
    .PadHeight   (PadHeight),
    .PadWidth    (PadWidth),
    .Lanes       (InLanes),
    .Run         (1),
    .Times       (1),
    .Bits        (InBits),
    .Pad         (Pad),
    .PadFile     (PadFile)
  ) u_windows (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .out_data_o (window),
    .out_valid_o(window_valid),
    .out_ready_i(window_ready)
  );

  // These are the places of the tap that comes next.
  logic en, step, last_tap, last_beat, last_column, window_end;
  logic [TapIndexBits-1:0] tap;
  logic [BeatBits-1:0] beat;

  assign step       = window_ready && window_valid;
  assign last_tap   = tap == TapIndexBits'(Taps - 1);
  assign last_beat  = beat == BeatBits'(Beats - 1);
  assign window_end = step && last_tap && last_beat;

  hyq_index #(.Count(Taps)) u_tap (.clk_i, .rst_ni, .en_i(step), .index_o(tap));
  hyq_index #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(step && last_tap), .index_o(beat)
  );
  hyq_counter #(.Count(Columns.entries)) u_column (
    .clk_i, .rst_ni, .en_i(window_end), .last_o(last_column)
  );

  // Stage 1 subtracts zero points, and reads the row and the column of the window.
  logic [InLanes*CentredBits-1:0] centred, centred_q;
  logic [Rows.bits-1:0] row;
  logic [Columns.bits-1:0] column;
  logic middle_q1, middle_q2;

  hyq_centre_lanes #(
    .Lanes        (InLanes),
    .Beats        (Beats),
    .InBits       (InBits),
    .InSigned     (InSigned),
    .CentredBits  (CentredBits),
    .ZeroPoint    (Pad),
    .ZeroPointFile(PadFile)
  ) u_centre_lanes (
    .clk_i,
    .en_i     (en),
    .beat_i   (beat),
    .code_i   (window),
    .centred_o(centred)
  );

  hyq_sequence_rom #(
    .Rom (Rows),
    .File(RowsFile)
  ) u_rows (
    .clk_i,
    .rst_ni,
    .en_i  (en),
    .next_i(window_end && last_column),
    .data_o(row)
  );

  hyq_sequence_rom #(
    .Rom (Columns),
    .File(ColumnsFile)
  ) u_columns (
    .clk_i,
    .rst_ni,
    .en_i  (en),
    .next_i(window_end),
    .data_o(column)
  );

  // Stage 2 reads the factor of the window.
  logic [Factor.bits-1:0] factor;
  logic [TapBits-1:0] tap_factor;

  always_ff @(posedge clk_i) begin : stages
    if (en) begin
      middle_q1 <= Centre != 0 && tap == TapIndexBits'(Middle);
      middle_q2 <= middle_q1;
      centred_q <= centred;
    end
  end

  hyq_rom #(
    .Width(Factor.bits),
    .Depth(Taps),
    .File (FactorFile)
  ) u_factor (
    .clk_i,
    .en_i  (en),
    .addr_i(TapIndexBits'(row) + TapIndexBits'(column)),
    .data_o(factor)
  );

  assign tap_factor = TapBits'(factor) - (middle_q2 ? TapBits'(Centre) : TapBits'(0));

  // Products.
  localparam int unsigned TermBits = hyq_pkg::min(ProductBits, AccumulatorBits);
  logic [InLanes*ProductBits-1:0] products;
  logic [InLanes*TermBits-1:0] terms;
  logic products_valid;

  hyq_valid_chain #(.Stages(6)) u_products_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(window_valid), .valid_o(products_valid)
  );

  for (genvar l = 0; l < InLanes; l++) begin : gen_lane
    hyq_product #(
      .WeightBits   (TapBits),
      .OperandBits  (CentredBits),
      .OperandSigned(1'b1)
    ) u_product (
      .clk_i,
      .en_i     (en),
      .weight_i (tap_factor),
      .operand_i(centred_q[l*CentredBits+:CentredBits]),
      .product_o(products[l*ProductBits+:ProductBits])
    );

    assign terms[l*TermBits+:TermBits] = products[l*ProductBits+:TermBits];
  end

  logic unused_upper_bits;
  assign unused_upper_bits = ^products;

  // Sums start from zero, so that it is not asked when they begin.
  logic unused_sum_begin;

  hyq_accumulate_requantize #(
    .Lanes          (InLanes),
    .Terms          (1),
    .TermBits       (TermBits),
    .Beats          (Taps),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Requantize     (Requantize),
    .RequantizeFile (RequantizeFile)
  ) u_accumulate_requantize (
    .clk_i,
    .rst_ni,
    .terms_data_i (terms),
    .terms_valid_i(products_valid),
    .terms_ready_o(window_ready),
    .en_o         (en),
    .sum_begin_o  (unused_sum_begin),
    .start_i      ('0),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
