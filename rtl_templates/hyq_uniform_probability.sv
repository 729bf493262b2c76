// SPDX-License-Identifier: Apache-2.0
// The module makes probabilities with OutBits fraction bits, rounded half up, one beat per cycle:
//
//   code = min(2**OutBits - 1, ((e << OutBits) + (total >> 1)) / total),  e = mantissa << exponent
//
// It is a rigid pipeline: exponential, dividend, and the OutBits + 1 stages of a divider in each
// lane.
module hyq_uniform_probability #(
  parameter int unsigned Lanes,
  parameter int unsigned MantissaBits,
  parameter int unsigned ExponentBits,
  parameter int unsigned ExponentialBits,
  parameter int unsigned TotalBits,
  parameter int unsigned OutBits
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  input  logic [Lanes*MantissaBits-1:0] mantissa_i,
  input  logic [Lanes*ExponentBits-1:0] exponent_i,
  input  logic [TotalBits-1:0]          total_i,      // total of the beat's row
  input  logic                          in_valid_i,
  output logic                          in_ready_o,
  output logic [Lanes*OutBits-1:0]      out_data_o,
  output logic                          out_valid_o,
  input  logic                          out_ready_i
);

  localparam int unsigned QuotientBits = OutBits + 1;  // e / total is at most 1
  localparam int unsigned Stages = 2 + QuotientBits;
  localparam int unsigned ScaledBits = ExponentialBits + OutBits;
  localparam int unsigned DividendBits = (ScaledBits > TotalBits ? ScaledBits : TotalBits) + 1;

  logic en;

  hyq_stream_pipeline #(.Stages(Stages)) u_pipeline (
    .clk_i, .rst_ni, .in_valid_i, .in_ready_o, .en_o(en), .out_valid_o, .out_ready_i
  );

  logic [TotalBits-1:0] total_q1, total_q2;

  always_ff @(posedge clk_i) begin : delay_total
    if (en) begin
      total_q1 <= total_i;
      total_q2 <= total_q1;
    end
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [ExponentialBits-1:0] exponential_q;
    logic [DividendBits-1:0] dividend_q;
    logic [QuotientBits-1:0] quotient;

    always_ff @(posedge clk_i) begin : dividend
      if (en) begin
        exponential_q <= ExponentialBits'(mantissa_i[l*MantissaBits+:MantissaBits])
            << exponent_i[l*ExponentBits+:ExponentBits];
        dividend_q <= (DividendBits'(exponential_q) << OutBits) + DividendBits'(total_q1 >> 1);
      end
    end

    hyq_divider #(
      .NumeratorBits  (DividendBits),
      .DenominatorBits(TotalBits),
      .QuotientBits   (QuotientBits)
    ) u_divider (
      .clk_i,
      .en_i         (en),
      .numerator_i  (dividend_q),
      .denominator_i(total_q2),
      .quotient_o   (quotient)
    );

    assign out_data_o[l*OutBits+:OutBits] = quotient[OutBits] ? '1 : quotient[OutBits-1:0];
  end

  hyq_stream_checker #(.Width(Lanes * OutBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
