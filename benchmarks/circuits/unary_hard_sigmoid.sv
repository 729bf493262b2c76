// Hard sigmoid, relu6(x + 3) / 6, of x_i * 2**-Fraction, with Precision fraction bits.
// Reference: benchmarks/circuits/unary_reference.py, hard_sigmoid.
//
// 1/6 ~ 171/1024 = 9 * 19 / 1024 (off by 0.2 %), three adders; the floor that follows gives exactly
// one for x >= 3 where Precision <= 8. Three stages: x + 3 in [0, 6]; times 9; times 19.
module unary_hard_sigmoid #(
  parameter int unsigned CentredBits,
  parameter int unsigned Fraction,
  parameter int unsigned Precision    // at most Fraction + 10
) (
  input  logic                          clk_i,
  input  logic                          en_i,
  input  logic signed [CentredBits-1:0] x_i,
  output logic [Precision:0]            gate_o
);

  localparam int unsigned RampBits = Fraction + 3;  // holds 6
  localparam int unsigned SumBits = (CentredBits > RampBits ? CentredBits : RampBits) + 1;
  localparam int unsigned ProductBits = RampBits + 8;  // holds 6 * 171
  localparam int unsigned Drop = Fraction + 10 - Precision;
  localparam logic signed [SumBits-1:0] Six = SumBits'(6) <<< Fraction;

  logic signed [SumBits-1:0] sum;
  logic [RampBits-1:0] ramp_q;
  logic [RampBits+3:0] nine_q;
  logic [ProductBits-1:0] product;
  logic [Precision:0] gate_q;

  assign sum = SumBits'(x_i) + (SumBits'(3) <<< Fraction);
  assign product = (ProductBits'(nine_q) << 4) + (ProductBits'(nine_q) << 1) + ProductBits'(nine_q);

  always_ff @(posedge clk_i) begin : stages
    if (en_i) begin
      if (sum[SumBits-1]) begin
        ramp_q <= '0;
      end else begin
        ramp_q <= sum > Six ? RampBits'(Six) : RampBits'(sum);
      end
      nine_q <= {1'b0, ramp_q, 3'b0} + {4'b0, ramp_q};
      gate_q <= (Precision + 1)'(product >> Drop);
    end
  end

  assign gate_o = gate_q;

endmodule
