// The module turns an exponential and the sum of its row into a code. Reference: "softmax" in
// docs/engine.md. It takes one in every cycle and has Latency stages.
//
// Uniform codes come from a division, a bit per stage. The remainder then decides the rounding. A
// log2 code counts how often 3 * e can be doubled without exceeding a limit, found by shifts of 32,
// 16, 8, 4, 2 and 1. The limit is 2 * total, and 2 * total + e for rounded codes, which differ for
// the first two counts only.
module hyq_engine_probability
  import hyq_engine_pkg::*;
#(
  localparam int unsigned Latency = ProbabilityBits + 2
) (
  input  logic                       clk_i,
  input  logic [ExpBits-1:0]         exponential_i,
  input  logic [TotalBits-1:0]       total_i,  // constant while codes are under way, as all below
  input  softmax_e                   kind_i,
  input  logic [4:0]                 bits_i,   // of a code
  output logic [ProbabilityBits-1:0] code_o
);

  localparam int unsigned LimitBits = TotalBits + 2;
  localparam int unsigned Shifts = 6;

  logic [ProbabilityBits-1:0] top;
  assign top = ProbabilityBits'((13'd1 << bits_i) - 13'd1);

  // Division: quotient and remainder of the bits so far.
  logic [TotalBits-1:0] remainder_q[ProbabilityBits+1];
  logic [ProbabilityBits:0] quotient_q[ProbabilityBits+1];
  logic whole;

  assign whole = TotalBits'(exponential_i) == total_i;  // it is never more

  always_ff @(posedge clk_i) begin : first_bit
    remainder_q[0] <= whole ? '0 : TotalBits'(exponential_i);
    quotient_q[0]  <= (ProbabilityBits + 1)'(whole);
  end

  for (genvar k = 1; k <= ProbabilityBits; k++) begin : gen_bit
    logic [TotalBits:0] doubled;
    logic [TotalBits-1:0] difference;
    logic fits, active;
    assign doubled    = {remainder_q[k-1], 1'b0};
    assign difference = doubled[TotalBits-1:0] - total_i;
    assign fits       = doubled >= {1'b0, total_i};
    assign active     = 5'(k) <= bits_i;

    always_ff @(posedge clk_i) begin : next_bit
      if (active) begin
        remainder_q[k] <= fits ? difference : doubled[TotalBits-1:0];
        quotient_q[k]  <= {quotient_q[k-1][ProbabilityBits-1:0], fits};
      end else begin
        remainder_q[k] <= remainder_q[k-1];
        quotient_q[k]  <= quotient_q[k-1];
      end
    end
  end

  logic round_up;
  logic [ProbabilityBits:0] rounded, uniform;
  assign round_up = (TotalBits + 1)'(remainder_q[ProbabilityBits]) + (TotalBits + 1)'(total_i >> 1)
                    >= (TotalBits + 1)'(total_i);
  assign rounded  = quotient_q[ProbabilityBits] + (ProbabilityBits + 1)'(round_up);
  assign uniform  = rounded > {1'b0, top} ? {1'b0, top} : rounded;

  // Doublings: 3 * e shifted so far, the limit, and what else decides.
  typedef struct packed {
    logic [LimitBits-1:0] value;
    logic [LimitBits-1:0] limit;
    logic [Shifts-1:0]    count;
    logic                 is_zero;
    logic                 four;  // the limit is 4 * e or more
  } doubling_t;

  doubling_t doubling_q[Shifts+1];
  logic is_rounded;
  logic [LimitBits-1:0] limit;

  assign is_rounded = kind_i == KindLog2Rounded;
  assign limit = {1'b0, total_i, 1'b0} + (is_rounded ? LimitBits'(exponential_i) : '0);

  always_ff @(posedge clk_i) begin : triple
    doubling_q[0] <= '{
        value  : LimitBits'({exponential_i, 1'b0}) + LimitBits'(exponential_i),
        limit  : limit,
        count  : '0,
        is_zero: exponential_i == '0,
        four   : limit >= LimitBits'({exponential_i, 2'b00})
    };
  end

  for (genvar k = 0; k < Shifts; k++) begin : gen_shift
    localparam int unsigned Shift = 32 >> k;
    logic [LimitBits-1:0] shifted;
    logic fits;
    assign shifted = doubling_q[k].value << Shift;
    assign fits    = doubling_q[k].value[LimitBits-1:LimitBits-Shift] == '0
                     && shifted <= doubling_q[k].limit;

    always_ff @(posedge clk_i) begin : shift
      doubling_q[k+1] <= doubling_q[k];
      if (fits) begin
        doubling_q[k+1].value <= shifted;
        doubling_q[k+1].count <= doubling_q[k].count | Shifts'(Shift);
      end
    end
  end

  doubling_t doubled;
  logic [Shifts:0] count;
  logic [ProbabilityBits-1:0] log2_q, log2;
  assign doubled = doubling_q[Shifts];

  always_comb begin : count_doublings
    count = (Shifts + 1)'(doubled.count) + 1'b1;
    if (doubled.value > doubled.limit) count = '0;
    else if (is_rounded && doubled.count == '0) count = (Shifts + 1)'(doubled.four);
    else if (is_rounded && doubled.count == Shifts'(1) && doubled.value == doubled.limit) begin
      count = (Shifts + 1)'(1);
    end
  end

  always_ff @(posedge clk_i) begin : log2_code
    log2_q <= doubled.is_zero || ProbabilityBits'(count) > top ? top : ProbabilityBits'(count);
  end

  // The division has more stages.
  hyq_delay #(
    .Width(ProbabilityBits), .Stages(Latency - Shifts - 3)
  ) u_log2 (
    .clk_i, .en_i(1'b1), .data_i(log2_q), .data_o(log2)
  );

  always_ff @(posedge clk_i) begin : code
    code_o <= kind_i == KindUniform ? uniform[ProbabilityBits-1:0] : log2;
  end

  logic unused;
  assign unused = uniform[ProbabilityBits];

endmodule
