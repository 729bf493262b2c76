// SPDX-License-Identifier: Apache-2.0
// The memory has one write port and one synchronous read port. read_data_o is the word at
// read_address_i of the last cycle with read_i. The two ports never meet at one word in a cycle;
// the surrounding circuit guarantees this.
//
// It lies in block RAM where LUT-RAM would take more than LutsPerBlock LUTs for each RAMB18.
// Python reference: hyq_hls/stream/cost/memories.py.
module hyq_ram #(
  parameter int unsigned Width,
  parameter int unsigned Depth,
  parameter int unsigned LutsPerBlock = 160,  // about the ratio of parts; xc7z020: 190
  localparam int unsigned AddressBits = hyq_pkg::index_width(Depth)
) (
  input  logic                   clk_i,
  input  logic                   write_i,
  input  logic [AddressBits-1:0] write_address_i,
  input  logic [Width-1:0]       write_data_i,
  input  logic                   read_i,
  input  logic [AddressBits-1:0] read_address_i,
  output logic [Width-1:0]       read_data_o
);

  // Four LUTs hold 32 words of 6 bits or 64 of 3; a RAMB18 has 36 bits a word, 18 Kibit in all.
  localparam int unsigned Luts =
      Depth <= 32 ? 4 * hyq_pkg::ceil_div(Width, 6)
                  : 4 * hyq_pkg::ceil_div(Width, 3) * hyq_pkg::ceil_div(Depth, 64);
  localparam int unsigned Blocks = hyq_pkg::block_rams(Width, Depth);

  logic [Width-1:0] word, read_data_q;

  if (Luts > LutsPerBlock * Blocks) begin : gen_block
    (* ram_style = "block" *) logic [Width-1:0] memory[Depth];

    always_ff @(posedge clk_i) begin : write
      if (write_i) memory[write_address_i] <= write_data_i;
    end

    assign word = memory[read_address_i];
  end else begin : gen_luts
    (* ram_style = "distributed" *) logic [Width-1:0] memory[Depth];

    always_ff @(posedge clk_i) begin : write
      if (write_i) memory[write_address_i] <= write_data_i;
    end

    assign word = memory[read_address_i];
  end

  always_ff @(posedge clk_i) begin : read
    if (read_i) read_data_q <= word;
  end

  assign read_data_o = read_data_q;

endmodule
