// Softmax of every row with a table of exponentials, one copy per lane.
// Reference: hyq_hls/ops/table_softmax.py, TableSoftmax.
//
// As hyq_linear_softmax: three stages work on three rows, each one beat per cycle, and row buffers
// between them hold the beats until their row's result is there.
module hyq_table_softmax #(
  parameter int unsigned Channels,             // codes of a row
  parameter int unsigned InLanes,
  parameter int unsigned OutLanes,             // equal to InLanes
  parameter int unsigned InBits,
  parameter bit          InSigned,
  parameter int unsigned OutBits,
  parameter int unsigned IsLog2,               // else uniform
  parameter int unsigned IsRounded,            // log2 of total / e rounded to an integer
  parameter int unsigned ExponentialBits,
  parameter int unsigned TotalBits,
  parameter              ExponentialsFile,     // of every distance from the row's maximum
  parameter int unsigned ExponentialsEntries,  // 2**InBits
  parameter int unsigned CodeDepth,            // beats in the row buffer of the codes
  parameter int unsigned ExponentialDepth      // and in that of the exponentials
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
  // With a sign bit, 0; where a row is one code, its sum needs none.
  localparam int unsigned TermBits = TotalBits > ExponentialBits ? ExponentialBits + 1 : TotalBits;

  // Maximum. An inverted sign bit makes signed codes unsigned and keeps their differences.
  logic [InLanes*InBits-1:0] offset_codes, codes;
  logic [InBits-1:0] maximum;
  logic code_ready, maximum_ready, codes_valid, codes_ready, maximum_valid, maximum_taken;

  assign offset_codes = in_data_i ^ {InLanes{InSigned, {(InBits - 1) {1'b0}}}};
  assign in_ready_o = code_ready && maximum_ready;

  hyq_row_maximum #(
    .Lanes(InLanes),
    .Bits (InBits),
    .Beats(Beats)
  ) u_maximum (
    .clk_i,
    .rst_ni,
    .in_data_i  (offset_codes),
    .in_valid_i (in_valid_i && code_ready),
    .in_ready_o (maximum_ready),
    .out_data_o (maximum),
    .out_valid_o(maximum_valid),
    .out_ready_i(maximum_taken)
  );

  hyq_row_buffer #(
    .Width(InLanes * InBits),
    .Beats(Beats),
    .Depth(CodeDepth)
  ) u_codes (
    .clk_i,
    .rst_ni,
    .in_data_i     (offset_codes),
    .in_valid_i    (in_valid_i && maximum_ready),
    .in_ready_o    (code_ready),
    .result_valid_i(maximum_valid),
    .result_ready_o(maximum_taken),
    .out_data_o    (codes),
    .out_valid_o   (codes_valid),
    .out_ready_i   (codes_ready)
  );

  // Exponentials: the distance from the maximum, and its entry.
  logic [InLanes*ExponentialBits-1:0] exponentials;
  logic [InLanes*TermBits-1:0] summands;
  logic [1:0] exponential_valid_q;
  logic exponentials_valid, exponentials_ready;

  assign codes_ready = !exponentials_valid || exponentials_ready;
  assign exponentials_valid = exponential_valid_q[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin : exponential_control
    if (!rst_ni) begin
      exponential_valid_q <= '0;
    end else if (codes_ready) begin
      exponential_valid_q <= {exponential_valid_q[0], codes_valid};
    end
  end

  for (genvar l = 0; l < InLanes; l++) begin : gen_exponential
    logic [InBits-1:0] distance_q;

    always_ff @(posedge clk_i) begin : distance
      if (codes_ready) distance_q <= maximum - codes[l*InBits+:InBits];
    end

    hyq_rom #(
      .Width(ExponentialBits),
      .Depth(ExponentialsEntries),
      .File (ExponentialsFile)
    ) u_exponentials_rom (
      .clk_i,
      .en_i  (codes_ready),
      .addr_i(distance_q),
      .data_o(exponentials[l*ExponentialBits+:ExponentialBits])
    );

    assign summands[l*TermBits+:TermBits] =
        TermBits'(exponentials[l*ExponentialBits+:ExponentialBits]);
  end

  // Their sum.
  logic [TotalBits-1:0] total;
  logic sum_ready, total_valid, total_taken, term_ready;

  assign exponentials_ready = term_ready && sum_ready;

  hyq_row_sum #(
    .Lanes   (InLanes),
    .TermBits(TermBits),
    .SumBits (TotalBits),
    .Beats   (Beats)
  ) u_total (
    .clk_i,
    .rst_ni,
    .in_data_i  (summands),
    .in_valid_i (exponentials_valid && term_ready),
    .in_ready_o (sum_ready),
    .out_data_o (total),
    .out_valid_o(total_valid),
    .out_ready_i(total_taken)
  );

  logic [InLanes*ExponentialBits-1:0] terms;
  logic terms_valid, terms_ready;

  hyq_row_buffer #(
    .Width(InLanes * ExponentialBits),
    .Beats(Beats),
    .Depth(ExponentialDepth)
  ) u_exponentials (
    .clk_i,
    .rst_ni,
    .in_data_i     (exponentials),
    .in_valid_i    (exponentials_valid && sum_ready),
    .in_ready_o    (term_ready),
    .result_valid_i(total_valid),
    .result_ready_o(total_taken),
    .out_data_o    (terms),
    .out_valid_o   (terms_valid),
    .out_ready_i   (terms_ready)
  );

  // Probabilities.
  if (IsLog2 != 0 && IsRounded != 0) begin : gen_log2_rounded
    hyq_log2_rounded_probability #(
      .Lanes          (InLanes),
      .ExponentialBits(ExponentialBits),
      .TotalBits      (TotalBits),
      .OutBits        (OutBits)
    ) u_probability (
      .clk_i,
      .rst_ni,
      .exponential_i(terms),
      .total_i      (total),
      .in_valid_i   (terms_valid),
      .in_ready_o   (terms_ready),
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );
  end else if (IsLog2 != 0) begin : gen_log2
    hyq_log2_probability #(
      .Lanes       (InLanes),
      .MantissaBits(ExponentialBits),
      .ExponentBits(1),
      .TotalBits   (TotalBits),
      .OutBits     (OutBits)
    ) u_probability (
      .clk_i,
      .rst_ni,
      .mantissa_i(terms),
      .exponent_i('0),
      .total_i   (total),
      .in_valid_i(terms_valid),
      .in_ready_o(terms_ready),
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );
  end else begin : gen_uniform
    hyq_uniform_probability #(
      .Lanes          (InLanes),
      .MantissaBits   (ExponentialBits),
      .ExponentBits   (1),
      .ExponentialBits(ExponentialBits),
      .TotalBits      (TotalBits),
      .OutBits        (OutBits)
    ) u_probability (
      .clk_i,
      .rst_ni,
      .mantissa_i(terms),
      .exponent_i('0),
      .total_i   (total),
      .in_valid_i(terms_valid),
      .in_ready_o(terms_ready),
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );
  end

endmodule
