// SPDX-License-Identifier: Apache-2.0
// The module is the end of a pipeline. It turns the accumulators of a beat into codes, with the
// entries of the beat's channels.
//
// It has the three stages of hyq_requantize_lanes, under one enable. The entries are read one stage
// earlier, while the last register in front of the accumulators is written.
module hyq_requantize_tail #(
  parameter int unsigned Lanes,
  parameter int unsigned Beats,  // beats of a position
  parameter int unsigned AccumulatorBits,
  parameter int unsigned OutBits,
  parameter bit          OutSigned,
  parameter hyq_pkg::requantize_t Requantize,
  parameter              RequantizeFile,
  localparam int unsigned BeatBits = hyq_pkg::index_width(Beats)
) (
  input  logic                             clk_i,
  input  logic                             en_i,
  input  logic [BeatBits-1:0]              beat_i,  // beat of the accumulators of the next cycle
  input  logic [Lanes*AccumulatorBits-1:0] acc_i,
  output logic [Lanes*OutBits-1:0]         code_o
);

  localparam hyq_pkg::rom_t Rom = '{
    entries: Requantize.entries,
    lanes: Requantize.lanes,
    bits: Requantize.zero_point_bits + Requantize.shift_bits + Requantize.multiplier_bits
  };

  logic [Rom.lanes*Rom.bits-1:0] entries;

  hyq_channel_rom #(
    .Rom  (Rom),
    .Beats(Beats),
    .File (RequantizeFile)
  ) u_rom (
    .clk_i,
    .en_i,
    .beat_i,
    .data_o(entries)
  );

  hyq_requantize_lanes #(
    .Lanes          (Lanes),
    .AccumulatorBits(AccumulatorBits),
    .OutBits        (OutBits),
    .OutSigned      (OutSigned),
    .Requantize     (Requantize)
  ) u_lanes (
    .clk_i,
    .en_i,
    .acc_i,
    .entry_i(entries),
    .code_o
  );

endmodule
