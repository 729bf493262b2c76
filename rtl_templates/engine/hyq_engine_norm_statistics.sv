// SPDX-License-Identifier: Apache-2.0
// The module makes what the norm unit must know of a pixel: the sum of its values, and the
// reciprocal of their standard deviation. Reference: "norm" in docs/engine.md.
//
// Values come in Lanes per cycle, their squares two cycles later. Behind the last of a pixel come
// the variance, its root and the reciprocal, a bit per cycle each, while the next pixels come.
module hyq_engine_norm_statistics
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Lanes,
  parameter int unsigned ValueBits,
  parameter int unsigned SumBits,
  parameter int unsigned CountBits,
  parameter int unsigned WideBits,
  parameter int unsigned Waiting     // pixels that have not got their reciprocal, at most
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  input  logic                             start_i,
  input  logic [Lanes-1:0][ValueBits-1:0]  x_i,
  input  logic [Lanes-1:0]                 in_row_i,  // a value of a channel
  input  logic                             valid_i,   // of all above
  input  logic                             first_i,   // of its pixel
  input  logic                             last_i,
  input  logic [Lanes-1:0][2*ValueBits-1:0] squares_i,  // two cycles later
  // of the header, constant
  input  logic [63:0]                      epsilon_i,
  input  logic [4:0]                       root_bits_i,
  input  logic [5:0]                       reciprocal_bits_i,
  input  logic [CountBits-1:0]             channels_i,
  // results, in the order of the pixels
  output logic [SumBits-1:0]             total_o,
  output logic [WideBits-2:0]              reciprocal_o,
  output logic                             valid_o,
  input  logic                             ready_i
);

  localparam int unsigned RootBits = 31;
  localparam int unsigned SquareBits = 2 * ValueBits;
  // Stages from the values to the sum, to the sum of squares, to the radicand.
  localparam int unsigned ToTotal = 2;
  localparam int unsigned ToSquares = 4;
  localparam int unsigned ToRadicand = 8;

  // Of each lane, then of all, then of the pixel.
  logic signed [SumBits-1:0] some, some_q, total_q;
  logic [SquareBits+1:0] some_squares, some_squares_q;
  logic [WideBits-1:0] squares_q;
  logic [Lanes-1:0] square_in_row;
  logic valid_q, first_q, square_valid, square_first, radicand_valid;

  hyq_delay #(
    .Width(Lanes), .Stages(2)
  ) u_square_in_row (
    .clk_i, .en_i(1'b1), .data_i(in_row_i), .data_o(square_in_row)
  );
  hyq_delay #(
    .Width(2), .Stages(ToSquares - 1)
  ) u_square_valid (
    .clk_i, .en_i(1'b1), .data_i({valid_i, first_i}), .data_o({square_valid, square_first})
  );
  hyq_valid_chain #(
    .Stages(ToRadicand)
  ) u_radicand_valid (
    .clk_i, .rst_ni, .en_i(1'b1), .valid_i(valid_i && last_i), .valid_o(radicand_valid)
  );

  always_comb begin : lanes
    some         = '0;
    some_squares = '0;
    for (int unsigned l = 0; l < Lanes; l++) begin
      if (in_row_i[l]) some = some + {{(SumBits-ValueBits){x_i[l][ValueBits-1]}}, x_i[l]};
      if (square_in_row[l]) some_squares = some_squares + (SquareBits + 2)'(squares_i[l]);
    end
  end

  always_ff @(posedge clk_i) begin : sums
    valid_q        <= valid_i;
    first_q        <= first_i;
    some_q         <= some;
    some_squares_q <= some_squares;
    if (valid_q) total_q <= (first_q ? '0 : total_q) + some_q;
    if (square_valid) squares_q <= (square_first ? '0 : squares_q) + WideBits'(some_squares_q);
  end

  // The variance.
  logic [SumBits-1:0] total, late_total;
  logic [WideBits-1:0] scaled_squares, square_of_total, variance_q, radicand_q;

  hyq_delay #(
    .Width(SumBits), .Stages(ToSquares - ToTotal)
  ) u_total (
    .clk_i, .en_i(1'b1), .data_i(total_q), .data_o(total)
  );
  hyq_delay #(
    .Width(SumBits), .Stages(ToRadicand - ToSquares)
  ) u_late_total (
    .clk_i, .en_i(1'b1), .data_i(total), .data_o(late_total)
  );
  hyq_wide_product #(
    .ABits(CountBits + 1), .BBits(WideBits), .ProductBits(WideBits)
  ) u_scaled_squares (
    .clk_i, .en_i(1'b1), .a_i({1'b0, channels_i}), .b_i(squares_q), .product_o(scaled_squares)
  );
  hyq_wide_product #(
    .ABits(SumBits), .BBits(SumBits), .ProductBits(WideBits)
  ) u_square_of_total (
    .clk_i, .en_i(1'b1), .a_i(total), .b_i(total), .product_o(square_of_total)
  );

  always_ff @(posedge clk_i) begin : variance
    variance_q <= scaled_squares - square_of_total + epsilon_i;
    radicand_q <= variance_q << {root_bits_i, 1'b0};
  end

  // Radicands wait with their sums.
  logic [2*RootBits-1:0] radicand;
  logic [SumBits-1:0] radicand_total, root_total;
  logic [RootBits-1:0] root;
  logic next_valid, next_ready, root_valid, root_ready, fifo_ready;

  hyq_fifo #(
    .Width(2 * RootBits + SumBits),
    .Depth(Waiting)
  ) u_radicands (
    .clk_i,
    .rst_ni,
    .in_data_i  ({late_total, radicand_q[2*RootBits-1:0]}),
    .in_valid_i (radicand_valid),
    .in_ready_o (fifo_ready),
    .out_data_o ({radicand_total, radicand}),
    .out_valid_o(next_valid),
    .out_ready_i(next_ready)
  );
  hyq_square_root #(
    .Steps        (RootBits),
    .RemainderBits(RootBits + 2),
    .TagBits      (SumBits)
  ) u_root (
    .clk_i,
    .rst_ni,
    .radicand_i (radicand),
    .tag_i      (radicand_total),
    .in_valid_i (next_valid),
    .in_ready_o (next_ready),
    .root_o     (root),
    .tag_o      (root_total),
    .out_valid_o(root_valid),
    .out_ready_i(root_ready)
  );
  hyq_engine_reciprocal #(
    .DivisorBits (RootBits),
    .QuotientBits(WideBits - 1),
    .TagBits     (SumBits)
  ) u_reciprocal (
    .clk_i,
    .rst_ni,
    .bits_i     (reciprocal_bits_i),
    .divisor_i  (root),
    .tag_i      (root_total),
    .in_valid_i (root_valid),
    .in_ready_o (root_ready),
    .quotient_o (reciprocal_o),
    .tag_o      (total_o),
    .out_valid_o(valid_o),
    .out_ready_i(ready_i)
  );

  hyq_engine_checker #(
    .Message("a pixel waits where others do, or comes from the instruction before")
  ) u_checker (
    .clk_i, .rst_ni, .holds_i((!radicand_valid || fifo_ready) && !(start_i && valid_o))
  );

  logic unused;
  assign unused = ^radicand_q;

endmodule
