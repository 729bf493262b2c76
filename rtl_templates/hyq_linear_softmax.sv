// SPDX-License-Identifier: Apache-2.0
// The module is a softmax of every row by shifts and adds. Reference:
// hyq_hls/ops/linear_softmax.py, LinearSoftmax.
//
// hyq_linear_exponential makes the exponentials, and hyq_softmax_rows the rest.
module hyq_linear_softmax #(
  parameter int unsigned Channels,         // codes of a row
  parameter int unsigned InLanes,
  parameter int unsigned OutLanes,         // equal to InLanes
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter int unsigned IsLog2,           // else the output is uniform
  parameter int unsigned Fraction,
  parameter int unsigned LineOffset,
  parameter int unsigned ShiftBits,
  parameter int unsigned ExponentialBits,
  parameter int unsigned TotalBits,
  parameter int unsigned CodeDepth,        // beats in the row buffer of the codes
  parameter int unsigned ExponentialDepth  // beats in that of the exponentials
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

  localparam int unsigned MantissaBits = Fraction + 1;
  localparam int unsigned ExponentBits = ShiftBits > 0 ? $clog2(ShiftBits + 1) : 1;

  if (Channels % InLanes != 0 || InLanes != OutLanes) begin : gen_bad_lanes
    $error("hyq_linear_softmax: InLanes divides Channels, and OutLanes is InLanes");
  end

  logic en;
  logic [InLanes*InBits-1:0] codes;
  logic [InBits-1:0] maximum;
  logic [InLanes*MantissaBits-1:0] mantissas;
  logic [InLanes*ExponentBits-1:0] exponents;

  hyq_softmax_rows #(
    .Channels        (Channels),
    .Lanes           (InLanes),
    .InBits          (InBits),
    .InSigned        (InSigned),
    .OutBits         (OutBits),
    .IsLog2          (IsLog2 != 0),
    .IsRounded       (1'b0),
    .HasExponents    (1'b1),
    .MantissaBits    (MantissaBits),
    .ExponentBits    (ExponentBits),
    .ExponentialBits (ExponentialBits),
    .TotalBits       (TotalBits),
    .CodeDepth       (CodeDepth),
    .ExponentialDepth(ExponentialDepth)
  ) u_rows (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .en_o      (en),
    .code_o    (codes),
    .maximum_o (maximum),
    .mantissa_i(mantissas),
    .exponent_i(exponents),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

  hyq_linear_exponential #(
    .Lanes       (InLanes),
    .Bits        (InBits),
    .Fraction    (Fraction),
    .LineOffset  (LineOffset),
    .ShiftBits   (ShiftBits),
    .MantissaBits(MantissaBits),
    .ExponentBits(ExponentBits)
  ) u_exponential (
    .clk_i,
    .en_i      (en),
    .code_i    (codes),
    .maximum_i (maximum),
    .mantissa_o(mantissas),
    .exponent_o(exponents)
  );

endmodule
