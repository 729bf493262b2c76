// SPDX-License-Identifier: Apache-2.0
// The module is a read-only memory in LUTs for hyq_rom. It is a module of its own, so that
// synthesis can keep it whole: up to 64 words are one LUT for each bit, and one level of logic.
// Yosys makes it several times as large and as slow when it dissolves it.
module hyq_logic_rom #(
  parameter int unsigned Width,
  parameter int unsigned Depth,
  parameter              File,
  localparam int unsigned AddressBits = $clog2(Depth)
) (
  input  logic                   clk_i,
  input  logic                   en_i,
  input  logic [AddressBits-1:0] addr_i,
  output logic [Width-1:0]       data_o
);

  (* ram_style = "registers" *) logic [Width-1:0] memory[Depth];
  logic [Width-1:0] data_q;

  initial begin : load
    $readmemh(File, memory);
  end

  always_ff @(posedge clk_i) begin : read
    if (en_i) begin
      data_q <= memory[addr_i];
    end
  end

  assign data_o = data_q;

endmodule
