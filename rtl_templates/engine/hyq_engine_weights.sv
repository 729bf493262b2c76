// SPDX-License-Identifier: Apache-2.0
// The weight memory holds words of 48 lanes: lane 3 * o + i belongs to output o and input i. Lanes
// are written one by one. A read takes three cycles: its address, the memory and its output
// register, which lie close to the memory and to the array.
module hyq_engine_weights
  import hyq_engine_pkg::*;
#(
  parameter int unsigned  Words,
  localparam int unsigned Lanes = Outputs * Inputs,
  localparam int unsigned WordBits = $clog2(Words)
) (
  input  logic                        clk_i,
  input  logic [Lanes-1:0]            write_i,
  input  logic [WordBits-1:0]         write_address_i,
  input  logic [Lanes*WeightBits-1:0] write_data_i,
  input  logic [WordBits-1:0]         read_address_i,
  output logic [Lanes*WeightBits-1:0] read_data_o
);

  // Two lanes share a block RAM of 18 bits a word, and have a write enable each.
  for (genvar l = 0; l < Lanes; l += 2) begin : gen_lanes
    (* ram_style = "block" *) logic [2*WeightBits-1:0] memory[Words];
    logic [WordBits-1:0] address_q;
    logic [2*WeightBits-1:0] read_q1, read_q2;

    always_ff @(posedge clk_i) begin : write
      for (int unsigned k = 0; k < 2; k++) begin
        if (write_i[l+k]) begin
          memory[write_address_i][k*WeightBits+:WeightBits]
              <= write_data_i[(l+k)*WeightBits+:WeightBits];
        end
      end
    end

    always_ff @(posedge clk_i) begin : read
      address_q <= read_address_i;
      read_q1   <= memory[address_q];
      read_q2   <= read_q1;
    end

    assign read_data_o[l*WeightBits+:2*WeightBits] = read_q2;
  end

endmodule
