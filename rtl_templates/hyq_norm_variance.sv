// SPDX-License-Identifier: Apache-2.0
// The module makes the sum and the scaled variance of every row of a normalization:
//
//   total = sum(x),  variance = Elements * sum(x * x) - total * total + epsilon
//
// The squares take one stage and the row sums take their own, as one rigid pipeline. The variance
// takes three stages. It takes the next row when it is empty, so that the sums see a ready from a
// register. So it takes a row every four cycles at most.
module hyq_norm_variance #(
  parameter int unsigned   Elements,
  parameter int unsigned   Lanes,
  parameter int unsigned   ValueBits,     // two's complement, as the sums
  parameter int unsigned   TotalBits,
  parameter int unsigned   SquaresBits,
  parameter int unsigned   VarianceBits,  // unsigned
  parameter hyq_pkg::rom_t Epsilon,
  parameter                EpsilonFile
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  input  logic [Lanes*ValueBits-1:0] in_data_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,
  output logic [TotalBits-1:0]       total_o,
  output logic [VarianceBits-1:0]    variance_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned Beats = Elements / Lanes;
  localparam int unsigned SquareBits = 2 * ValueBits;
  // The parts of the variance need no more bits than the variance itself.
  localparam int unsigned SumBits = hyq_pkg::min(SquaresBits, VarianceBits);
  localparam int unsigned TermBits = hyq_pkg::min(SquareBits, SumBits);

  // Squares.
  logic [Lanes*ValueBits-1:0] values_q;
  logic [Lanes*TermBits-1:0] squares_q;
  logic en, values_valid;

  hyq_valid_chain #(.Stages(1)) u_values_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(in_valid_i), .valid_o(values_valid)
  );

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic signed [ValueBits-1:0] value;
    assign value = in_data_i[l*ValueBits+:ValueBits];

    always_ff @(posedge clk_i) begin : square
      if (en) begin
        values_q[l*ValueBits+:ValueBits] <= value;
        squares_q[l*TermBits+:TermBits]  <= TermBits'(SquareBits'(value) * SquareBits'(value));
      end
    end
  end

  // Both sums go in step: they see the same beats and the same reader, so one answers for both.
  logic [TotalBits-1:0] total;
  logic [SumBits-1:0] squares;
  logic sums_valid, sums_ready, unused_ready, unused_en, unused_valid;

  hyq_row_sum #(
    .Lanes   (Lanes),
    .TermBits(ValueBits),
    .SumBits (TotalBits),
    .Beats   (Beats)
  ) u_total (
    .clk_i,
    .rst_ni,
    .in_data_i  (values_q),
    .in_valid_i (values_valid),
    .in_ready_o,
    .en_o       (en),
    .out_data_o (total),
    .out_valid_o(sums_valid),
    .out_ready_i(sums_ready)
  );

  hyq_row_sum #(
    .Lanes   (Lanes),
    .TermBits(TermBits),
    .SumBits (SumBits),
    .Beats   (Beats)
  ) u_squares (
    .clk_i,
    .rst_ni,
    .in_data_i  (squares_q),
    .in_valid_i (values_valid),
    .in_ready_o (unused_ready),
    .en_o       (unused_en),
    .out_data_o (squares),
    .out_valid_o(unused_valid),
    .out_ready_i(sums_ready)
  );

  // The variance takes two stages for its products and one for their difference.
  logic variance_en, variance_load, variance_empty_q, unused_variance_ready;
  logic [VarianceBits-1:0] scaled_squares, scaled_q1, scaled_q2, square_of_total, variance_q;
  logic [TotalBits-1:0] total_q1, total_q2, total_q3;
  logic [Epsilon.bits-1:0] epsilon;

  hyq_stream_pipeline #(.Stages(3)) u_variance_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(variance_load),
    .in_ready_o(unused_variance_ready),
    .en_o      (variance_en),
    .out_valid_o,
    .out_ready_i
  );

  assign sums_ready    = variance_empty_q;
  assign variance_load = sums_ready && sums_valid;

  always_ff @(posedge clk_i or negedge rst_ni) begin : variance_control
    if (!rst_ni) begin
      variance_empty_q <= 1'b1;
    end else begin
      variance_empty_q <= variance_empty_q ? !variance_load : out_valid_o && out_ready_i;
    end
  end

  hyq_constant_product #(
    .Bits       (SumBits),
    .Factor     (Elements),
    .ProductBits(VarianceBits)
  ) u_scale (
    .value_i  (squares),
    .product_o(scaled_squares)
  );

  hyq_wide_product #(
    .ABits      (TotalBits),
    .BBits      (TotalBits),
    .ProductBits(VarianceBits)
  ) u_square_of_total (
    .clk_i,
    .en_i     (variance_en),
    .a_i      (total),
    .b_i      (total),
    .product_o(square_of_total)
  );

  hyq_rom #(
    .Width(Epsilon.bits),
    .Depth(1),
    .File (EpsilonFile)
  ) u_epsilon (
    .clk_i,
    .en_i  (variance_en),
    .addr_i(1'b0),
    .data_o(epsilon)
  );

  always_ff @(posedge clk_i) begin : variance
    if (variance_en) begin
      total_q1   <= total;
      total_q2   <= total_q1;
      total_q3   <= total_q2;
      scaled_q1  <= scaled_squares;
      scaled_q2  <= scaled_q1;
      variance_q <= scaled_q2 - square_of_total + VarianceBits'(epsilon);
    end
  end

  assign total_o    = total_q3;
  assign variance_o = variance_q;

endmodule
