// Softmax of rows of codes, one code per cycle: the row's maximum, exponentials, their sum, log2
// codes of the probabilities. Row buffers hold the beats until their row's result is there, so that
// rows follow each other without gap. Reference: benchmarks/circuits/softmax_reference.py.
module softmax_unit #(
  parameter int unsigned Circuit,           // of softmax_exponential, as what follows
  parameter bit          IsScaled,
  parameter bit          IsFlat,
  parameter int unsigned Limit,
  parameter int unsigned Step,
  parameter int unsigned Offset,
  parameter int unsigned Slope,
  parameter int unsigned OctaveBits,
  parameter int unsigned RemainderBits,
  parameter int unsigned LargestShift,
  parameter int unsigned ValueBits,
  parameter int unsigned ShiftBits,
  parameter              TableFile = "",
  parameter bit          IsDivided,         // probabilities by a division, else by comparison
  parameter int unsigned Beats,             // codes of a row, 3 or more
  parameter int unsigned Bits,              // of a code, unsigned
  parameter int unsigned OutBits,
  parameter int unsigned ExponentialBits,
  parameter int unsigned TotalBits          // more than ExponentialBits
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic [Bits-1:0]    in_data_i,
  input  logic               in_valid_i,
  output logic               in_ready_o,
  output logic [OutBits-1:0] out_data_o,
  output logic               out_valid_o,
  input  logic               out_ready_i
);

  logic [Bits-1:0] distance;
  logic distance_valid, exponential_en;

  softmax_front #(
    .Bits (Bits),
    .Beats(Beats)
  ) u_front (
    .clk_i,
    .rst_ni,
    .in_data_i,
    .in_valid_i,
    .in_ready_o,
    .distance_o (distance),
    .out_valid_o(distance_valid),
    .out_ready_i(exponential_en)
  );

  logic [ValueBits-1:0] value;
  logic [ShiftBits-1:0] shift;
  logic value_valid, buffer_ready, sum_ready, unused_en;

  assign exponential_en = !value_valid || (buffer_ready && sum_ready);

  softmax_exponential #(
    .Circuit      (Circuit),
    .IsScaled     (IsScaled),
    .IsFlat       (IsFlat),
    .Bits         (Bits),
    .Limit        (Limit),
    .Step         (Step),
    .Offset       (Offset),
    .Slope        (Slope),
    .OctaveBits   (OctaveBits),
    .RemainderBits(RemainderBits),
    .LargestShift (LargestShift),
    .ValueBits    (ValueBits),
    .ShiftBits    (ShiftBits),
    .TableFile    (TableFile)
  ) u_exponential (
    .clk_i,
    .rst_ni,
    .en_i      (exponential_en),
    .distance_i(distance),
    .valid_i   (distance_valid),
    .value_o   (value),
    .shift_o   (shift),
    .valid_o   (value_valid)
  );

  // Their sum: the exponentials themselves appear only here.
  logic [ExponentialBits:0] exponential;  // with a sign bit, 0
  logic [TotalBits-1:0] total;
  logic total_valid, total_taken;

  assign exponential = (ExponentialBits + 1)'(value) << shift;

  hyq_row_sum #(
    .Lanes   (1),
    .TermBits(ExponentialBits + 1),
    .SumBits (TotalBits),
    .Beats   (Beats)
  ) u_total (
    .clk_i,
    .rst_ni,
    .in_data_i  (exponential),
    .in_valid_i (value_valid && buffer_ready),
    .in_ready_o (sum_ready),
    .en_o       (unused_en),
    .out_data_o (total),
    .out_valid_o(total_valid),
    .out_ready_i(total_taken)
  );

  logic [ValueBits-1:0] waiting_value;
  logic [ShiftBits-1:0] waiting_shift;
  logic waiting_valid, waiting_taken;

  softmax_row_buffer #(
    .Width(ValueBits + ShiftBits),
    .Beats(Beats)
  ) u_exponentials (
    .clk_i,
    .rst_ni,
    .in_data_i     ({shift, value}),
    .in_valid_i    (value_valid && sum_ready),
    .in_ready_o    (buffer_ready),
    .result_valid_i(total_valid),
    .result_ready_o(total_taken),
    .out_data_o    ({waiting_shift, waiting_value}),
    .out_valid_o   (waiting_valid),
    .out_ready_i   (waiting_taken)
  );

  if (IsDivided) begin : gen_division
    softmax_quotient #(
      .ValueBits(ValueBits),
      .ShiftBits(ShiftBits),
      .TotalBits(TotalBits),
      .OutBits  (OutBits)
    ) u_probability (
      .clk_i,
      .rst_ni,
      .value_i    (waiting_value),
      .shift_i    (waiting_shift),
      .total_i    (total),
      .in_valid_i (waiting_valid),
      .in_ready_o (waiting_taken),
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );
  end else begin : gen_comparison
    hyq_log2_probability #(
      .Lanes       (1),
      .MantissaBits(ValueBits),
      .ExponentBits(ShiftBits),
      .TotalBits   (TotalBits),
      .OutBits     (OutBits)
    ) u_probability (
      .clk_i,
      .rst_ni,
      .mantissa_i (waiting_value),
      .exponent_i (waiting_shift),
      .total_i    (total),
      .in_valid_i (waiting_valid),
      .in_ready_o (waiting_taken),
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );
  end

endmodule
