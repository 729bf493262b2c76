// SPDX-License-Identifier: Apache-2.0
// The read-only memory has a synchronous read: data_o is the word at addr_i of the last cycle with
// en_i. With one word (Depth 1) it is a constant, which is there from the start.
//
// It lies in block RAM where logic would take more than LutsPerBlock LUTs for each RAMB18; 0 forces
// block RAM. Python reference: hyq_hls/stream/cost/memories.py.
module hyq_rom #(
  parameter int unsigned Width,
  parameter int unsigned Depth,
  parameter              File,                // text for $readmemh, Depth words in order of address
  parameter int unsigned LutsPerBlock = 160,  // about the ratio of parts; xc7z020: 190
  localparam int unsigned AddressBits = hyq_pkg::index_width(Depth)
) (
  input  logic                   clk_i,
  input  logic                   en_i,
  input  logic [AddressBits-1:0] addr_i,
  output logic [Width-1:0]       data_o
);

  // A LUT holds 64 words of a bit; a RAMB18 has 36 bits a word, 18 Kibit in all.
  localparam int unsigned Luts = Width * hyq_pkg::ceil_div(Depth, 64);
  localparam int unsigned Blocks = hyq_pkg::block_rams(Width, Depth);

  localparam bit InBlocks = Depth > 1 && Luts > LutsPerBlock * Blocks;

  // Synthesis dissolves a memory in the logic around it, or keeps it whole. Dissolved, few words
  // take fewer LUTs. So do narrow ones, such as shifts and zero points: some of their bits never
  // change.
  localparam bit Dissolves = Depth <= 32 || (Depth <= 64 && Width < 12);

  if (!Dissolves && !InBlocks) begin : gen_logic
    hyq_logic_rom #(
      .Width(Width),
      .Depth(Depth),
      .File (File)
    ) u_logic_rom (
      .clk_i,
      .en_i,
      .addr_i,
      .data_o
    );
  end else if (InBlocks) begin : gen_block
    (* rom_style = "block" *) logic [Width-1:0] memory[Depth];
    logic [Width-1:0] data_q;

    initial begin : load
      $readmemh(File, memory);
    end

    always_ff @(posedge clk_i) begin : read
      if (en_i) data_q <= memory[addr_i];
    end

    assign data_o = data_q;
  end else begin : gen_small
    (* ram_style = "registers" *) logic [Width-1:0] memory[Depth];

    initial begin : load
      $readmemh(File, memory);
    end

    if (Depth == 1) begin : gen_constant
      assign data_o = memory[0];

      logic unused_read;
      assign unused_read = ^{clk_i, en_i, addr_i};
    end else begin : gen_register
      logic [Width-1:0] data_q;

      always_ff @(posedge clk_i) begin : read
        if (en_i) begin
          data_q <= memory[addr_i];
        end
      end

      assign data_o = data_q;
    end
  end

endmodule
