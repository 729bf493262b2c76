// SPDX-License-Identifier: Apache-2.0
// The module is the last part of a softmax. It turns exponentials mantissa << exponent into the
// probabilities of their row.
//
// They are summed row by row, and a row buffer holds them until their sum is there. Without
// HasExponents an exponential is its mantissa, and there is no stage that shifts it for the sum.
module hyq_softmax_probabilities #(
  parameter int unsigned Lanes,
  parameter int unsigned Beats,     // beats of a row
  parameter int unsigned Depth,     // beats in the row buffer
  parameter bit          HasExponents,
  parameter int unsigned MantissaBits,
  parameter int unsigned ExponentBits,
  parameter int unsigned ExponentialBits,
  parameter int unsigned TotalBits,
  parameter int unsigned OutBits,
  parameter bit          IsLog2,    // else the output is uniform
  parameter bit          IsRounded  // log2 of the rounded total / e; without HasExponents
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic [Lanes*MantissaBits-1:0] mantissa_i,
  input  logic [Lanes*ExponentBits-1:0] exponent_i,   // 0 without HasExponents
  input  logic                          in_valid_i,
  output logic                          in_ready_o,
  output logic [Lanes*OutBits-1:0]      out_data_o,
  output logic                          out_valid_o,
  input  logic                          out_ready_i
);

  if (IsRounded && HasExponents) begin : gen_bad_rounding
    $error("hyq_softmax_probabilities: IsRounded is only for exponentials without exponents");
  end

  // A term of the sum has a sign bit, which is 0. Where a row is one code, its sum needs no sign
  // bit.
  localparam int unsigned TermBits = TotalBits > ExponentialBits ? ExponentialBits + 1 : TotalBits;

  // A slice cuts the stall of the sum: the exponentials see a ready from a register.
  localparam int unsigned LaneBits = HasExponents ? MantissaBits + ExponentBits : MantissaBits;
  logic [Lanes*LaneBits-1:0] offered, exponential;
  logic exponential_valid, exponential_ready;

  hyq_register_slice #(
    .Width(Lanes * LaneBits)
  ) u_exponential (
    .clk_i,
    .rst_ni,
    .in_data_i  (offered),
    .in_valid_i,
    .in_ready_o,
    .out_data_o (exponential),
    .out_valid_o(exponential_valid),
    .out_ready_i(exponential_ready)
  );

  if (HasExponents) begin : gen_exponents
    assign offered = {exponent_i, mantissa_i};
  end else begin : gen_no_exponents
    assign offered = mantissa_i;

    logic unused_exponent;
    assign unused_exponent = ^exponent_i;
  end

  logic [Lanes*TermBits-1:0] terms;
  logic [TotalBits-1:0] sum, total;
  logic en, terms_valid, term_ready, buffer_ready;
  logic sum_valid, sum_taken, total_valid, total_taken;

  assign exponential_ready = buffer_ready && term_ready;

  if (HasExponents) begin : gen_shift
    logic [Lanes*MantissaBits-1:0] mantissa;
    logic [Lanes*ExponentBits-1:0] exponent;
    logic [Lanes*TermBits-1:0] terms_q;

    assign {exponent, mantissa} = exponential;

    hyq_valid_chain #(.Stages(1)) u_terms_valid (
      .clk_i,
      .rst_ni,
      .en_i   (en),
      .valid_i(exponential_valid && buffer_ready),
      .valid_o(terms_valid)
    );

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      always_ff @(posedge clk_i) begin : shift
        if (en) begin
          terms_q[l*TermBits+:TermBits] <= TermBits'(mantissa[l*MantissaBits+:MantissaBits])
              << exponent[l*ExponentBits+:ExponentBits];
        end
      end
    end

    assign terms = terms_q;
  end else begin : gen_direct
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      assign terms[l*TermBits+:TermBits] = TermBits'(exponential[l*LaneBits+:LaneBits]);
    end

    assign terms_valid = exponential_valid && buffer_ready;

    logic unused_en;
    assign unused_en = en;
  end

  hyq_row_sum #(
    .Lanes   (Lanes),
    .TermBits(TermBits),
    .SumBits (TotalBits),
    .Beats   (Beats)
  ) u_sum (
    .clk_i,
    .rst_ni,
    .in_data_i  (terms),
    .in_valid_i (terms_valid),
    .in_ready_o (term_ready),
    .en_o       (en),
    .out_data_o (sum),
    .out_valid_o(sum_valid),
    .out_ready_i(sum_taken)
  );

  // The stall of the probabilities ends here: the sum sees a ready from a register.
  hyq_register_slice #(
    .Width(TotalBits)
  ) u_total (
    .clk_i,
    .rst_ni,
    .in_data_i  (sum),
    .in_valid_i (sum_valid),
    .in_ready_o (sum_taken),
    .out_data_o (total),
    .out_valid_o(total_valid),
    .out_ready_i(total_taken)
  );

  // Exponentials and sums of the same row meet again.
  logic [Lanes*LaneBits-1:0] exponentials;
  logic [Lanes*MantissaBits-1:0] mantissas;
  logic [Lanes*ExponentBits-1:0] exponents;
  logic exponentials_valid, exponentials_ready;

  if (HasExponents) begin : gen_stored_exponents
    assign {exponents, mantissas} = exponentials;
  end else begin : gen_stored_mantissas
    assign exponents = '0;
    assign mantissas = exponentials;
  end

  hyq_row_buffer #(
    .Width(Lanes * LaneBits),
    .Beats(Beats),
    .Depth(Depth)
  ) u_exponentials (
    .clk_i,
    .rst_ni,
    .in_data_i     (exponential),
    .in_valid_i    (exponential_valid && term_ready),
    .in_ready_o    (buffer_ready),
    .result_valid_i(total_valid),
    .result_ready_o(total_taken),
    .out_data_o    (exponentials),
    .out_valid_o   (exponentials_valid),
    .out_ready_i   (exponentials_ready)
  );

  if (IsLog2 && IsRounded) begin : gen_log2_rounded
    hyq_log2_rounded_probability #(
      .Lanes          (Lanes),
      .ExponentialBits(ExponentialBits),
      .TotalBits      (TotalBits),
      .OutBits        (OutBits)
    ) u_probability (
      .clk_i,
      .rst_ni,
      .exponential_i(mantissas),
      .total_i      (total),
      .in_valid_i   (exponentials_valid),
      .in_ready_o   (exponentials_ready),
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );

    logic unused_exponents;
    assign unused_exponents = ^exponents;
  end else if (IsLog2) begin : gen_log2
    hyq_log2_probability #(
      .Lanes       (Lanes),
      .MantissaBits(MantissaBits),
      .ExponentBits(ExponentBits),
      .TotalBits   (TotalBits),
      .OutBits     (OutBits)
    ) u_probability (
      .clk_i,
      .rst_ni,
      .mantissa_i(mantissas),
      .exponent_i(exponents),
      .total_i   (total),
      .in_valid_i(exponentials_valid),
      .in_ready_o(exponentials_ready),
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );
  end else begin : gen_uniform
    hyq_uniform_probability #(
      .Lanes          (Lanes),
      .MantissaBits   (MantissaBits),
      .ExponentBits   (ExponentBits),
      .ExponentialBits(ExponentialBits),
      .TotalBits      (TotalBits),
      .OutBits        (OutBits)
    ) u_probability (
      .clk_i,
      .rst_ni,
      .mantissa_i(mantissas),
      .exponent_i(exponents),
      .total_i   (total),
      .in_valid_i(exponentials_valid),
      .in_ready_o(exponentials_ready),
      .out_data_o,
      .out_valid_o,
      .out_ready_i
    );
  end

endmodule
