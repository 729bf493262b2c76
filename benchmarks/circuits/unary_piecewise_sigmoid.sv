// Sigmoid of x_i * 2**-Fraction by four line segments whose slopes are powers of two (PLAN: Amin,
// Curtis, Hayes-Gill, IEE Proc. Circuits Devices Syst. 144(6), 1997), with Precision fraction bits.
// Reference: benchmarks/circuits/unary_reference.py, piecewise_sigmoid.
//
//   |x| in [0, 1): |x|/4 + 1/2    [1, 2.375): |x|/8 + 5/8    [2.375, 5): |x|/32 + 27/32    [5, -): 1
//   sigmoid(x) = 1 - sigmoid(-x)
//
// Four stages: |x|; segment; its line, by one adder; sign.
module unary_piecewise_sigmoid #(
  parameter int unsigned CentredBits,  // of x, and of -x
  parameter int unsigned Fraction,     // at least 3
  parameter int unsigned Precision     // Fraction + 5: no bit of |x| / 32 is lost
) (
  input  logic                          clk_i,
  input  logic                          en_i,
  input  logic signed [CentredBits-1:0] x_i,
  output logic [Precision:0]            gate_o
);

  localparam logic [Precision:0] One = (Precision + 1)'(1) << Precision;
  localparam int unsigned Eighth = Fraction - 3;  // 2**Eighth is one eighth in units of x

  typedef enum logic [1:0] {Steep, Middle, Flat, Constant} segment_e;

  logic negative_q1, negative_q2, negative_q3;
  logic [CentredBits-2:0] size_q1, size_q2;
  segment_e segment_q;
  logic [Precision:0] size, offset, slope, line_q, gate_q;

  // Of |x| no bit is lost that matters: a line is a constant where |x| has more.
  assign size = (Precision + 1)'(size_q2);

  always_comb begin : lines
    unique case (segment_q)
      Steep: begin
        offset = One >> 1;
        slope  = size << (Precision - Fraction - 2);
      end
      Middle: begin
        offset = (One >> 1) + (One >> 3);
        slope  = size << (Precision - Fraction - 3);
      end
      Flat: begin
        offset = One - (One >> 3) - (One >> 5);
        slope  = size << (Precision - Fraction - 5);
      end
      default: begin
        offset = One;
        slope  = '0;
      end
    endcase
  end

  always_ff @(posedge clk_i) begin : stages
    if (en_i) begin
      negative_q1 <= x_i[CentredBits-1];
      size_q1     <= (CentredBits - 1)'(x_i[CentredBits-1] ? -x_i : x_i);
      negative_q2 <= negative_q1;
      size_q2     <= size_q1;
      if (size_q1 >= (CentredBits - 1)'(40 << Eighth)) begin
        segment_q <= Constant;
      end else if (size_q1 >= (CentredBits - 1)'(19 << Eighth)) begin
        segment_q <= Flat;
      end else if (size_q1 >= (CentredBits - 1)'(8 << Eighth)) begin
        segment_q <= Middle;
      end else begin
        segment_q <= Steep;
      end
      negative_q3 <= negative_q2;
      line_q      <= offset + slope;
      gate_q      <= negative_q3 ? One - line_q : line_q;
    end
  end

  assign gate_o = gate_q;

endmodule
