// SPDX-License-Identifier: Apache-2.0
// The module gives every value of a row the sum of its row, and the reciprocal of its standard
// deviation. It is the common part of hyq_layer_norm, whose row is a position, and hyq_group_norm,
// whose row is a frame.
//
// Three parts work on different rows: sum and variance, square root, and reciprocal. The sum goes
// along with the results. A row buffer holds the values until their reciprocal is there.
module hyq_norm_rows #(
  parameter int unsigned   Elements,  // of a row; at most 2**30
  parameter int unsigned   Lanes,     // divides Elements
  parameter int unsigned   ValueBits,
  parameter int unsigned   TotalBits,
  parameter int unsigned   SquaresBits,
  parameter int unsigned   RootFraction,
  parameter int unsigned   RootSteps,
  parameter int unsigned   RemainderBits,
  parameter int unsigned   ReciprocalFraction,
  parameter int unsigned   ReciprocalBits,
  parameter int unsigned   Depth,  // beats in the row buffer
  parameter hyq_pkg::rom_t Epsilon,
  parameter                EpsilonFile
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,

  input  logic [Lanes*ValueBits-1:0] in_data_i,
  input  logic                       in_valid_i,
  output logic                       in_ready_o,

  // The results hold for all beats of their row.
  output logic [Lanes*ValueBits-1:0] out_data_o,
  output logic [TotalBits-1:0]       total_o,
  output logic [ReciprocalBits-1:0]  reciprocal_o,
  output logic                       out_valid_o,
  input  logic                       out_ready_i
);

  localparam int unsigned VarianceBits = 2 * (RootSteps - RootFraction);

  logic variance_ready, buffer_ready;
  logic [TotalBits-1:0] variance_total, root_total;
  logic [VarianceBits-1:0] variance;
  logic [2*RootSteps-1:0] radicand;
  logic [RootSteps-1:0] root;
  logic variance_valid, variance_taken, root_valid, root_taken, result_valid, result_taken;

  assign in_ready_o = variance_ready && buffer_ready;

  hyq_norm_variance #(
    .Elements    (Elements),
    .Lanes       (Lanes),
    .ValueBits   (ValueBits),
    .TotalBits   (TotalBits),
    .SquaresBits (SquaresBits),
    .VarianceBits(VarianceBits),
    .Epsilon     (Epsilon),
    .EpsilonFile (EpsilonFile)
  ) u_variance (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i (in_valid_i && buffer_ready),
    .in_ready_o (variance_ready),
    .total_o    (variance_total),
    .variance_o (variance),
    .out_valid_o(variance_valid),
    .out_ready_i(variance_taken)
  );

  assign radicand = (2*RootSteps)'(variance) << (2 * RootFraction);

  hyq_square_root #(
    .Steps        (RootSteps),
    .RemainderBits(RemainderBits),
    .TagBits      (TotalBits)
  ) u_root (
    .clk_i,
    .rst_ni,
    .radicand_i (radicand),
    .tag_i      (variance_total),
    .in_valid_i (variance_valid),
    .in_ready_o (variance_taken),
    .root_o     (root),
    .tag_o      (root_total),
    .out_valid_o(root_valid),
    .out_ready_i(root_taken)
  );

  hyq_reciprocal #(
    .Exponent    (ReciprocalFraction),
    .DivisorBits (RootSteps),
    .QuotientBits(ReciprocalBits),
    .TagBits     (TotalBits)
  ) u_reciprocal (
    .clk_i,
    .rst_ni,
    .divisor_i  (root),
    .tag_i      (root_total),
    .in_valid_i (root_valid),
    .in_ready_o (root_taken),
    .quotient_o (reciprocal_o),
    .tag_o      (total_o),
    .out_valid_o(result_valid),
    .out_ready_i(result_taken)
  );

  // Values and results of the same row meet again.
  hyq_row_buffer #(
    .Width(Lanes * ValueBits),
    .Beats(Elements / Lanes),
    .Depth(Depth)
  ) u_values (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i    (in_valid_i && variance_ready),
    .in_ready_o    (buffer_ready),
    .result_valid_i(result_valid),
    .result_ready_o(result_taken),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
