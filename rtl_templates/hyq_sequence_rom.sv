// SPDX-License-Identifier: Apache-2.0
// The memory is read from its first word to its last, again and again. A read with en_i puts the
// present word at data_o in the next cycle. With next_i, that read is the last one of the word.
module hyq_sequence_rom #(
  parameter hyq_pkg::rom_t Rom,
  parameter                File,  // as in hyq_rom
  localparam int unsigned Width = Rom.lanes * Rom.bits
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic             en_i,
  input  logic             next_i,  // not without en_i
  output logic [Width-1:0] data_o
);

  localparam int unsigned Words = Rom.entries / Rom.lanes;
  logic [hyq_pkg::index_width(Words)-1:0] address;

  hyq_index #(.Count(Words)) u_address (.clk_i, .rst_ni, .en_i(next_i), .index_o(address));

  hyq_rom #(
    .Width(Width),
    .Depth(Words),
    .File (File)
  ) u_rom (
    .clk_i,
    .en_i,
    .addr_i(address),
    .data_o
  );

endmodule
