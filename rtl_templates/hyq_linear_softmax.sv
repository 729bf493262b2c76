// The module is a softmax of every row by shifts and adds. Reference:
// hyq_hls/ops/linear_softmax.py, LinearSoftmax.
//
// Three parts work on three rows, each one beat per cycle. They make the row's maximum, the
// exponentials with their sum, and the probabilities. Row buffers between them hold the beats until
// the result of their row is there.
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

  localparam int unsigned Beats = Channels / InLanes;
  localparam int unsigned MantissaBits = Fraction + 1;
  localparam int unsigned ExponentBits = ShiftBits > 0 ? $clog2(ShiftBits + 1) : 1;

  if (Channels % InLanes != 0 || InLanes != OutLanes) begin : gen_bad_lanes
    $error("hyq_linear_softmax: InLanes divides Channels, and OutLanes is InLanes");
  end

  // The codes wait for the largest code of their row.
  logic [InLanes*InBits-1:0] codes;
  logic [InBits-1:0] maximum;
  logic codes_valid, codes_ready, en;

  hyq_softmax_codes #(
    .Lanes (InLanes),
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
    .code_o     (codes),
    .maximum_o  (maximum),
    .out_valid_o(codes_valid),
    .out_ready_i(codes_ready)
  );

  // Exponentials take two stages.
  logic [InLanes*MantissaBits-1:0] mantissas;
  logic [InLanes*ExponentBits-1:0] exponents;
  logic exponentials_valid, exponentials_ready;

  hyq_stream_pipeline #(.Stages(2)) u_exponential_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i (codes_valid),
    .in_ready_o (codes_ready),
    .en_o       (en),
    .out_valid_o(exponentials_valid),
    .out_ready_i(exponentials_ready)
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

  // The exponentials give their sum and the probabilities.
  hyq_softmax_probabilities #(
    .Lanes          (InLanes),
    .Beats          (Beats),
    .Depth          (ExponentialDepth),
    .HasExponents   (1'b1),
    .MantissaBits   (MantissaBits),
    .ExponentBits   (ExponentBits),
    .ExponentialBits(ExponentialBits),
    .TotalBits      (TotalBits),
    .OutBits        (OutBits),
    .IsLog2         (IsLog2 != 0),
    .IsRounded      (1'b0)
  ) u_probabilities (
    .clk_i,
    .rst_ni,
    .mantissa_i(mantissas),
    .exponent_i(exponents),
    .in_valid_i(exponentials_valid),
    .in_ready_o(exponentials_ready),
    .out_data_o,
    .out_valid_o,
    .out_ready_i
  );

endmodule
