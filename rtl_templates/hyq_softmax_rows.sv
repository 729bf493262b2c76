// SPDX-License-Identifier: Apache-2.0
// The module is a softmax of every row without its exponentials, which the caller makes from codes
// and the maximum of their row, in two stages under en_o.
//
// Three parts work on three rows, each one beat per cycle. They make the row's maximum, the
// exponentials with their sum, and the probabilities. Row buffers between them hold the beats until
// the result of their row is there.
module hyq_softmax_rows #(
  parameter int unsigned Channels,         // codes of a row
  parameter int unsigned Lanes,            // divides Channels
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter bit          IsLog2,           // else the output is uniform
  parameter bit          IsRounded,        // log2 of the rounded total / e; without HasExponents
  parameter bit          HasExponents,
  parameter int unsigned MantissaBits,
  parameter int unsigned ExponentBits,
  parameter int unsigned ExponentialBits,
  parameter int unsigned TotalBits,
  parameter int unsigned CodeDepth,        // beats in the row buffer of the codes
  parameter int unsigned ExponentialDepth  // beats in that of the exponentials
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic [Lanes*InBits-1:0]       in_data_i,
  input  logic                          in_valid_i,
  output logic                          in_ready_o,
  output logic                          en_o,
  output logic [Lanes*InBits-1:0]       code_o,      // unsigned: only differences count
  output logic [InBits-1:0]             maximum_o,
  input  logic [Lanes*MantissaBits-1:0] mantissa_i,  // of the codes two stages before
  input  logic [Lanes*ExponentBits-1:0] exponent_i,  // 0 without HasExponents
  output logic [Lanes*OutBits-1:0]      out_data_o,
  output logic                          out_valid_o,
  input  logic                          out_ready_i
);

  localparam int unsigned Beats = Channels / Lanes;

  // The codes wait for the largest code of their row.
  logic codes_valid, codes_ready;

  hyq_softmax_codes #(
    .Lanes (Lanes),
    .Bits  (InBits),
    .Signed(InSigned),
    .Beats (Beats),
    .Depth (CodeDepth)
  ) u_codes (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .code_o,
    .maximum_o,
    .out_valid_o(codes_valid),
    .out_ready_i(codes_ready)
  );

  logic exponentials_valid, exponentials_ready;

  hyq_stream_pipeline #(.Stages(2)) u_exponential_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i (codes_valid),
    .in_ready_o (codes_ready),
    .en_o,
    .out_valid_o(exponentials_valid),
    .out_ready_i(exponentials_ready)
  );

  // The exponentials give their sum and the probabilities.
  hyq_softmax_probabilities #(
    .Lanes          (Lanes),
    .Beats          (Beats),
    .Depth          (ExponentialDepth),
    .HasExponents   (HasExponents),
    .MantissaBits   (MantissaBits),
    .ExponentBits   (ExponentBits),
    .ExponentialBits(ExponentialBits),
    .TotalBits      (TotalBits),
    .OutBits        (OutBits),
    .IsLog2         (IsLog2),
    .IsRounded      (IsRounded)
  ) u_probabilities (
    .clk_i,
    .rst_ni,
    .mantissa_i,
    .exponent_i,
    .in_valid_i(exponentials_valid),
    .in_ready_o(exponentials_ready),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
