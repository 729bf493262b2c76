// SPDX-License-Identifier: Apache-2.0
// The adder tree sums Terms signed terms in each lane, every cycle. A register stands behind every
// addition. There are as many stages as levels, and one where there is a single term.
module hyq_adder_tree #(
  parameter int unsigned Lanes,
  parameter int unsigned Terms,
  parameter int unsigned TermBits,
  parameter int unsigned SumBits  // at least TermBits; holds the sum, partial sums may wrap
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,
  input  logic                            en_i,
  input  logic [Lanes*Terms*TermBits-1:0] terms_i,  // term 0 of lane 0 in the lowest bits
  input  logic                            valid_i,
  output logic [Lanes*SumBits-1:0]        sums_o,
  output logic                            valid_o
);

  localparam int unsigned Depth = $clog2(Terms);
  localparam int unsigned Stages = Depth > 0 ? Depth : 1;

  // Nodes are numbered as in a heap: node n adds nodes 2n and 2n + 1, and the last Terms nodes are
  // the terms.
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    for (genvar n = 2 * Terms - 1; n > 0; n--) begin : gen_node
      localparam int unsigned Level = $clog2(n + 1) - 1;
      localparam int unsigned FullBits = TermBits + Depth - Level;
      localparam int unsigned Bits = FullBits < SumBits ? FullBits : SumBits;
      logic signed [Bits-1:0] sum, value;

      if (n >= Terms) begin : gen_term
        logic signed [TermBits-1:0] term;
        assign term = terms_i[(l*Terms+n-Terms)*TermBits+:TermBits];
        assign sum  = Bits'(term);
      end else begin : gen_add
        assign sum = Bits'(gen_node[2*n].value) + Bits'(gen_node[2*n+1].value);
      end

      // A term that lies above the lowest level waits, so that all paths have the same registers.
      if (Level < Stages) begin : gen_register
        logic signed [Bits-1:0] sum_q;
        always_ff @(posedge clk_i) begin
          if (en_i) sum_q <= sum;
        end
        assign value = sum_q;
      end else begin : gen_wire
        assign value = sum;
      end
    end

    assign sums_o[l*SumBits+:SumBits] = SumBits'(gen_node[1].value);
  end

  hyq_valid_chain #(.Stages(Stages)) u_valid (.clk_i, .rst_ni, .en_i, .valid_i, .valid_o);

endmodule
