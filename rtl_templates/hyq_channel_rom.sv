// SPDX-License-Identifier: Apache-2.0
// The memory holds constants of the channels of a beat: one word for every beat of a position, or
// one word for all.
//
// The word for `beat_i` leaves in the next cycle, as it leaves hyq_rom. A word for all is always
// there.
module hyq_channel_rom #(
  parameter hyq_pkg::rom_t Rom,  // it has Beats words, or one
  parameter int unsigned   Beats,
  parameter                File,
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats),
  localparam int unsigned Width = Rom.lanes * Rom.bits
) (
  input  logic                clk_i,
  input  logic                en_i,
  input  logic [BeatBits-1:0] beat_i,
  output logic [Width-1:0]    data_o
);

  localparam int unsigned Words = Rom.entries / Rom.lanes;
  logic [hyq_pkg::index_width(Words)-1:0] address;

  if (Words == 1) begin : gen_word_for_all
    assign address = 1'b0;

    logic unused_beat;
    assign unused_beat = ^beat_i;
  end else if (Words == Beats) begin : gen_word_per_beat
    assign address = beat_i;
  end else begin : gen_bad_words
    $error("hyq_channel_rom: one word for all beats, or one for each");
  end

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
