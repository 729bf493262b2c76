// Log2 codes of probabilities as HyQ's and FQ-ViT's code has them, one per cycle.
// Reference: benchmarks/circuits/softmax_reference.py, divided_codes.
//
//   t    = E / (value << shift), rounded half to even
//   L    = floor(log2(t)), and one more if t - 2**L >= 2**(L-1)
//   code = min(largest code, L)
//
// The shift moves the dividend to the right instead: the divisor is as short as the value. Restoring
// division of 2 * E, one bit per stage, gives the quotient and its half; what lies below decides
// ties. One stage for the shift, and one each for t and the code.
module softmax_quotient #(
  parameter int unsigned ValueBits,  // of a value of at least 1
  parameter int unsigned ShiftBits,
  parameter int unsigned TotalBits,  // of E
  parameter int unsigned OutBits
) (
  input  logic                 clk_i,
  input  logic                 rst_ni,
  input  logic [ValueBits-1:0] value_i,
  input  logic [ShiftBits-1:0] shift_i,
  input  logic [TotalBits-1:0] total_i,      // of the beat's row
  input  logic                 in_valid_i,
  output logic                 in_ready_o,
  output logic [OutBits-1:0]   out_data_o,
  output logic                 out_valid_o,
  input  logic                 out_ready_i
);

  localparam int unsigned Bits = TotalBits + 1;  // of the dividend and of its quotient
  localparam int unsigned Stages = Bits + 3;
  localparam int unsigned Top = (1 << OutBits) - 1;

  logic en;
  logic [Stages-1:0] valid_q;

  assign en = !out_valid_o || out_ready_i;
  assign in_ready_o = en;
  assign out_valid_o = valid_q[Stages-1];

  always_ff @(posedge clk_i or negedge rst_ni) begin : control
    if (!rst_ni) valid_q <= '0;
    else if (en) valid_q <= {valid_q[Stages-2:0], in_valid_i};
  end

  logic [Bits-1:0] dividend;
  logic inexact;  // ones of the total are shifted out

  always_comb begin : align
    dividend = {total_i, 1'b0};
    inexact  = 1'b0;
    for (int unsigned b = 0; b < ShiftBits; b++) begin
      if (shift_i[b]) begin
        inexact  = inexact || (dividend & ((Bits'(1) << (1 << b)) - Bits'(1))) != '0;
        dividend = dividend >> (1 << b);
      end
    end
  end

  // Stage 0 holds the operands. Stage k leaves a remainder of at most k bits, below the divisor. Of
  // the quotient, its half and Top bits decide the code; of the bits above them, whether one is set.
  for (genvar k = 0; k <= Bits; k++) begin : gen_stage
    localparam int unsigned LeftBits = k < ValueBits ? (k > 0 ? k : 1) : ValueBits;
    logic [Bits-1:0] dividend_q;  // the next bit is the highest
    logic [ValueBits-1:0] divisor_q;
    logic [LeftBits-1:0] remainder_q;
    logic [Top:0] quotient_q;
    logic large_q, inexact_q;

    if (k == 0) begin : gen_operands
      always_ff @(posedge clk_i) begin : stage
        if (en) begin
          dividend_q  <= dividend;
          divisor_q   <= value_i;
          remainder_q <= '0;
          quotient_q  <= '0;
          large_q     <= 1'b0;
          inexact_q   <= inexact;
        end
      end
    end else begin : gen_bit
      logic [ValueBits:0] remainder, difference;
      logic bit_of_quotient, unused_highest;

      assign unused_highest = gen_stage[k-1].quotient_q[Top];  // full at the last stage only
      assign remainder = (ValueBits + 1)'({gen_stage[k-1].remainder_q,
                                           gen_stage[k-1].dividend_q[Bits-1]});
      assign difference      = remainder - {1'b0, gen_stage[k-1].divisor_q};
      assign bit_of_quotient = !difference[ValueBits];

      always_ff @(posedge clk_i) begin : stage
        if (en) begin
          dividend_q  <= {gen_stage[k-1].dividend_q[Bits-2:0], 1'b0};
          divisor_q   <= gen_stage[k-1].divisor_q;
          remainder_q <= LeftBits'(bit_of_quotient ? difference : remainder);
          inexact_q   <= gen_stage[k-1].inexact_q;
          if (Bits - k > Top) begin
            quotient_q <= '0;
            large_q    <= gen_stage[k-1].large_q || bit_of_quotient;
          end else begin
            quotient_q <= {gen_stage[k-1].quotient_q[Top-1:0], bit_of_quotient};
            large_q    <= gen_stage[k-1].large_q;
          end
        end
      end
    end
  end

  logic [Top-1:0] quotient;
  logic half, above_half, large_q;
  logic [Top:0] rounded_q;
  logic [OutBits-1:0] code_d, code_q;

  assign {quotient, half} = gen_stage[Bits].quotient_q;
  assign above_half       = gen_stage[Bits].inexact_q || gen_stage[Bits].remainder_q != '0;

  always_comb begin : level
    code_d = '0;
    for (int unsigned l = 1; l < Top; l++) begin
      if (rounded_q[l]) code_d = OutBits'(l) + OutBits'(rounded_q[l-1]);
    end
    if (rounded_q[Top] || large_q) code_d = OutBits'(Top);
  end

  always_ff @(posedge clk_i) begin : rounding
    if (en) begin
      rounded_q <= {1'b0, quotient} + (Top + 1)'(half && (above_half || quotient[0]));
      large_q   <= gen_stage[Bits].large_q;
      code_q    <= code_d;
    end
  end

  assign out_data_o = code_q;

  logic unused_operands;
  assign unused_operands = ^{gen_stage[Bits].divisor_q, gen_stage[Bits].dividend_q};

endmodule
