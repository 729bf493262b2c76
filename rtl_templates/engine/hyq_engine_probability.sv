// SPDX-License-Identifier: Apache-2.0
// The module turns an exponential and the sum of its row into a code. Reference: "softmax" in
// docs/engine.md. It takes one in every cycle and has Latency stages; the sum of the row moves
// along with it, stage by stage, for all lanes.
//
// Uniform codes come from a division without restoring, a bit per stage: a half bit more than any
// code has, so that the last bit decides the rounding. A log2 code counts how often 3 * e can be
// doubled without exceeding a limit: the distance of their leading ones, and one more if 3 * e is
// not the larger one when both are shifted to the same leading one. The limit is 2 * total, and
// 2 * total + e for rounded codes, which differ for the first two counts only.
module hyq_engine_probability
  import hyq_engine_pkg::*;
#(
  localparam int unsigned Latency = ProbabilityBits + 5,
  localparam int unsigned LeadBits = 6
) (
  input  logic                               clk_i,
  input  logic [ExpBits-1:0]                 exponential_i,
  input  logic [Latency-1:0][TotalBits-1:0]  totals_i,  // [k] is the total k stages later
  input  logic [LeadBits-1:0]                lead_i,    // leading one of 2 * totals_i[1]
  input  softmax_e                           kind_i,    // constant while codes are under way
  input  logic [4:0]                         bits_i,    // of a code; constant too
  output logic [ProbabilityBits-1:0]         code_o
);

  localparam int unsigned Steps = ProbabilityBits + 1;
  localparam int unsigned TripleBits = ExpBits + 2;
  localparam int unsigned LimitBits = TotalBits + 2;

  logic [ProbabilityBits-1:0] top_q;
  logic [3:0] surplus_q;  // bits of the quotient that a code does not have
  logic is_rounded_q;

  always_ff @(posedge clk_i) begin : constants
    top_q        <= ProbabilityBits'((13'd1 << bits_i) - 13'd1);
    surplus_q    <= 4'(5'(ProbabilityBits) - bits_i);
    is_rounded_q <= kind_i == KindLog2Rounded;
  end

  // Division: the remainder, which may be negative, and the bits so far. A bit is one where the
  // remainder is not negative.
  logic [TotalBits:0] remainder_q[Steps+1];
  logic [Steps:0] quotient_q[Steps+1];
  logic [Steps:0] quotient;
  logic [ProbabilityBits+1:0] fraction_q;
  logic [ProbabilityBits:0] rounded;
  logic [ProbabilityBits-1:0] uniform_q;

  always_ff @(posedge clk_i) begin : first_bit
    remainder_q[0] <= (TotalBits + 1)'(exponential_i) - (TotalBits + 1)'(totals_i[0]);
    quotient_q[0]  <= '0;
  end

  for (genvar k = 1; k <= Steps; k++) begin : gen_bit
    logic fits;
    assign fits = !remainder_q[k-1][TotalBits];

    // Twice the remainder, less the total where that was not too much, else with it.
    always_ff @(posedge clk_i) begin : next_bit
      remainder_q[k] <= {remainder_q[k-1][TotalBits-1:0], fits}
                        + ({1'b0, totals_i[k]} ^ {(TotalBits + 1){fits}});
      quotient_q[k]  <= {quotient_q[k-1][Steps-1:0], fits};
    end
  end

  assign quotient = {quotient_q[Steps][Steps-1:0], !remainder_q[Steps][TotalBits]};
  assign rounded  = (ProbabilityBits + 1)'((fraction_q + 1'b1) >> 1);

  always_ff @(posedge clk_i) begin : round
    fraction_q <= quotient >> surplus_q;
    uniform_q  <= rounded > {1'b0, top_q} ? top_q : rounded[ProbabilityBits-1:0];
  end

  // Doublings, stages 1 and 2: 3 * e and the limit.
  logic [TripleBits-1:0] triple_q1;
  logic [LimitBits-1:0] limit_q1;
  logic is_zero_q1, four_q2, above_q2;

  always_ff @(posedge clk_i) begin : triple
    triple_q1  <= TripleBits'({exponential_i, 1'b0}) + TripleBits'(exponential_i);
    limit_q1   <= {1'b0, totals_i[0], 1'b0} + (is_rounded_q ? LimitBits'(exponential_i) : '0);
    is_zero_q1 <= exponential_i == '0;
    // A rounded limit is 4 * e or more.
    four_q2    <= {1'b0, totals_i[1], 1'b0} >= LimitBits'(triple_q1);
    above_q2   <= limit_q1[lead_i+LeadBits'(1)];
  end

  // Stages 2 to 4: the distance of the leading ones.
  logic [LeadBits-1:0] place_q3, lead_q2, lead_q3;
  logic [LeadBits:0] distance_q4;

  hyq_engine_leading_one #(
    .Width(TripleBits)
  ) u_place (
    .clk_i, .value_i(triple_q1), .place_o(place_q3)
  );

  always_ff @(posedge clk_i) begin : distance
    lead_q2     <= lead_i;
    lead_q3     <= lead_q2 + LeadBits'(above_q2);
    distance_q4 <= {1'b0, lead_q3} - {1'b0, place_q3};
  end

  // Stages 5 to 8: 3 * e shifted to the leading one of the limit, and compared.
  logic [TripleBits-1:0] triple_q4;
  logic [LimitBits-1:0] shifted_q5, shifted_q6, shifted_q7, limit_q7;
  logic [LeadBits:0] distance_q5, distance_q6, distance_q8;
  logic not_less_q8, equal_q8, is_zero_q8, four_q8;

  hyq_delay #(.Width(TripleBits), .Stages(3)) u_triple (
    .clk_i, .en_i(1'b1), .data_i(triple_q1), .data_o(triple_q4)
  );
  hyq_delay #(.Width(LimitBits), .Stages(6)) u_limit (
    .clk_i, .en_i(1'b1), .data_i(limit_q1), .data_o(limit_q7)
  );
  hyq_delay #(.Width(1), .Stages(7)) u_is_zero (
    .clk_i, .en_i(1'b1), .data_i(is_zero_q1), .data_o(is_zero_q8)
  );
  hyq_delay #(.Width(1), .Stages(6)) u_four (
    .clk_i, .en_i(1'b1), .data_i(four_q2), .data_o(four_q8)
  );
  hyq_delay #(.Width(LeadBits + 1), .Stages(2)) u_distance (
    .clk_i, .en_i(1'b1), .data_i(distance_q6), .data_o(distance_q8)
  );

  always_ff @(posedge clk_i) begin : align
    distance_q5 <= distance_q4;
    distance_q6 <= distance_q5;
    shifted_q5  <= LimitBits'(triple_q4) << {distance_q4[5:4], 4'b0000};
    shifted_q6  <= shifted_q5 << {distance_q5[3:2], 2'b00};
    shifted_q7  <= shifted_q6 << distance_q6[1:0];
    not_less_q8 <= limit_q7 >= shifted_q7;
    equal_q8    <= limit_q7 == shifted_q7;
  end

  // Stages 9 and 10: the count.
  logic [LeadBits:0] count, count_q9;
  logic [ProbabilityBits-1:0] log2_q10, log2;
  logic is_zero_q9;

  always_comb begin : count_doublings
    count = distance_q8 + (LeadBits + 1)'(not_less_q8);
    if (distance_q8[LeadBits]) count = '0;
    else if (is_rounded_q && count == (LeadBits + 1)'(1)) count = (LeadBits + 1)'(four_q8);
    else if (is_rounded_q && distance_q8 == (LeadBits + 1)'(1) && equal_q8) begin
      count = (LeadBits + 1)'(1);
    end
  end

  always_ff @(posedge clk_i) begin : log2_code
    is_zero_q9 <= is_zero_q8;
    count_q9   <= count;
    log2_q10   <= is_zero_q9 || ProbabilityBits'(count_q9) > top_q ? top_q
                                                                   : ProbabilityBits'(count_q9);
  end

  // The division has more stages.
  hyq_delay #(.Width(ProbabilityBits), .Stages(Latency - 11)) u_log2 (
    .clk_i, .en_i(1'b1), .data_i(log2_q10), .data_o(log2)
  );

  always_ff @(posedge clk_i) begin : code
    code_o <= kind_i == KindUniform ? uniform_q : log2;
  end

  logic unused;
  assign unused = ^{quotient_q[Steps][Steps], totals_i[Latency-1:Steps+1]};

endmodule
