// SPDX-License-Identifier: Apache-2.0
// The module drops the words of some positions. Reference: hyq_hls/ops/select_positions.py,
// SelectPositions.
//
// It has two stages. A word waits in the first one for the bit that says whether it stays.
module hyq_select_positions #(
  parameter int unsigned   Channels,
  parameter int unsigned   InLanes,  // lanes of the output too; divides Channels
  parameter int unsigned   InBits,
  parameter hyq_pkg::rom_t Kept,     // one for every position that stays, else zero
  parameter                KeptFile
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic [InLanes*InBits-1:0] in_data_i,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  output logic [InLanes*InBits-1:0] out_data_o,
  output logic                      out_valid_o,
  input  logic                      out_ready_i
);

  localparam int unsigned Beats = Channels / InLanes;

  if (Channels % InLanes != 0) begin : gen_bad_lanes
    $error("hyq_select_positions: InLanes divides Channels");
  end
  if (Kept.lanes != 1 || Kept.bits != 1) begin : gen_bad_bits
    $error("hyq_select_positions: a bit for every position");
  end

  logic en, last_beat, valid, kept;
  logic [InLanes*InBits-1:0] word_q, out_q;

  hyq_counter #(.Count(Beats)) u_beat (
    .clk_i, .rst_ni, .en_i(en && in_valid_i), .last_o(last_beat)
  );

  hyq_sequence_rom #(
    .Rom (Kept),
    .File(KeptFile)
  ) u_kept_rom (
    .clk_i,
    .rst_ni,
    .en_i  (en),
    .next_i(en && in_valid_i && last_beat),
    .data_o(kept)
  );

  hyq_valid_chain #(.Stages(1)) u_valid (
    .clk_i, .rst_ni, .en_i(en), .valid_i(in_valid_i), .valid_o(valid)
  );

  hyq_stream_pipeline #(.Stages(1)) u_pipeline (
    .clk_i,
    .rst_ni,
    .in_valid_i(valid && kept),
    .in_ready_o,
    .en_o      (en),
    .out_valid_o,
    .out_ready_i
  );

  always_ff @(posedge clk_i) begin : words
    if (en) begin
      word_q <= in_data_i;
      out_q  <= word_q;
    end
  end

  assign out_data_o = out_q;

  hyq_stream_checker #(.Width(InLanes * InBits)) u_out_checker (
    .clk_i, .rst_ni, .data_i(out_data_o), .valid_i(out_valid_o), .ready_i(out_ready_i)
  );

endmodule
