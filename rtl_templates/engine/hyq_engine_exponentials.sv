// SPDX-License-Identifier: Apache-2.0
// The module looks up the exponentials of the distances of four codes from the maximum of their
// row. They come three cycles later.
//
// Even and odd entries lie apart, so that two are loaded at a time. Two codes share a memory.
module hyq_engine_exponentials
  import hyq_engine_pkg::*;
#(
  localparam int unsigned Codes = 4
) (
  input  logic                          clk_i,
  input  logic [7:0]                    maximum_i,
  input  logic [Codes-1:0][7:0]         codes_i,
  output logic [Codes-1:0][ExpBits-1:0] exponentials_o,
  input  logic                          write_i,    // two exponentials
  input  logic [6:0]                    address_i,
  input  logic [63:0]                   data_i
);

  logic [Codes-1:0][7:0] distance_q;

  always_ff @(posedge clk_i) begin : distance
    for (int unsigned c = 0; c < Codes; c++) distance_q[c] <= maximum_i - codes_i[c];
  end

  for (genvar c = 0; c < Codes; c += 2) begin : gen_table
    logic [1:0][ExpBits-1:0] even, odd;
    logic [1:0] is_odd_q;
    for (genvar half = 0; half < 2; half++) begin : gen_half
      (* ram_style = "block" *) logic [ExpBits-1:0] memory[128];
      logic [6:0] address0, address1;
      logic [ExpBits-1:0] read0_q, read1_q;
      assign address0 = write_i ? address_i : distance_q[c][7:1];
      assign address1 = distance_q[c+1][7:1];
      always_ff @(posedge clk_i) begin : port0
        if (write_i) memory[address0] <= data_i[ExpBits*half+:ExpBits];
        read0_q <= memory[address0];
      end
      always_ff @(posedge clk_i) begin : port1
        read1_q <= memory[address1];
      end
      if (half == 0) begin : gen_even
        assign even = {read1_q, read0_q};
      end else begin : gen_odd
        assign odd = {read1_q, read0_q};
      end
    end
    always_ff @(posedge clk_i) begin : select
      for (int unsigned k = 0; k < 2; k++) begin
        is_odd_q[k]         <= distance_q[c+k][0];
        exponentials_o[c+k] <= is_odd_q[k] ? odd[k] : even[k];
      end
    end
  end

endmodule
