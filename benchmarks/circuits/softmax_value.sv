// The exponential within one octave as an integer without sign, from the remainder r of the range
// reduction: what the circuits differ in. Reference: benchmarks/circuits/softmax_reference.py.
//
//   0  line        Offset - r                HyQ, and Shiftmax of I-ViT
//   1  polynomial  Offset - (Slope - r) * r  second order, I-BERT and FQ-ViT
//   2  table       entry r of the memory
//
// One stage under en_i, three for the polynomial.
module softmax_value #(
  parameter int unsigned Circuit,
  parameter int unsigned RemainderBits,
  parameter int unsigned ValueBits,
  parameter int unsigned Offset,
  parameter int unsigned Slope,
  parameter              TableFile = ""
) (
  input  logic                     clk_i,
  input  logic                     en_i,
  input  logic [RemainderBits-1:0] remainder_i,
  output logic [ValueBits-1:0]     value_o
);

  if (Circuit == 0) begin : gen_line
    logic [ValueBits-1:0] value_q;
    assign value_o = value_q;

    always_ff @(posedge clk_i) begin : stage
      if (en_i) value_q <= ValueBits'(Offset) - ValueBits'(remainder_i);
    end
  end else if (Circuit == 1) begin : gen_polynomial
    localparam int unsigned FactorBits = $clog2(Slope + 1);
    localparam int unsigned ProductBits = FactorBits + RemainderBits;
    logic [FactorBits-1:0] factor_q;
    logic [RemainderBits-1:0] remainder_q;
    logic [ProductBits-1:0] product_q;
    logic [ValueBits-1:0] value_q;
    assign value_o = value_q;

    always_ff @(posedge clk_i) begin : stages
      if (en_i) begin
        factor_q    <= FactorBits'(Slope) - FactorBits'(remainder_i);
        remainder_q <= remainder_i;
        product_q   <= ProductBits'(factor_q) * ProductBits'(remainder_q);
        value_q     <= ValueBits'(Offset) - ValueBits'(product_q);
      end
    end
  end else begin : gen_table
    hyq_rom #(
      .Width(ValueBits),
      .Depth(1 << RemainderBits),
      .File (TableFile)
    ) u_table_rom (
      .clk_i,
      .en_i,
      .addr_i(remainder_i),
      .data_o(value_o)
    );
  end

endmodule
