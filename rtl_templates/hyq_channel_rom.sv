// Constants of the channels of a beat: one word for every beat of a position, or one word for all.
//
// The word for `beat_i` leaves in the next cycle, as from hyq_rom; a word for all is always there.
module hyq_channel_rom #(
  parameter int unsigned Width,  // of a word
  parameter int unsigned Words,  // Beats, or 1
  parameter int unsigned Beats,
  parameter              File,
  localparam int unsigned BeatBits = Beats > 1 ? $clog2(Beats) : 1
) (
  input  logic                clk_i,
  input  logic                en_i,
  input  logic [BeatBits-1:0] beat_i,
  output logic [Width-1:0]    data_o
);

  logic [(Words > 1 ? BeatBits : 1)-1:0] address;

  if (Words == 1) begin : gen_word_for_all
    assign address = 1'b0;

    logic unused_beat;
    assign unused_beat = ^beat_i;
  end else begin : gen_word_per_beat
    assign address = beat_i;
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
