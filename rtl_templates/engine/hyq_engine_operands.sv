// SPDX-License-Identifier: Apache-2.0
// The module turns bytes of Pixels pixels into the operands of a dense step, in three stages: three
// neighbouring bytes are selected, become an operand of nine bits, and meet that of the next pixel.
// Reference: the table of `source` in docs/engine.md.
module hyq_engine_operands
  import hyq_engine_pkg::*;
#(
  parameter int unsigned Pixels  // 2, 4 or 8
) (
  input  logic                                clk_i,
  input  operand_t                            operand_i,
  input  logic [Pixels*Outputs*8-1:0]         window_i,  // [pixel][byte]
  output logic [Pixels/2*Inputs*PairBits-1:0] pairs_o    // [pair of pixels][input]
);

  operand_t operand_q;  // of the second stage
  logic unused_first_byte;
  assign unused_first_byte = ^operand_q.first_byte;
  logic [Pixels*Inputs-1:0][7:0] bytes_q;
  logic [Pixels*Inputs-1:0][8:0] values_q;

  always_ff @(posedge clk_i) begin : select
    operand_q <= operand_i;
    for (int unsigned p = 0; p < Pixels; p++) begin
      bytes_q[p*Inputs+:Inputs] <= window_i[128*p+8*operand_i.first_byte+:8*Inputs];
    end
  end

  // A log2 code stands for 2**(one_hot - code), whose bit lies in one digit of base 256.
  function automatic logic [8:0] one_hot_value(logic [7:0] code, logic [4:0] largest,
                                               logic [1:0] digit);
    logic [8:0] exponent;
    exponent = {4'b0, largest} - {1'b0, code};
    return exponent[8:3] == {4'b0, digit} ? 9'd1 << exponent[2:0] : '0;
  endfunction

  always_ff @(posedge clk_i) begin : value
    for (int unsigned k = 0; k < Pixels * Inputs; k++) begin
      unique case (operand_q.source)
        SourceConstant: values_q[k] <= operand_q.constant;
        SourceOneHot:
          values_q[k] <= one_hot_value(bytes_q[k], operand_q.one_hot, operand_q.digit);
        default:
          values_q[k] <= operand_q.is_signed ? {{2{!bytes_q[k][7]}}, bytes_q[k][6:0]}
                                             : {1'b0, bytes_q[k]};
      endcase
    end
  end

  for (genvar pair = 0; pair < Pixels / 2; pair++) begin : gen_pair
    for (genvar i = 0; i < Inputs; i++) begin : gen_input
      logic signed [8:0] p0, p1;
      logic [PairBits-1:0] pair_q;
      assign p0 = values_q[2*pair*Inputs+i];
      assign p1 = values_q[(2*pair+1)*Inputs+i];

      always_ff @(posedge clk_i) begin : pack
        pair_q <= {p1, 16'b0} + PairBits'(p0);
      end

      assign pairs_o[(pair*Inputs+i)*PairBits+:PairBits] = pair_q;
    end
  end

endmodule
